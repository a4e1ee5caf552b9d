"""What the tests that drive the real program share: catalogs, tokens, the server as a process, requests, and counting.

A test calls check() for each thing that must hold and finish() at the end. Standard library only.
"""

import base64
import contextlib
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("USHER_BUILD", os.path.join(TOP, "build", "release"))
USHER = os.path.join(BUILD, "usher")
USHER_LOAD = os.path.join(BUILD, "usher_load")
EPOLL = {"http.io_uring": "false"} if os.environ.get("USHER_TEST_EPOLL") == "1" else {}  # else io_uring where the kernel offers it
THOROUGH = os.environ.get("USHER_THOROUGH") == "1"
SECRET = "a-secret-of-the-tests-0123456789ab"
STARTED = time.monotonic()


class Count:
    """How many checks passed and failed in this process. Thread-safe."""

    lock = threading.Lock()
    passed = 0
    failed = 0


def say(text):
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}", flush=True)


def check(condition, what):
    """One thing that must hold. Returns whether it did."""
    with Count.lock:
        if condition:
            Count.passed += 1
        else:
            Count.failed += 1
            if Count.failed <= 40:
                print(f"FAILED: {what}", flush=True)
    return bool(condition)


def finish():
    print(f"{Count.passed} checks passed, {Count.failed} failed", flush=True)
    sys.exit(1 if Count.failed or not Count.passed else 0)


@contextlib.contextmanager
def temp_folder():
    folder = tempfile.mkdtemp(prefix="usher-test.")
    try:
        yield folder
    finally:
        if os.environ.get("USHER_KEEP") == "1":
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign_token(claims, secret=SECRET, header=None):
    head = base64url(json.dumps(header or {"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode())
    body = base64url(json.dumps(claims, separators=(",", ":")).encode())
    mac = hmac.new(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64url(mac)}"


def token(user, role="customer", lifetime=86_400):
    now = int(time.time())
    return sign_token({"sub": user, "role": role, "iat": now, "exp": now + lifetime})


def rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def seat_names(rows, row_seats):
    return [f"{chr(ord('A') + row)}{number}" for row in range(rows) for number in range(1, row_seats + 1)]


def make_catalog(shows, rows=10, row_seats=20, prefix="load-", starts_in_hours=48, extra_shows=()):
    """A document of `shows` shows, 100 to a screen and three hours apart, all halls alike. Ids: PREFIX00000 ..."""
    first = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
    first += datetime.timedelta(hours=starts_in_hours)
    per_screen = 100
    screens = [f"{prefix}screen-{n}" for n in range((shows + per_screen - 1) // per_screen)]
    hall = {"layout_id": f"{prefix}hall", "rows": [{"row": f"A-{chr(ord('A') + rows - 1)}", "seats": f"{row_seats}S"}]}
    listed = [{
        "show_id": f"{prefix}{n:05d}", "movie_id": f"{prefix}movie", "screen_id": screens[n // per_screen],
        "start_time": rfc3339(first + datetime.timedelta(hours=3 * (n % per_screen))),
        "price_standard": {"amount": 1500, "currency": "USD"}, "price_premium": {"amount": 2200, "currency": "USD"},
    } for n in range(shows)]
    theater = {
        "theater_id": f"{prefix}theater", "name": "Load Theater", "chain": "Load", "city": "Berlin", "city_id": "berlin",
        "address": "Somewhere 1", "latitude": 52.52, "longitude": 13.405, "time_zone": "Europe/Berlin",
        "screens": [{"screen_id": s, "name": s, "layout_id": hall["layout_id"]} for s in [*screens, *(s for s, _ in extra_shows)]],
    }
    for screen, show in extra_shows:
        listed.append({**listed[0], **show, "screen_id": screen})
    movie = {"movie_id": f"{prefix}movie", "title": "The Load", "description": "A test.", "duration_minutes": 100,
             "genre": "Drama", "language": "en", "release_date": "2024-01-01", "rating": "PG"}
    return {"layouts": [hall], "movies": [movie], "theaters": [theater], "shows": listed}


def write_json(path, document):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file)
    return path


class Server:
    """`usher serve` as a child, on a port of the system's choice, with its output in a file."""

    def __init__(self, folder, catalog=None, settings=None, name="usher"):
        self.data = os.path.join(folder, "data")
        self.log = os.path.join(folder, f"{name}.log")
        self.catalog = catalog
        self.settings = {"http.address": "127.0.0.1", "http.port": "0", "identity.hs256_secret": SECRET, **EPOLL, **(settings or {})}
        self.wrapper = []      # a program and its arguments that run the server, as `fiu-run`
        self.environment = {}  # beside that of the test
        self.process = None
        self.port = 0

    def command(self):
        os.makedirs(self.data, exist_ok=True)
        return [*self.wrapper, USHER, "serve", "--data", self.data, *(["--catalog", self.catalog] if self.catalog else [])]

    def start(self, ready_within=60):
        command = self.command()
        for key, value in self.settings.items():
            command += ["--set", f"{key}={value}"]
        begin = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                            env={**os.environ, **self.environment})
        deadline = time.monotonic() + ready_within
        self.port = 0
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"usher ended with {self.process.returncode}:\n{self.output(begin)[-3000:]}")
            if not self.port:
                found = re.search(r"listening on https?://[^\s/]*?:(\d+)", self.output(begin))
                self.port = int(found.group(1)) if found else 0
            if self.port and self.is_ready():
                return self
            time.sleep(0.01)
        raise RuntimeError(f"usher was not ready within {ready_within} s:\n{self.output(begin)[-3000:]}")

    def is_ready(self):
        try:
            return self.request("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def output(self, begin=0):
        with open(self.log, "rb") as file:
            file.seek(begin)
            return file.read().decode(errors="replace")

    def request(self, method, path, body=None, bearer=None, headers=None):
        """Returns (status, headers, body): the body read as JSON where it is that."""
        with contextlib.closing(Client(self.port)) as client:
            return client.request(method, path, body, bearer, headers)

    def kill(self):
        """kill -9, as the name says."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, within=60):
        """SIGTERM. Returns the exit code; a server that does not stop is killed and answers -9."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()


class Relay(Server):
    """`usher relay` before a server, of which it needs the port alone."""

    def __init__(self, folder, upstream, settings=None, name="relay"):
        super().__init__(folder, settings={"metrics.public": "true", **(settings or {})}, name=name)
        del self.settings["identity.hs256_secret"]
        self.upstream = upstream

    def command(self):
        return [USHER, "relay", "--upstream", self.upstream if isinstance(self.upstream, str) else f"http://127.0.0.1:{self.upstream}"]


class Client:
    """One keep-alive connection. For one thread."""

    def __init__(self, port, timeout=30):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def request(self, method, path, body=None, bearer=None, headers=None):
        headers = dict(headers or {})
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            content = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        kind = answer.headers.get("Content-Type", "")
        parsed = json.loads(content) if kind.split(";")[0].endswith(("/json", "+json")) and content else content
        return answer.status, answer.headers, parsed

    def close(self):
        self.connection.close()


class Customer:
    """A client thread on a connection of its own, until the server dies or it is told to stop. Requests are one_request()'s."""

    def __init__(self):
        self.pending = None  # what is asked and not answered
        self.client = None
        self.bearers = {}

    def run(self, port, stop):
        self.client = Client(port)
        try:
            while not stop.is_set():
                self.one_request()
        except (OSError, ConnectionError):
            pass  # the server died: self.pending is what was in flight
        finally:
            self.client.close()

    def bearer(self, owner):
        if owner not in self.bearers:
            self.bearers[owner] = token(owner)
        return self.bearers[owner]


def run_usher(*arguments, timeout=600):
    """Runs the program to its end. Returns the CompletedProcess with text output."""
    return subprocess.run([USHER, *arguments], capture_output=True, text=True, timeout=timeout, check=False)
