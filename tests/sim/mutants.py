#!/usr/bin/env python3
"""Shows that the simulator finds planted bugs. Needs a build with USHER_MUTANTS; tools/mutants makes one and calls this.

Usage: mutants.py [--build DIR] [--minutes M] [--markdown] [NUMBER...]
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time

SITE = re.compile(r'USHER_MUTANT\((\d+),\s*"([^"]+)"\)')
FOLDERS = ("engine", "wal", "server")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def planted():
    """All bugs of the sources: number -> (what, file)."""
    found = {}
    for folder in FOLDERS:
        for at, _, names in os.walk(os.path.join(TOP, folder)):
            for name in names:
                if not name.endswith((".cpp", ".hpp")):
                    continue
                path = os.path.join(at, name)
                with open(path, encoding="utf-8") as file:
                    for number, what in SITE.findall(file.read()):
                        found[int(number)] = (what, os.path.relpath(path, TOP))
    return found


def hunt(build, number, minutes):
    """Returns (found, seconds, seed, how)."""
    begun = time.monotonic()
    command = [os.path.join(build, "usher_sim"), "--seed", "1", "--minutes", str(minutes), "--failures", "1", "--mutant", str(number)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    how = re.search(r"FAILED seed (\d+): (.*)", result.stdout)
    assertion = re.search(r"assertion failed: (.*)", result.stderr)
    if result.returncode == 0 or how is None:
        return False, seconds, None, ""
    text = how.group(2) + (": " + assertion.group(1) if assertion else "")
    return True, seconds, int(how.group(1)), text


def main():
    parser = argparse.ArgumentParser(description="Shows that the simulator finds planted bugs.")
    parser.add_argument("--build", default="build/mutants")
    parser.add_argument("--minutes", type=float, default=10, help="for each bug, at most")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("numbers", nargs="*", type=int, help="only these")
    options = parser.parse_args()
    bugs = planted()
    missed = 0
    rows = []
    found, seconds, seed, how = hunt(options.build, 0, 0.2)
    if found:
        print(f"FAILED: without any bug seed {seed} fails: {how}")
        return 1
    for number in options.numbers or sorted(bugs):
        what, path = bugs[number]
        found, seconds, seed, how = hunt(options.build, number, options.minutes)
        missed += not found
        rows.append({"number": number, "bug": what, "file": path, "found": found, "seconds": round(seconds, 2), "seed": seed, "by": how})
        line = f"seed {seed}, {seconds:.1f} s: {how}" if found else f"NOT FOUND in {seconds:.0f} s"
        print(f"| {number} | {what} | {path} | {line} |" if options.markdown else f"{number:3} {what} ({path}): {line}", flush=True)
    with open(os.path.join(options.build, "mutants.json"), "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=1)
    print(f"{len(rows) - missed} checks passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
