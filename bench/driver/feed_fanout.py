"""The live feed: the last of 15,000 readers of one show beside a bare send loop, memory per reader, and what the fan-out does to reserves."""

import contextlib
import json
import statistics
import subprocess

from driver.common import WARM_REQUESTS, Floor, check_201s, details, harness, program, typical
from driver.memory import anonymous_bytes

# Nobody is refused, and no memory is taken beforehand that could hide what readers need.
SETTINGS = {"feed.subscribers_max": "20000", "feed.per_address_max": "20000", "server.warm_memory": "0"}


def crowd(bench):
    return 15_000 if not bench.smoke else 200


class Readers:
    """`usher_feed_load` as a child: its readers are connected when this is entered; result() lets the changes begin and waits for their end."""

    def __init__(self, port, readers, **options):
        command = [program("usher_feed_load"), "--port", str(port), "--secret", harness.SECRET, "--readers", str(readers)]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        if self.process.stdout.readline() != "connected\n":
            raise RuntimeError(f"the readers did not connect: exit code {self.process.wait(10)}")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def begin(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def result(self):
        told, _ = self.process.communicate(timeout=300)
        if self.process.returncode != 0:
            raise RuntimeError(f"usher_feed_load ended with {self.process.returncode}")
        figure = json.loads(told)
        if figure["lost"]:
            raise RuntimeError(f"readers were lost: {figure}")
        return figure


def last_receipt(bench):
    """One seat changes: until the last reader knows, beside a loop that does nothing but send. The server's figure holds the reserve and its sync."""
    changes = {"changes": 11 if not bench.smoke else 3, "every_ms": 1_500 if not bench.smoke else 200}
    kept = {"message_bytes": 100}
    memory = []

    def floor():
        with Floor("usher_floor_feed", "--body", str(kept["message_bytes"])) as sender, Readers(sender.port, crowd(bench), **changes) as readers:
            readers.begin()
            return statistics.median(readers.result()["last_ms"])

    def ours():
        with bench.server(SETTINGS) as server:
            before = anonymous_bytes(server.process.pid)
            with Readers(server.port, crowd(bench), **changes) as readers:
                memory.append((anonymous_bytes(server.process.pid) - before) / crowd(bench))
                readers.begin()
                figure = readers.result()
        kept.update(figure)
        return statistics.median(figure["last_ms"])

    ours()  # for the size of the message
    memory.clear()
    floors, figures = bench.alternate(floor, ours)
    bench.add("feed_fanout", "ms", floors, figures, 1.25, less_is_better=True, title=f"a change reaches the last of {crowd(bench):,} readers",
              floor_is="a bare send loop", first_ms=round(statistics.median(kept["first_ms"]), 2), readers=crowd(bench),
              connect_s=kept["connect_s"], message_bytes=kept["message_bytes"])
    bench.add("feed_memory", "bytes", [], memory, 4_096, less_is_better=True, title="memory per reader", may_be_zero=True, readers=crowd(bench))


def reserve_beside(bench):
    """The tail of reserves at a steady rate, while a show changes five times a second before 15,000 readers, beside the same without readers."""
    rate, connections = (2_000, 256) if not bench.smoke else (500, 16)
    runs = {0: [], crowd(bench): []}

    def measured(readers):
        with bench.server(SETTINGS) as server, contextlib.ExitStack() as stack:
            seconds = bench.options.seconds + bench.options.warmup if not bench.smoke else 1
            told = stack.enter_context(Readers(server.port, max(readers, 1), show=f"load-{bench.options.shows - 1:05d}", every_ms=200, steady=1,
                                               changes=int(5 * (seconds + 4))))
            told.begin()
            figure = bench.load(server.port, 0 if bench.smoke else WARM_REQUESTS // 10, connections=connections, rate=rate, shows=bench.options.shows - 1)
            check_201s(figure, bench.smoke)
            figure["messages"] = told.result()["messages"]
        runs[readers].append(figure)
        return figure["us_p99"] / 1e3

    floors, figures = bench.alternate(lambda: measured(0), lambda: measured(crowd(bench)))
    bench.add("feed_reserve_p99", "ms", floors, figures, 2.0, less_is_better=True,
              title=f"reserve p99 while {crowd(bench):,} readers are told", floor_is="the same without readers", rate_per_s=rate, connections=connections,
              messages=typical(runs[crowd(bench)], "us_p99")["messages"], **details(typical(runs[crowd(bench)], "us_p99")))


PARTS = {"feed_fanout": last_receipt, "feed_reserve_p99": reserve_beside}
