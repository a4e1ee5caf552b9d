"""How fast state comes back: records of the log per second and core, and a million shows from start to ready."""

import json
import subprocess

from driver.common import check_log, program, say, start

RECORDS_PER_S_MIN = 5_000_000
READY_S_MAX = 5.0


def records(bench):
    """The log of a real sale, replayed from its first record by one thread: read, checked, decoded and applied.

    The floor is the same without applying: what reading and checking alone cost.
    """
    batch = 1_000
    batches = bench.options.shows * 100 // batch if not bench.smoke else 10
    with bench.server() as server:
        say(f"making a log of {batches * batch:,} reservations")
        figure = bench.told(server, connections=4, mode="commands", batch=batch, requests=batches, seconds=0, warmup=0)
        server.kill()
        check_log(server)
        data = server.data

        def replay(*more):
            done = subprocess.run([program("usher_replay_rate"), "--data", data, *more], capture_output=True, text=True, check=True)
            return json.loads(done.stdout)

        found = replay()["records"]
        if found < figure["total"]["200"] * batch:
            raise RuntimeError(f"{found} records in the log, but {figure['total']['200'] * batch} reservations were told")
        floors, figures = bench.alternate(lambda: replay("--read-only")["records_per_s"], lambda: replay()["records_per_s"])
    bench.add("replay", "records/s", floors, figures, RECORDS_PER_S_MIN, budget_of="value", title="replay on one core", records=found,
              floor_is="reading and checking without applying")


def ready(bench):
    """From the start of the process to the first 200 of /readyz: after a clean stop, and after kill -9 in the middle of a sale."""
    shows = 1_000_000 if not bench.smoke else 2_000
    clean, killed = [], []
    for _ in range(bench.options.runs):
        with bench.server(data=bench.data_with(shows)) as server:
            clean.append(server.ready_s)
            bench.told(server, connections=64, shows=shows)
            server.kill()
            killed.append(start(server))
    bench.add("replay_shows_ready", "s", [], clean, READY_S_MAX, less_is_better=True, title=f"{shows:,} shows: start to ready", shows=shows)
    bench.add("replay_shows_ready_after_kill", "s", [], killed, READY_S_MAX, less_is_better=True, title=f"{shows:,} shows: kill -9 to ready", shows=shows)


PARTS = {"replay": records, "replay_shows_ready": ready}
