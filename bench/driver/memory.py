"""What an idle show of 200 seats costs in memory."""

import json
import re
import subprocess

from driver.common import program

BYTES_MAX = 256


def engine(bench):
    """The engine's own part: heap before and after opening shows in a process that has nothing else (bench/memory)."""
    shows = 1_000_000 if not bench.smoke else 10_000
    done = subprocess.run([program("usher_show_memory"), "--shows", str(shows)], capture_output=True, text=True, check=True)
    figure = json.loads(done.stdout)
    bench.add("memory", "bytes per show", [], [figure["bytes_per_show"]], BYTES_MAX, less_is_better=True, shows=shows,
              title="idle show of 200 seats, in the engine",
              resident_bytes_per_show=figure["resident_bytes_per_show"])


def process(bench):
    """All that a serving process holds more for each show: the engine's part, its catalog row with ids, and what finds it."""
    few, many = (100_000, 1_000_000) if not bench.smoke else (100, 2_000)
    resident = {}
    for shows in (few, many):
        with bench.server(data=bench.data_with(shows)) as server:
            resident[shows] = anonymous_bytes(server.process.pid)
    grown = (resident[many] - resident[few]) / (many - few)
    bench.add("memory_process", "bytes per show", [], [grown], may_be_zero=bench.smoke, shows=many,  # so few shows hide in one huge page
              title="the same, all of the process")


def anonymous_bytes(pid):
    """Resident memory of a process that is no file's."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"RssAnon:\s*(\d+) kB", file.read()).group(1)) * 1_024


PARTS = {"memory": engine, "memory_process": process}
