#!/usr/bin/env python3
"""The simulator in the suite: many seeds with every fault and rare path met, the seeds that once failed, and a canary
that must be noticed. USHER_THOROUGH=1 takes 20,000 seeds instead of 400."""

import os
import re
import subprocess
import sys

BUILD = os.environ.get("USHER_BUILD", "build/release")
HERE = os.path.dirname(os.path.abspath(__file__))
SEEDS = 20_000 if os.environ.get("USHER_THOROUGH") else 400


def simulate(*options):
    result = subprocess.run([os.path.join(BUILD, "usher_sim"), *options], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def corpus():
    """The option lines of seeds.txt."""
    with open(os.path.join(HERE, "seeds.txt"), encoding="utf-8") as file:
        return [line.split() for line in file if line.strip() and not line.startswith("#")]


def main():
    passed, failed = 0, 0

    def check(what, holds, text):
        nonlocal passed, failed
        passed, failed = (passed + 1, failed) if holds else (passed, failed + 1)
        if not holds:
            print(f"FAILED: {what}\n{text}")

    code, text = simulate("--seed", "1", "--seeds", str(SEEDS), "--all-paths", "--shrink")
    check(f"{SEEDS} seeds, every path met", code == 0, text)
    print(text.splitlines()[-2])
    for options in corpus():
        code, text = simulate(*options)
        check(" ".join(options), code == 0, text)
    code, text = simulate("--seed", "1", "--seeds", "20", "--canary")
    again = re.search(r"again: usher_sim (--seed \d+ --canary)", text)
    check("the canary is noticed", code == 1 and "the canary sings" in text and again is not None, text)
    if again:
        code, text = simulate(*again.group(1).split())
        check("its command line shows it again", code == 1 and "the canary sings" in text, text)
    print(f"{passed} checks passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
