"""The report: the machine, and the results as a file and as lines."""

import contextlib
import datetime
import glob
import json
import os
import platform
import re
import subprocess
import tempfile

from driver.common import TOP, line_of


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read())
    commit = subprocess.run(["git", "-C", TOP, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "cores": os.cpu_count(), "cpu": model.group(1) if model else platform.machine(), "kernel": platform.release(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_average_at_start": os.getloadavg()[0], "commit": commit.stdout.strip(),
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def settings(options):
    """How this run was made, for who reads it later."""
    disk = subprocess.run(["df", "--output=fstype,source", tempfile.gettempdir()], capture_output=True, text=True, check=False)
    return {"runs": options.runs, "seconds": options.seconds, "shows": options.shows, "smoke": options.smoke,
            "disk": " on ".join(disk.stdout.split("\n")[1].split()) if disk.returncode == 0 else "", "versions": versions()}


def versions():
    """Of what is measured beside us, as far as it is installed."""
    found = {}
    postgres = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))[-1:] or ["postgres"]
    for name, command in (("Redis", ["redis-server", "--version"]), ("PostgreSQL", [*postgres, "--version"]), ("nginx", ["nginx", "-v"])):
        with contextlib.suppress(OSError):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            version = re.search(r"(\d+\.\d+(\.\d+)?)", done.stdout + done.stderr)
            found[name] = version.group(1) if version else ""
    return found


def write_json(path, report):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)


def summary(results):
    """Returns the table that ends a run: one line per result, then how many budgets are met."""
    lines = [f"{result['name']:42} {line_of(result)}" for result in results]
    judged = [result for result in results if result["ok"] is not None]
    missed = [result["name"] for result in judged if not result["ok"]]
    if judged:
        lines.append(f"\n{len(judged) - len(missed)} of {len(judged)} budgets met" + (f"; missed: {', '.join(missed)}" if missed else ""))
    return "\n".join(lines)
