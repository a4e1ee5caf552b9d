"""The engine alone, no I/O, and the other micro benches (Google Benchmark, bench/micro)."""

import json
import os
import subprocess

from driver.common import program, say

# The program's names -> ours, and what they may cost in ns (DESIGN 10).
NAMES = {"actor_reserve_release_warm": ("engine", "one decision, a warm show"),
         "actor_reserve_release_cold/1000000": ("engine_cold", "one decision, 1,000,000 cold shows")}
BUDGETS = {"actor_reserve_release_warm": 50.0, "actor_reserve_release_cold/1000000": 250.0, "codec_decode_reserve": 200.0}


def engine(bench):
    micro = program("usher_micro")
    if not os.path.exists(micro):
        say("usher_micro is not built")
        return
    command = [micro, "--benchmark_format=json", f"--benchmark_min_time={0.01 if bench.smoke else 0.3}"]
    wanted = bench.options.filter or ("-/1000000$" if bench.smoke else "")  # a million shows take a while to open
    if wanted:
        command.append(f"--benchmark_filter={wanted}")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for entry in json.loads(done.stdout)["benchmarks"]:
        if "error_occurred" in entry:
            raise RuntimeError(f"{entry['name']}: {entry['error_message']}")
        if "allocations_per_decision" in entry:
            bench.add("engine_allocations", "allocations per decision", [], [entry["allocations_per_decision"]], 0.0, less_is_better=True,
                      may_be_zero=True, title="heap allocations in the steady state")
            continue
        scale = {"ns": 1.0, "us": 1e3, "ms": 1e6}[entry["time_unit"]]
        nanoseconds = entry["cpu_time"] * scale
        if "items_per_second" in entry:
            nanoseconds = 1e9 / entry["items_per_second"]
        name, title = NAMES.get(entry["name"], (f"engine_{entry['name']}", entry["name"].replace("_", " ")))
        bench.add(name, "ns", [], [nanoseconds], BUDGETS.get(entry["name"]), less_is_better=True, title=title)


PARTS = {"engine": engine}
