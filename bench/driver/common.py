"""What all benches share: the floors and the server as children, the load client, turns of floor and ours, and the results.

Standard library only.
"""

import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.setdefault("USHER_BUILD", os.path.join(TOP, "build", "release"))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))
import harness  # noqa: E402

# So many requests come before the measured ones: by then each of the 20,000 users has shown the token once.
WARM_REQUESTS = 30_000


def say(text):
    print(f"[{time.monotonic() - harness.STARTED:6.1f} s] {text}", file=sys.stderr, flush=True)


def program(name):
    """The path of a built program."""
    return os.path.join(BUILD, name)


class Floor:
    """A program that prints "listening on 127.0.0.1:PORT", as a child."""

    def __init__(self, name, *arguments):
        self.process = subprocess.Popen([program(name), *arguments], stdout=subprocess.PIPE, text=True)
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
        self.catalogs = {}
        self.directories = {}
        self.servers = 0
        self.current = ""  # the bench that is running

    @property
    def smoke(self):
        return self.options.smoke

    def load(self, port, warmup_requests=0, **arguments):
        """Runs the load client against a port. Returns what it measured (bench/load/main.cpp)."""
        length = {"seconds": self.options.seconds, "warmup": self.options.warmup}
        if self.smoke:  # so many requests, however long they take: a busy machine must not matter
            length = {"seconds": 0, "warmup": 0, "requests": 20 if arguments.get("mode") == "commands" else 1_000}
        settings = {"shows": self.options.shows, **length, **arguments}
        command = [program("usher_load"), "--port", str(port), "--secret", harness.SECRET,
                   "--warmup-requests", str(0 if self.smoke else warmup_requests)]
        for name, value in settings.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return json.loads(done.stdout)

    def told(self, server, warmup_requests=0, **arguments):
        """Loads `server` and keeps what the client was told, for the check at its end. Returns what was measured, with CPU seconds."""
        server.told.append(os.path.join(server.folder, f"told-{len(server.told)}"))
        before = cpu_seconds(server.process.pid)
        figure = self.load(server.port, warmup_requests, told=server.told[-1], **arguments)
        figure["server_cpu_s"] = round(cpu_seconds(server.process.pid) - before, 2)
        figure["client_cpu_s"] = round(figure["cpu_user_s"] + figure["cpu_system_s"], 2)
        if figure["unanswered"] or figure["malformed"]:
            raise RuntimeError(f"{figure['unanswered']} requests without an answer, {figure['malformed']} malformed: {figure}")
        return figure

    def sale(self, warmup_requests=0, **arguments):
        """One load of a fresh server, whose log is checked afterwards. Returns what was measured."""
        with self.checked_server() as server:
            figure = self.told(server, warmup_requests, **arguments)
        figure["checked"] = server.checked
        return figure

    def catalog(self, shows, rows=10, row_seats=20):
        """The file of a catalog with so many shows of rows x row_seats seats."""
        hall = (shows, rows, row_seats)
        if hall not in self.catalogs:
            if shows >= 100_000:
                say(f"making a catalog of {shows:,} shows")
            self.catalogs[hall] = os.path.join(self.folder, f"catalog-{shows}x{rows}x{row_seats}.json")
            with open(self.catalogs[hall], "w", encoding="utf-8") as file:
                file.write(json.dumps(harness.make_catalog(*hall)))
        return self.catalogs[hall]

    def data_with(self, shows, rows=10, row_seats=20):
        """A data directory into which such a catalog was imported and nothing else; for copying, not for use."""
        hall = (shows, rows, row_seats)
        if hall not in self.directories:
            catalog = self.catalog(*hall)
            if shows >= 100_000:
                say(f"importing {shows:,} shows")
            place = os.path.join(self.folder, f"data-{shows}x{rows}x{row_seats}")
            done = harness.run_usher("import", "--data", place, catalog, timeout=900)
            if done.returncode != 0:
                raise RuntimeError(f"usher import: {done.stdout[-2000:]}{done.stderr[-2000:]}")
            self.directories[hall] = place
        return self.directories[hall]

    @contextlib.contextmanager
    def server(self, settings=None, data=None):
        """A fresh server over 200 free seats in each show, or one over a copy of the directory `data`."""
        self.servers += 1
        place = os.path.join(self.folder, f"server-{self.servers}")
        os.makedirs(place)
        if data:
            subprocess.run(["cp", "-r", "--reflink=auto", data, os.path.join(place, "data")], check=True)
        server = harness.Server(place, None if data else self.catalog(self.options.shows), settings)
        server.folder, server.told = place, []
        try:
            server.ready_s = start(server)
            yield server
        finally:
            if server.process and server.process.poll() is None:
                server.kill()
            shutil.rmtree(place, ignore_errors=True)

    @contextlib.contextmanager
    def checked_server(self, settings=None, data=None):
        """The same; at the end it is killed, and its log must be what `told()` was told. `server.checked` is what was compared."""
        with self.server(settings, data) as server:
            yield server
            server.kill()
            server.checked = check_log(server)

    def log_floor(self, size, records=1):
        """One thread that syncs blobs of `size` bytes to RocksDB, one after the other (bench/floors/rocksdb_committer.cpp)."""
        place = tempfile.mkdtemp(dir=self.folder)
        try:
            done = subprocess.run([program("usher_floor_log"), "--dir", place, "--bytes", str(size), "--records", str(records),
                                   "--seconds", str(self.options.seconds)], capture_output=True, text=True, check=True)
        finally:
            shutil.rmtree(place)
        return json.loads(done.stdout)

    def alternate(self, floor, ours):
        """A B B A ...: returns the two lists of what `floor()` and `ours()` measured."""
        figures = ([], [])
        for run in range(self.options.runs):
            for which in ((0, 1) if run % 2 == 0 else (1, 0)):
                figures[which].append((floor, ours)[which]())
        return figures

    def add(self, name, unit, floors, ours, budget=None, less_is_better=False, budget_of=None, title=None, may_be_zero=False,
            **more):
        """Adds a result: the median of `ours`, beside that of `floors` where there are any. `title` is for people.

        `budget` bounds the ratio to the floor where there is a floor, else the value; `budget_of` ("ratio" or "value") says otherwise.
        """
        if not may_be_zero and not all(figure > 0 for figure in (*ours, *floors)):
            raise RuntimeError(f"{name}: something measured is zero: {ours}, {floors}")
        value, floor = statistics.median(ours), statistics.median(floors) if floors else None
        ratio = value / floor if floor else None
        measured = ratio if (budget_of or ("ratio" if floors else "value")) == "ratio" else value
        if self.smoke:
            budget = None  # nothing was measured
        ok = None if budget is None else (measured <= budget if less_is_better else measured >= budget)
        self.results.append({
            "name": name, "bench": self.current, "title": title or name.replace("_", " "), "value": round(value, 3), "unit": unit, "floor": round(floor, 3) if floor else None,
            "ratio": round(ratio, 3) if ratio else None, "budget": budget,
            "budget_of": budget_of or ("ratio" if floors else "value"), "less_is_better": less_is_better, "ok": ok,
            "spread": spread(ours), "floor_spread": spread(floors), "runs": len(ours),
            "values": [round(figure, 3) for figure in ours], "floors": [round(figure, 3) for figure in floors], **more})
        say(f"{name}: {line_of(self.results[-1])}")


def typical(figures, key):
    """The run whose `key` is the median."""
    return sorted(figures, key=lambda figure: figure[key])[len(figures) // 2]


def details(figure):
    """What a result keeps of a typical run besides its value: latencies, throughput over time, what the two sides cost."""
    kept = {f"{name}_us": figure[f"us_{name}"] for name in ("p50", "p99", "p999")}
    kept |= {name: figure[name] for name in ("curve", "timeline", "client_cpu_s", "server_cpu_s", "checked") if name in figure}
    return kept


def start(server):
    """Starts a server. Returns the seconds until it was ready."""
    began = time.monotonic()
    server.start(ready_within=300)
    return time.monotonic() - began


def check_log(server):
    """A figure counts only when the log is whole, holds exactly what the client was told, and no seat is taken twice."""
    audit = harness.run_usher("audit", "--data", server.data)
    if audit.returncode != 0:
        raise RuntimeError(f"usher audit: {audit.stdout[-2000:]}{audit.stderr[-2000:]}")
    with subprocess.Popen([harness.USHER, "replay", "--data", server.data, "--reservations"], stdout=subprocess.PIPE) as replay:
        checked = subprocess.run([program("usher_check"), *server.told], stdin=replay.stdout, capture_output=True, text=True,
                                 timeout=600, check=False)
    if checked.returncode != 0 or replay.returncode != 0:
        raise RuntimeError(f"the log is not what the client was told: {checked.stderr}{checked.stdout}")
    return json.loads(checked.stdout)


def share_201(figure):
    answers = sum(figure["measured"].values())
    return figure["measured"].get("201", 0) / answers if answers else 0.0


def check_201s(figure, smoke):
    """A figure counts only when 201s are at least 90 % of the answers and the seats did not run out."""
    if share_201(figure) < 0.9:
        raise RuntimeError(f"only {share_201(figure):.0%} of the answers are 201: {figure}")
    check_seats_left(figure, smoke)


def check_alternating(figure):
    """Reserve and DELETE in turn: each must be answered 201 or 204, all but one in a thousand."""
    good = figure["measured"].get("201", 0) + figure["measured"].get("204", 0)
    if good < 0.999 * sum(figure["measured"].values()):
        raise RuntimeError(f"not all answers are 201 or 204: {figure}")


def check_seats_left(figure, smoke):
    if figure["walk_ended"] and not smoke:
        raise RuntimeError(f"the seats ran out: fewer seconds, or more shows: {figure}")


def spread(figures):
    """Largest minus smallest, as a share of the median."""
    return round((max(figures) - min(figures)) / statistics.median(figures), 3) if figures and any(figures) else None


def line_of(result):
    """A result as one line for people."""
    text = f"{result['value']:,.1f} {result['unit']}"
    if result["spread"]:
        text += f" (spread {result['spread']:.0%})"
    if result["floor"]:
        text += f", floor {result['floor']:,.1f} ({result['floor_spread']:.0%}), ratio {result['ratio']:.2f}"
    if result["budget"] is not None:
        text += f", budget {'<=' if result['less_is_better'] else '>='} {result['budget']}: {'ok' if result['ok'] else 'MISSED'}"
    if "p50_us" in result:
        text += f"; p50 {result['p50_us'] / 1e3:.2f} p99 {result['p99_us'] / 1e3:.2f} ms"
    if "client_cpu_s" in result:
        text += f"; cpu client {result['client_cpu_s']} s, server {result['server_cpu_s']} s"
    return text
