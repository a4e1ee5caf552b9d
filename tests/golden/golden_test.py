"""Data directories of every format version so far (made by make.py): the audit is content, replay reads what was written then,
with and without checkpoints, and the program of today opens them for writing and reads the same afterwards."""

import glob
import json
import os
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check  # noqa: E402
from make import read_state  # noqa: E402


def try_one(archive, folder):
    name = os.path.relpath(archive, os.path.dirname(os.path.abspath(__file__)))
    data = os.path.join(folder, "data")
    os.makedirs(data)
    with tarfile.open(archive) as packed:
        packed.extractall(data)  # noqa: S202: our own
    with open(archive.replace(".tar.xz", ".json"), encoding="utf-8") as file:
        expected = json.load(file)
    audit = harness.run_usher("audit", "--data", data)
    check(audit.returncode == 0, f"{name}: usher audit: {audit.stdout[-500:]} {audit.stderr[-300:]}")
    found = read_state(data)
    for part in expected:
        check(found.get(part) == expected[part], f"{name}: {part} is read as {str(found.get(part))[:300]}")
    check(len(expected["reservations"]) >= 20 and len(expected["shows"]) == 3, f"{name}: a state worth the name")
    short = harness.run_usher("replay", "--data", data, "--from-checkpoints")
    check(json.loads(short.stdout.splitlines()[-1])["digest"] == expected["digest"], f"{name}: from checkpoints: {short.stderr[-300:]}")

    empty = harness.write_json(os.path.join(folder, "empty.json"), {"movies": []})
    opened = harness.run_usher("import", "--data", data, "--accept-clock", empty)
    check(opened.returncode == 0, f"{name}: opened for writing: {opened.returncode} {opened.stderr[-500:]}")
    found = read_state(data)
    seats = {key: value[1:3] for key, value in found.get("reservations", {}).items() if value[0] in ("booked", "cancelled", "refunded")}
    wanted = {key: value[1:3] for key, value in expected["reservations"].items() if value[0] in ("booked", "cancelled", "refunded")}
    check(seats == wanted, f"{name}: opened for writing, and bookings changed: {str(seats)[:300]}")
    audit = harness.run_usher("audit", "--data", data)
    check(audit.returncode == 0, f"{name}: usher audit after it was opened: {audit.stdout[-500:]}")


def main():
    archives = sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "v*", "*.tar.xz")))
    check(len(archives) >= 2, f"golden directories: {archives}")
    for archive in archives:
        with harness.temp_folder() as folder:
            try_one(archive, folder)
    harness.finish()


if __name__ == "__main__":
    main()
