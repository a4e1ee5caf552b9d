"""The driver behind tools/bench: runs floor and ours in turn and reports medians, spread, ratio and budget.

Every figure is a ratio against a bare limit measured in the same run (DESIGN 10). Standard library only.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.setdefault("USHER_BUILD", os.path.join(TOP, "build", "release"))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))
import harness  # noqa: E402

# name: (connections, pipelined, budget as a share of the floor)
RESERVE = {
    "reserve_1024": (1_024, 1, 0.95),
    "reserve_256": (256, 1, 0.85),
    "reserve_64": (64, 1, 0.66),
    "reserve_64_pipelined_16": (64, 16, 0.60),
}
# So many requests come before the measured ones: by then each of the 20,000 users has shown the token once.
WARM = 30_000
# What micro benches may cost, in ns (DESIGN 10).
MICRO_BUDGETS = {"actor_reserve_release_warm": 50.0, "actor_reserve_release_cold/1000000": 250.0, "codec_decode_reserve": 200.0}


def say(text):
    print(f"[{time.monotonic() - harness.STARTED:6.1f} s] {text}", file=sys.stderr, flush=True)


class Floor:
    """A program that prints "listening on 127.0.0.1:PORT", as a child."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([os.path.join(BUILD, program), *arguments], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    """One run of the whole: options, scratch folder and results."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.results = []
        self.catalog = None
        self.servers = 0

    def load(self, port, warmup_requests=0, **arguments):
        command = [os.path.join(BUILD, "usher_load"), "--port", str(port), "--secret", harness.SECRET,
                   "--shows", str(self.options.shows), "--seconds", str(self.options.seconds), "--warmup", str(self.options.warmup),
                   "--warmup-requests", str(0 if self.options.smoke else warmup_requests)]
        for name, value in arguments.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def server(self, settings=None):
        """A fresh server over `shows` x 200 free seats."""
        if self.catalog is None:
            self.catalog = harness.write_json(os.path.join(self.folder, "catalog.json"), harness.make_catalog(self.options.shows))
        self.servers += 1
        place = os.path.join(self.folder, f"server-{self.servers}")
        os.makedirs(place)
        server = harness.Server(place, self.catalog, settings)
        try:
            with server:
                yield server
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def alternate(self, floor, ours):
        """A B B A ...: returns the two lists of what `floor()` and `ours()` measured."""
        figures = ([], [])
        for run in range(self.options.runs):
            for which in ((0, 1) if run % 2 == 0 else (1, 0)):
                figures[which].append((floor, ours)[which]())
        return figures

    def add(self, name, unit, floors, ours, budget, less_is_better=False, **more):
        value, floor = statistics.median(ours), statistics.median(floors) if floors else None
        ratio = value / floor if floor else None
        measured = ratio if floors else value
        if self.options.smoke:
            budget = None  # nothing was measured
        ok = None if budget is None else (measured <= budget if less_is_better else measured >= budget)
        self.results.append({
            "name": name, "value": round(value, 3), "unit": unit, "floor": round(floor, 3) if floor else None,
            "ratio": round(ratio, 3) if ratio else None, "budget": budget, "less_is_better": less_is_better, "ok": ok,
            "spread": spread(ours), "floor_spread": spread(floors), "runs": len(ours), **more})
        say(f"{name}: {line_of(self.results[-1])}")

    # --- the figures ---

    def reserve(self, name):
        connections, pipelined, budget = RESERVE[name]
        details = []

        def floor():
            with Floor("usher_floor_http") as responder:
                return self.load(responder.port, WARM, connections=connections, pipeline=pipelined)["rate"]

        def ours():
            with self.server() as server:
                before = cpu_seconds(server.process.pid)
                figure = self.load(server.port, WARM, connections=connections, pipeline=pipelined)
                figure["server_cpu_s"] = cpu_seconds(server.process.pid) - before
            check_201s(figure, self.options.smoke)
            details.append(figure)
            return figure["rate_201"]

        floors, figures = self.alternate(floor, ours)
        typical = sorted(details, key=lambda f: f["rate_201"])[len(details) // 2]
        self.add(name, "201/s", floors, figures, budget, p50_us=typical["us_p50"], p99_us=typical["us_p99"],
                 p999_us=typical["us_p999"], client_cpu_s=round(typical["cpu_user_s"] + typical["cpu_system_s"], 2),
                 server_cpu_s=round(typical["server_cpu_s"], 2), share_201=round(share_201(typical), 4))

    def hot(self, name):
        """One hot show: 100 connections alternate reserve and DELETE for two seats each."""
        def floor():
            with Floor("usher_floor_http") as responder:
                return self.load(responder.port, connections=100)["rate"]

        def ours():
            with self.server() as server:
                return self.load(server.port, connections=100, mode="hot")["rate"]

        floors, figures = self.alternate(floor, ours)
        self.add(name, "requests/s", floors, figures, None)

    def lone(self, name):
        """One client, one request at a time: its median latency beside one synced RocksDB put of a small blob."""
        def ours():
            with self.server() as server:
                return self.load(server.port, connections=1)["us_p50"]

        floors, figures = self.alternate(lambda: self.log_floor(128)["us_p50"], ours)
        self.add(name, "us", floors, figures, 1.5, less_is_better=True)

    def log_floor(self, size, records=1):
        place = tempfile.mkdtemp(dir=self.folder)
        done = subprocess.run([os.path.join(BUILD, "usher_floor_log"), "--dir", place, "--bytes", str(size), "--records", str(records),
                               "--seconds", str(self.options.seconds)], capture_output=True, text=True, check=True)
        shutil.rmtree(place)
        return json.loads(done.stdout)

    def commands(self, name):
        """Batches of 1,000 reserves, durable, beside RocksDB syncing blobs of 64 kB with 1,000 records each."""
        def ours():
            with self.server() as server:
                figure = self.load(server.port, connections=4, mode="commands", batch=1_000 if not self.options.smoke else 50)
            if figure["walk_ended"] and not self.options.smoke:
                raise RuntimeError(f"the seats ran out: fewer seconds, or more shows: {figure}")
            return figure["lines_201_rate"]

        floors, figures = self.alternate(lambda: self.log_floor(65_536, 1_000)["records_per_s"], ours)
        self.add(name, "201/s", floors, figures, 0.60)

    def seats(self, name):
        """The map of 200 seats, beside a responder that sends a body of the same size."""
        with self.server() as server:
            body = int(server.request("GET", "/shows/load-00000/seats")[1]["Content-Length"])

        def floor():
            with Floor("usher_floor_http", "--body", str(body)) as responder:
                return self.load(responder.port, connections=64, mode="seats")["rate"]

        def ours():
            with self.server() as server:
                return self.load(server.port, connections=64, mode="seats")["rate"]

        floors, figures = self.alternate(floor, ours)
        self.add(name, "maps/s", floors, figures, 0.80, body_bytes=body)

    def nginx(self, name):
        """The floor is honest: it reaches nginx with a fixed answer, one worker, in the same run."""
        if not shutil.which("nginx"):
            say("nginx is not installed (tools/deps bench): the floor is not compared with it")
            return

        def floor():
            with nginx_responder(self.folder) as port:
                return self.load(port, connections=64)["rate"]

        def ours():
            with Floor("usher_floor_http") as responder:
                return self.load(responder.port, connections=64)["rate"]

        nginxes, responders = self.alternate(floor, ours)
        self.add(name, "requests/s", nginxes, responders, 1.0)

    def log(self, name):
        for label, size, records in (("log_floor_64B", 64, 1), ("log_floor_64kB", 65_536, 1_000)):
            figures = [self.log_floor(size, records) for _ in range(self.options.runs)]
            self.add(label, "us per sync", [], [f["us_p50"] for f in figures], None)

    def micro(self, name):
        program = os.path.join(BUILD, "usher_micro")
        if not os.path.exists(program):
            say("usher_micro is not built")
            return
        command = [program, "--benchmark_format=json", f"--benchmark_min_time={0.01 if self.options.smoke else 0.3}"]
        wanted = self.options.filter or ("-/1000000$" if self.options.smoke else "")  # a million shows take a while to open
        if wanted:
            command.append(f"--benchmark_filter={wanted}")
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        for entry in json.loads(done.stdout)["benchmarks"]:
            scale = {"ns": 1.0, "us": 1e3, "ms": 1e6}[entry["time_unit"]]
            nanoseconds = entry["cpu_time"] * scale
            if "items_per_second" in entry:
                nanoseconds = 1e9 / entry["items_per_second"]
            self.add(f"micro/{entry['name']}", "ns", [], [nanoseconds], MICRO_BUDGETS.get(entry["name"]), less_is_better=True)


def share_201(figure):
    answers = sum(figure["measured"].values())
    return figure["measured"].get("201", 0) / answers if answers else 0.0


def check_201s(figure, smoke):
    """A figure counts only when 201s are at least 90 % of the answers and the seats did not run out."""
    if share_201(figure) < 0.9:
        raise RuntimeError(f"only {share_201(figure):.0%} of the answers are 201: {figure}")
    if figure["walk_ended"] and not smoke:
        raise RuntimeError(f"the seats ran out: fewer seconds, or more shows: {figure}")


def spread(figures):
    """Largest minus smallest, as a share of the median."""
    return round((max(figures) - min(figures)) / statistics.median(figures), 3) if figures else None


@contextlib.contextmanager
def nginx_responder(folder):
    place = tempfile.mkdtemp(dir=folder)
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = os.path.join(place, "nginx.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"""daemon off; worker_processes 1; pid {place}/pid; error_log {place}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {place}/body; proxy_temp_path {place}/p;
fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
server {{ listen 127.0.0.1:{port}; location / {{ return 201 "xxxxxxxxxxxxxxxxxxxx"; }} }} }}""")
    process = subprocess.Popen(["nginx", "-c", config, "-p", place], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def wait_for_port(port):
    for _ in range(500):
        with contextlib.suppress(OSError), contextlib.closing(socket.create_connection(("127.0.0.1", port), 1)):
            return
        time.sleep(0.01)
    raise RuntimeError(f"nobody listens on {port}")


def line_of(result):
    text = f"{result['value']:,.1f} {result['unit']}"
    if result["spread"]:
        text += f" (spread {result['spread']:.0%})"
    if result["floor"]:
        text += f", floor {result['floor']:,.1f} ({result['floor_spread']:.0%}), ratio {result['ratio']:.2f}"
    if result["budget"] is not None:
        text += f", budget {'<=' if result['less_is_better'] else '>='} {result['budget']}: {'ok' if result['ok'] else 'MISSED'}"
    if "p50_us" in result:
        text += f"; p50 {result['p50_us'] / 1e3:.2f} p99 {result['p99_us'] / 1e3:.2f} ms"
        text += f"; cpu client {result['client_cpu_s']} s, server {result['server_cpu_s']} s"
    return text


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


FIGURES = {**{name: Bench.reserve for name in RESERVE}, "lone": Bench.lone, "hot": Bench.hot, "seats": Bench.seats, "commands": Bench.commands,
           "nginx": Bench.nginx, "log": Bench.log, "micro": Bench.micro}


def parse_options():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}; `reserve` is all four; none: all")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: shows that everything runs, measures nothing")
    parser.add_argument("--runs", type=int, default=5, help="of floor and ours each (default 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="measured per run (default 2)")
    parser.add_argument("--shows", type=int, default=15_000, help="of 200 seats (default 15,000)")
    parser.add_argument("--filter", default="", help="of the micro benches, a regular expression")
    parser.add_argument("--report", default=os.path.join(TOP, "build", "bench", "report.json"))
    options = parser.parse_args()
    options.warmup = 0.2
    if options.smoke:
        options.runs, options.seconds, options.shows, options.warmup = 1, 0.2, 1_000, 0.02
    names = []
    for name in options.names or FIGURES:
        if name == "reserve":
            names += list(RESERVE)
        elif name in FIGURES:
            names.append(name)
        else:
            parser.error(f"no such figure: {name}; there are {', '.join(FIGURES)}")
    options.names = names
    return options


def main():
    options = parse_options()
    report = {"machine": machine(), "results": []}
    folder = tempfile.mkdtemp(prefix="usher-bench.")
    try:
        bench = Bench(options, folder)
        for name in options.names:
            FIGURES[name](bench, name)
        report["results"] = bench.results
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.dirname(options.report), exist_ok=True)
    with open(options.report, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
    print()
    for result in report["results"]:
        print(f"{result['name']:36} {line_of(result)}")
    print(f"\nreport: {os.path.relpath(options.report)}")


if __name__ == "__main__":
    main()
