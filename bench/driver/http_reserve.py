"""Durable reserve over HTTP: 1,024, 256 and 64 connections and a lone client, each beside its floor; and the floor beside nginx."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from driver.common import WARM_REQUESTS, Floor, check_201s, cpu_seconds, say, share_201


def closed_loop(bench, name, connections, pipeline, budget):
    """Adds how many 201s per second so many connections get, beside the bare responder with the same requests."""
    details = []

    def floor():
        with Floor("usher_floor_http") as responder:
            return bench.load(responder.port, WARM_REQUESTS, connections=connections, pipeline=pipeline)["rate"]

    def ours():
        with bench.server() as server:
            before = cpu_seconds(server.process.pid)
            figure = bench.load(server.port, WARM_REQUESTS, connections=connections, pipeline=pipeline)
            figure["server_cpu_s"] = cpu_seconds(server.process.pid) - before
        check_201s(figure, bench.smoke)
        details.append(figure)
        return figure["rate_201"]

    floors, figures = bench.alternate(floor, ours)
    typical = sorted(details, key=lambda f: f["rate_201"])[len(details) // 2]
    bench.add(name, "201/s", floors, figures, budget, p50_us=typical["us_p50"], p99_us=typical["us_p99"],
              p999_us=typical["us_p999"], client_cpu_s=round(typical["cpu_user_s"] + typical["cpu_system_s"], 2),
              server_cpu_s=round(typical["server_cpu_s"], 2), share_201=round(share_201(typical), 4))


def lone(bench):
    """One client, one request at a time: its median latency beside one synced RocksDB put of a small blob."""
    def ours():
        with bench.server() as server:
            return bench.load(server.port, connections=1)["us_p50"]

    floors, figures = bench.alternate(lambda: bench.log_floor(128)["us_p50"], ours)
    bench.add("http_reserve_lone", "us", floors, figures, 1.5, less_is_better=True)


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
    bench.add("http_reserve_floor_beside_nginx", "requests/s", nginxes, responders, 1.0)


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


PARTS = {
    "http_reserve_1024": lambda bench: closed_loop(bench, "http_reserve", 1_024, 1, 0.95),
    "http_reserve_256": lambda bench: closed_loop(bench, "http_reserve_256", 256, 1, 0.85),
    "http_reserve_64": lambda bench: closed_loop(bench, "http_reserve_64", 64, 1, 0.66),
    "http_reserve_lone": lone,
    "http_reserve_floor_beside_nginx": floor_beside_nginx,
}
