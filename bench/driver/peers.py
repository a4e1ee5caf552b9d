"""The textbook's stacks side by side with ours in the same run: Redis 7 (Lua) and PostgreSQL 15 (row locks, a version column).

The same all-or-nothing reserve of two seats, the same closed loop, the same number of clients; spread over all shows, and on one hot
show whose clients alternate reserve and release of seats of their own. Only reserves that succeed count. The peers are driven natively
(hiredis, libpq), we through HTTP with JSON and a signed token. What favours whom stands in bench/README.md.
"""

import contextlib
import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from driver.common import TOP, WARM_REQUESTS, check_alternating, check_201s, details, program, say, typical
from driver.processes import free_port, wait_for_port

ROWS, ROW_SEATS = 26, 20
PAIRS = ROWS * ROW_SEATS // 2  # of seats side by side in a show; 256 clients of one show have seats of their own
# contender -> (workload -> budget): how many times as fast we must be.
BUDGETS = {
    "redis_always": {(64, "spread"): 2.5, (64, "hot"): 2.5, (256, "spread"): 3.5, (256, "hot"): 3.5},
    "redis_everysec": {},  # it promises less than we do: what was told may be gone after a crash
    "postgres_locks": {(64, "spread"): 10.0, (64, "hot"): 20.0, (256, "spread"): 10.0, (256, "hot"): 20.0},
    "postgres_versions": {(64, "spread"): 10.0, (64, "hot"): 20.0, (256, "spread"): 10.0, (256, "hot"): 20.0},
}


TITLES = {"redis_always": "Redis, AOF always", "redis_everysec": "Redis, AOF everysec", "postgres_locks": "PostgreSQL, row locks",
          "postgres_versions": "PostgreSQL, version column"}


class Ours:
    """usher, a fresh server for each run."""

    def __init__(self, bench):
        self.bench = bench

    def run(self, clients, hot):
        with self.bench.checked_server(data=self.bench.data_with(show_count(self.bench), ROWS, ROW_SEATS)) as server:
            figure = self.bench.told(server, 0 if hot else WARM_REQUESTS, connections=clients, shows=show_count(self.bench),
                                     rows=ROWS, row_seats=ROW_SEATS, mode="hot" if hot else "reserve")
        check_alternating(figure) if hot else check_201s(figure, self.bench.smoke)
        return figure


class Redis:
    """A fresh Redis for each run, its append-only file synced `always` or `everysec`."""

    def __init__(self, bench, appendfsync):
        self.bench, self.appendfsync = bench, appendfsync

    def run(self, clients, hot):
        with self.server() as port:
            figure = drive(self.bench, "usher_peer_redis", port, clients, hot)
            keys = subprocess.run(["redis-cli", "-p", str(port), "dbsize"], capture_output=True, text=True, check=True).stdout
        check_held("Redis", figure, int(keys))
        return figure

    @contextlib.contextmanager
    def server(self):
        place, port = tempfile.mkdtemp(dir=self.bench.folder), free_port()
        process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", place, "--save", "", "--appendonly", "yes",
             "--appendfsync", self.appendfsync, "--auto-aof-rewrite-percentage", "0", "--tcp-backlog", "1024", "--loglevel", "warning"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_port(port, process)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            shutil.rmtree(place, ignore_errors=True)


class Postgres:
    """One PostgreSQL for all runs: the walk over the seats goes on where the last run left it."""

    def __init__(self, bench, port, user):
        self.bench, self.port, self.user, self.offset, self.held = bench, port, user, 0, 0

    def run(self, clients, hot, how):
        figure = drive(self.bench, "usher_peer_postgres", self.port, clients, hot, user=self.user, how=how, offset=0 if hot else self.offset)
        if not hot:
            self.offset = figure["next"]
        self.held += figure["held"]
        held = psql(self.user, self.port, "-c", "SELECT count(*) FROM seats WHERE reservation IS NOT NULL")
        check_held("PostgreSQL", {**figure, "held": self.held}, int(held))
        return figure


def show_count(bench):
    return 6_000 if not bench.smoke else 50


def drive(bench, client, port, clients, hot, **more):
    """Runs a peer's client. Returns what it measured."""
    settings = {"port": port, "clients": clients, "hot": int(hot), "shows": show_count(bench), "pairs": PAIRS,
                "seconds": bench.options.seconds, "warmup": bench.options.warmup, "requests": 1_000 if bench.smoke else 0, **more}
    command = [program(client)] + [text for name, value in settings.items() for text in (f"--{name}", str(value))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    figure = json.loads(done.stdout)
    figure["client_cpu_s"] = round(figure["cpu_user_s"] + figure["cpu_system_s"], 2)
    if figure["walk_ended"] or figure["refused"] > 0.01 * figure["held"] + 100:
        raise RuntimeError(f"{client}: the seats ran out, or too many refusals: {figure}")
    return figure


def check_held(who, figure, seats):
    """The peers' figures are checked too: what its client was told is what the peer holds."""
    if seats != 2 * figure["held"]:
        raise RuntimeError(f"{who} holds {seats} seats, its client was told of {figure['held']} reservations")


def postgres_bin():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    if not found:
        raise RuntimeError("PostgreSQL is not installed (tools/deps bench)")
    return os.path.dirname(found[-1])


def wait_until_serving(port, within=60):
    ready = [os.path.join(postgres_bin(), "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    deadline = time.monotonic() + within
    while subprocess.run(ready, check=False).returncode != 0:
        if time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not serve within {within} s")
        time.sleep(0.05)


def psql(user, port, *arguments):
    done = subprocess.run([os.path.join(postgres_bin(), "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port),
                           "-U", user, "postgres", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"psql: {done.stderr}")
    return done.stdout.strip()


@contextlib.contextmanager
def postgres(bench):
    """A PostgreSQL in a temporary folder, loaded with all seats. It does not run as root: then as `postgres`, else as who we are."""
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    place, port = tempfile.mkdtemp(prefix="usher-bench-postgres."), free_port()
    who = {}
    if os.getuid() == 0:
        os.chown(place, user.pw_uid, user.pw_gid)
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    folder = os.path.join(place, "data")
    settings = {  # for one run of minutes: no checkpoint and no cleaning in the middle of it; all of these favour PostgreSQL
        "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": place, "max_connections": 300,
        "shared_buffers": "1GB", "wal_buffers": "64MB", "max_wal_size": "32GB", "checkpoint_timeout": "1h", "autovacuum": "off",
        "jit": "off", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "logging_collector": "off",
    }
    if bench.smoke:
        settings["shared_buffers"] = "64MB"
    process = None
    try:
        subprocess.run([os.path.join(postgres_bin(), "initdb"), "-D", folder, "-U", "usher", "--auth=trust", "--no-sync", "-E", "UTF8",
                        "--locale=C"], check=True, stdout=subprocess.DEVNULL, cwd=place, **who)
        command = [os.path.join(postgres_bin(), "postgres"), "-D", folder]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with open(os.path.join(place, "log"), "wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=place, **who)
        wait_for_port(port, process)
        wait_until_serving(port)
        say(f"loading {show_count(bench) * PAIRS * 2:,} seats into PostgreSQL")
        psql("usher", port, "-v", f"shows={show_count(bench) + 1}", "-v", f"seats={PAIRS * 2}",
             "-f", os.path.join(TOP, "bench", "peers", "postgres.sql"))
        yield Postgres(bench, port, "usher")
    finally:
        if process:
            process.send_signal(signal.SIGQUIT)  # no checkpoint: the folder goes anyway
            process.wait()
        shutil.rmtree(place, ignore_errors=True)


def side_by_side(bench):
    """All contenders take turns on each workload, forth and back."""
    with postgres(bench) as database:
        contenders = {
            "ours": Ours(bench).run,
            "redis_always": Redis(bench, "always").run,
            "redis_everysec": Redis(bench, "everysec").run,
            "postgres_locks": lambda clients, hot: database.run(clients, hot, "locks"),
            "postgres_versions": lambda clients, hot: database.run(clients, hot, "versions"),
        }
        margins = []
        for clients in (64, 256) if not bench.smoke else (64,):
            for workload in ("spread", "hot"):
                figures = take_turns(bench, contenders, clients, workload)
                margins += add_results(bench, figures, clients, workload)
    bench.add("peers", "x", [], [min(margins)], 1.0, title="all peers: times the budget, at the least", worst_of=len(margins))


def take_turns(bench, contenders, clients, workload):
    figures = {name: [] for name in contenders}
    for run in range(bench.options.runs):
        say(f"peers: {clients} clients, {'one hot show' if workload == 'hot' else 'spread over all shows'}, run {run + 1}")
        for name in list(contenders) if run % 2 == 0 else reversed(contenders):
            figures[name].append(contenders[name](clients, workload == "hot"))
    return figures


def add_results(bench, figures, clients, workload):
    """Adds one result per peer, the peer in the floor's place. Returns by how much each budget is met, 1.0 being just so."""
    margins = []
    ours = [figure["rate_201"] for figure in figures["ours"]]
    for peer, budgets in BUDGETS.items():
        theirs = [figure["rate_201"] for figure in figures[peer]]
        budget = budgets.get((clients, workload))
        peer_figure = typical(figures[peer], "rate_201")
        bench.add(f"peers_{peer}_{workload}_{clients}", "201/s", theirs, ours, budget, floor_is=TITLES[peer],
                  title=f"{clients} clients, " + ("one hot show" if workload == "hot" else "all shows") + f", beside {TITLES[peer]}", peer=peer, workload=workload, clients=clients, floor_curve=peer_figure["curve"],
                  floor_p99_us=peer_figure["us_p99"], floor_client_cpu_s=peer_figure["client_cpu_s"],
                  **details(typical(figures["ours"], "rate_201")))
        if budget:
            margins.append(bench.results[-1]["ratio"] / budget)
    return margins


PARTS = {"peers": side_by_side}
