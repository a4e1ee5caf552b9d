"""The crash matrix (usher_crash_matrix) with its canary.

First a disk that lies about its syncs: the matrix must see what is lost. Then the real thing: 25 seconds of its cases in an order
that a seed draws, or all cases of a workload of 5,000 changes with USHER_THOROUGH=1 (--minutes bounds it).
"""

import argparse
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness  # noqa: E402

MATRIX = os.path.join(harness.BUILD, "usher_crash_matrix")


def run(*arguments):
    done = subprocess.run([MATRIX, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--minutes", type=float, default=20 if harness.THOROUGH else 25 / 60)
    options = parser.parse_args()
    code, _, errors = run("--lying-disk", "--seconds", "2", "--seed", str(options.seed))
    harness.check(code == 1 and "LOST" in errors, f"a disk that lies is found out: {code} {errors[:300]}")

    with harness.temp_folder() as folder:
        report = os.path.join(folder, "report.json")
        rounds = "250" if harness.THOROUGH else "16"
        code, said, errors = run("--seconds", str(options.minutes * 60), "--rounds", rounds, "--seed", str(options.seed), "--report", report)
        print(said, errors, flush=True)
        harness.check(code == 0, f"exit code {code}, seed {options.seed}")
        with open(report, encoding="utf-8") as file:
            seen = json.load(file)
    for count in ("crashes", "images", "recoveries", "faults"):
        harness.check(seen[count] > 0, f"{count}: {seen[count]}")
    harness.check(seen["failures"] == 0, f"{seen['failures']} failures, seed {options.seed}")
    harness.say(f"{seen['recoveries']} recoveries, {seen['recoveries'] / seen['seconds'] * 60:.0f} a minute")
    harness.finish()


if __name__ == "__main__":
    main()
