"""Durable reserve over HTTP, closed loop with 1,024, 256 and 64 connections, a lone client, and an open loop; the floor beside nginx."""

import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import tempfile

from driver.common import WARM_REQUESTS, Floor, check_201s, details, say, share_201, typical
from driver.processes import free_port, wait_for_port


def closed_loop(bench, name, connections, pipeline, budget):
    """Adds how many 201s per second so many connections get, beside the bare responder with the same requests."""
    runs = {"floor": [], "ours": []}

    def floor():
        with Floor("usher_floor_http") as responder:
            figure = bench.load(responder.port, WARM_REQUESTS, connections=connections, pipeline=pipeline)
        runs["floor"].append(figure)
        return figure["rate"]

    def ours():
        figure = bench.sale(WARM_REQUESTS, connections=connections, pipeline=pipeline)
        check_201s(figure, bench.smoke)
        runs["ours"].append(figure)
        return figure["rate_201"]

    floors, figures = bench.alternate(floor, ours)
    figure = typical(runs["ours"], "rate_201")
    title = f"durable reserve, {connections:,} connections" + (f", {pipeline} pipelined" if pipeline > 1 else "")
    bench.add(name, "201/s", floors, figures, budget, title=title, share_201=round(share_201(figure), 4),
              floor_curve=typical(runs["floor"], "rate")["curve"], **details(figure))


def lone(bench):
    """One client, one request at a time: its median latency beside one synced RocksDB put of a small blob."""
    runs = []

    def ours():
        runs.append(bench.sale(connections=1))
        check_201s(runs[-1], bench.smoke)
        return runs[-1]["us_p50"]

    floors, figures = bench.alternate(lambda: bench.log_floor(128)["us_p50"], ours)
    bench.add("http_reserve_lone", "us", floors, figures, 1.5, less_is_better=True, title="a lone client, median", floor_is="one sync",
              **details(typical(runs, "us_p50")))


def open_loop(bench):
    """People arrive at a steady rate whatever the server does; latencies count from the intended start."""
    rate, connections = (20_000, 5_000) if not bench.smoke else (2_000, 200)
    runs = []

    def ours():
        figure = bench.sale(WARM_REQUESTS, connections=connections, rate=rate)
        check_201s(figure, bench.smoke)
        if figure["rate"] < 0.95 * rate and not bench.smoke:
            raise RuntimeError(f"only {figure['rate']:.0f} of {rate} arrivals per second were served: {figure}")
        runs.append(figure)
        return figure["us_p99"] / 1e3

    syncs, figures = bench.alternate(lambda: bench.log_floor(128)["us_p999"] / 1e3, ours)
    more = {"rate_per_s": rate, "connections": connections, **details(typical(runs, "us_p99"))}
    bench.add("http_reserve_open_p99", "ms", [], figures, 5.0, less_is_better=True, title=f"{rate:,} arrivals/s, {connections:,} connections: p99", **more)
    budget = max(20.0, 3 * statistics.median(syncs))
    bench.add("http_reserve_open_p999", "ms", syncs, [figure["us_p999"] / 1e3 for figure in runs], round(budget, 3),
              less_is_better=True, budget_of="value", title=f"{rate:,} arrivals/s, {connections:,} connections: p99.9",
              floor_is="p99.9 of the bare sync loop", rate_per_s=rate, connections=connections)


def floor_beside_nginx(bench):
    """The floor is honest: it reaches nginx with a fixed answer, one worker, in the same run."""
    if not shutil.which("nginx"):
        say("nginx is not installed (tools/deps bench): the floor is not compared with it")
        return

    def floor():
        with nginx_responder(bench.folder) as port:
            return bench.load(port, connections=64)["rate"]

    def ours():
        with Floor("usher_floor_http") as responder:
            return bench.load(responder.port, connections=64)["rate"]

    nginxes, responders = bench.alternate(floor, ours)
    bench.add("http_reserve_floor_beside_nginx", "requests/s", nginxes, responders, 1.0, title="the floor beside nginx", floor_is="nginx")


@contextlib.contextmanager
def nginx_responder(folder):
    place, port = tempfile.mkdtemp(dir=folder), free_port()
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


PARTS = {
    "http_reserve_1024": lambda bench: closed_loop(bench, "http_reserve", 1_024, 1, 0.95),
    "http_reserve_256": lambda bench: closed_loop(bench, "http_reserve_256", 256, 1, 0.85),
    "http_reserve_64": lambda bench: closed_loop(bench, "http_reserve_64", 64, 1, 0.66),
    "http_reserve_lone": lone,
    "http_reserve_open": open_loop,
    "http_reserve_floor_beside_nginx": floor_beside_nginx,
}
