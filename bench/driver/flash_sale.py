"""Flash sales: people who come at once, choose among the same seats, pay, leave or cancel; reconciled with all that the server remembers.

One part per scenario of bench/flash_sale/scenarios. A sale counts only when everything agrees; its latencies count from the moment when a
person meant to act.
"""

import json
import os
import subprocess

from driver.common import TOP, program, say

SCENARIOS = ("blockbuster", "one_hot_show", "steady_browse", "hold_and_abandon", "cancel_wave")
# What a smoke sale is cut down to.
SMOKE = ("--people", "100", "--time-scale", "3000", "--connections", "30", "--set", "policy.reservation_ttl=1s")


def hold(bench, name):
    """One sale on a server of its own. Returns its report."""
    path = os.path.join(bench.folder, f"flash-{name}.json")
    command = [program("usher_bench"), "sale", os.path.join(TOP, "bench", "flash_sale", "scenarios", f"{name}.toml"), "--plain",
               "--report", path, *(SMOKE if bench.smoke else ())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stderr:
            lines.append(line.rstrip())
            if not bench.smoke:
                say(f"  {lines[-1]}")
        said = process.stdout.read()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {said[-3000:]} {lines[-3:]}")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def sale(name):
    def part(bench):
        told = hold(bench, name)
        reserve = told["calls"]["reserve"]
        latency = reserve["latency"]
        agreed = told["reconciled"]
        true = 1 - (len(agreed["differences"]) + len(told["complaints"])) / told["answers"]
        bench.add(f"flash_sale_{name}", "of all words kept", [], [true], 1.0,
                  p50_us=latency["p50_ms"] * 1_000, p99_us=latency["p99_ms"] * 1_000, p999_us=latency["p999_ms"] * 1_000,
                  curve=reserve["curve"], timeline=[second["answers"] / 10 for second in told["series"] for _ in range(10)],
                  client_cpu_s=told["client_cpu_s"], server_cpu_s=told["server_cpu_s"], people=told["people"],
                  outcomes=told["outcomes"], reserve=reserve["by_status"], generator_late_ms=told["generator_late"]["p99_ms"],
                  seconds=told["seconds"], answers=told["answers"], series=told["series"],
                  checked={key: agreed[key] for key in ("seats", "seats_sold", "bookings", "reservations", "refunds", "unknown", "log")})
    return part


PARTS = {f"flash_sale_{name}": sale(name) for name in SCENARIOS}
