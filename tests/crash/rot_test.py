"""Damage to synced bytes (usher_rot): a log of 32 KiB whose every bit is flipped and 500 damages to files, or 1 MiB and 10,000
with USHER_THOROUGH=1. What must hold of each stands in the program; here, that it was all tried.
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness  # noqa: E402


def main():
    size, flips = (1 << 20, 10_000) if harness.THOROUGH else (32 << 10, 150)
    with harness.temp_folder() as folder:
        report = os.path.join(folder, "report.json")
        done = subprocess.run([os.path.join(harness.BUILD, "usher_rot"), "--log-bytes", str(size), "--flips", str(flips), "--report", report],
                              capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr, flush=True)
        harness.check(done.returncode == 0, f"exit code {done.returncode}")
        with open(report, encoding="utf-8") as file:
            seen = json.load(file)
    harness.check(seen["flips"] >= size * 8, f"every bit: {seen['flips']}")
    harness.check(seen["opens"] > flips, f"{seen['opens']} opens")
    harness.check(seen["failures"] == 0, f"{seen['failures']} failures")
    harness.finish()


if __name__ == "__main__":
    main()
