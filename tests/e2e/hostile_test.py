"""Hostile and helpless clients on the real program: the sale goes on beside them.

Slow-loris (heads and bodies a byte at a time), half-open connections, idle crowds, huge heads, floods of handshakes and frames.
Beside each of them honest buyers reserve over their own connections; all must succeed. At last more work than
is allowed (`server.work_limit`). --thorough: 15,000 idle connections.
"""

import contextlib
import resource
import socket
import statistics
import struct
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from harness import THOROUGH, Client, Server, check, finish, make_catalog, say, temp_folder, token, write_json
from ws_client import PING, Refused, WebSocket, frame

LIVE = "/shows/load-00000/live"


class Sale(threading.Thread):
    """One honest buyer on one connection until stopped: reserve, give back. Keeps the milliseconds of each reserve."""

    def __init__(self, port, number):
        super().__init__(daemon=True)
        self.client = Client(port, timeout=30)
        self.path = f"/shows/load-{number:05d}"
        self.bearer = token(f"honest-{number}")
        self.stopping = False
        self.took_ms = []
        self.failed = []

    def run(self):
        while not self.stopping:
            begin = time.monotonic()
            try:
                status, _, body = self.client.request("POST", f"{self.path}/reserve", {"seat_ids": ["A1", "A2"]}, self.bearer)
                self.took_ms.append((time.monotonic() - begin) * 1e3)
                if status != 201:
                    self.failed.append((status, body))
                    continue
                status, _, _ = self.client.request("DELETE", f"/reservations/{body['reservation_id']}", bearer=self.bearer)
                if status != 204:
                    self.failed.append((status, "release"))
            except OSError as error:
                self.failed.append(repr(error))
                return


@contextlib.contextmanager
def sale_goes_on(server, what, least=20):
    """Honest buyers beside the attack; afterwards all of theirs must have succeeded."""
    buyers = [Sale(server.port, number) for number in range(1, 4)]
    for buyer in buyers:
        buyer.start()
    try:
        yield
        deadline = time.monotonic() + 30
        while min(len(b.took_ms) for b in buyers) < least and not any(b.failed for b in buyers) and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        for buyer in buyers:
            buyer.stopping = True
        for buyer in buyers:
            buyer.join(40)
    took = sorted(ms for buyer in buyers for ms in buyer.took_ms)
    failures = [failure for buyer in buyers for failure in buyer.failed]
    check(not failures, f"{what}: every honest request succeeds: {failures[:3]}")
    check(len(took) >= 3 * least, f"{what}: {len(took)} honest reserves")
    if took:
        say(f"{what}: {len(took)} reserves beside it, median {statistics.median(took):.1f} ms, slowest {took[-1]:.0f} ms")


def link(port, source=None):
    opened = socket.socket()
    opened.settimeout(20)
    if source:
        opened.bind((source, 0))
    opened.connect(("127.0.0.1", port))
    return opened


def close_all(links):
    for each in links:
        each.close()


def answer_of(opened):
    """Status of the answer, or None when the connection was closed without one."""
    data = b""
    with contextlib.suppress(OSError):
        while b"\r\n\r\n" not in data:
            part = opened.recv(4_096)
            if not part:
                break
            data += part
    return int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/1.1 ") else None


def slow_loris(server):
    heads = [link(server.port) for _ in range(150)]
    bodies = [link(server.port) for _ in range(150)]
    with sale_goes_on(server, "slow heads and bodies"):
        for each in heads:
            each.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        for each in bodies:
            each.sendall(b"POST /commands HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        for turn in range(5):
            for each in heads:
                with contextlib.suppress(OSError):
                    each.sendall(f"X-{turn}: a\r\n".encode())
            for each in bodies:
                with contextlib.suppress(OSError):
                    each.sendall(b" ")
        statuses = {answer_of(each) for each in heads}
        check(statuses <= {408, None}, f"a head that takes too long is answered 408: {statuses}")
        statuses = {answer_of(each) for each in bodies}
        check(statuses <= {408, None}, f"a body that takes too long is answered 408: {statuses}")
    close_all(heads + bodies)


def half_open(server):
    """Connections that go away without a word: reset, or shut on one side."""
    with sale_goes_on(server, "half-open connections"):
        for turn in range(300):
            each = link(server.port)
            each.sendall(b"GET /movies HTTP/1.1\r\nHost: x\r\n" + (b"\r\n" if turn % 2 else b""))
            if turn % 3 == 0:
                each.shutdown(socket.SHUT_WR)
            else:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.close()
        for turn in range(100):
            web = WebSocket(server.port, LIVE)
            web.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            web.close()


def idle_crowd(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(15_000 if THOROUGH else 1_500, hard - 500)
    say(f"{count} idle connections")
    crowd = [link(server.port, f"127.0.0.{2 + at % 8}") for at in range(count)]
    with sale_goes_on(server, f"{count} idle connections"):
        pass
    close_all(crowd)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def huge_heads(server):
    with sale_goes_on(server, "huge heads"):
        for at in range(60):
            each = link(server.port)
            kind = at % 3
            lines = [b"X: " + b"a" * 20_000, b"\r\n".join(b"X-%d: a" % n for n in range(200)), b""][kind]
            target = b"/" + b"a" * 10_000 if kind == 2 else b"/healthz"
            with contextlib.suppress(OSError):
                each.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n\r\n")
            status = answer_of(each)
            check(status in (431, 414), f"a huge head is refused: {status}")
            each.close()


def handshake_floods(server):
    """Handshakes without end from one address, right and wrong: served up to the limit, then refused."""
    with sale_goes_on(server, "a flood of handshakes"):
        open_ones = []
        answers = set()
        for at in range(600):
            try:
                open_ones.append(WebSocket(server.port, LIVE, headers={} if at % 4 else {"Sec-WebSocket-Key": "bad"}))
            except Refused as refusal:
                answers.add((refusal.status, refusal.code))
        check(len(open_ones) == 200, f"an address gets what it may have: {len(open_ones)}")
        check(answers == {(400, "invalid_handshake"), (429, "too_many_subscribers")}, f"the rest is refused: {answers}")
    for web in open_ones:
        web.close()


def frame_floods(server):
    with sale_goes_on(server, "a flood of frames"):
        floods = [WebSocket(server.port, LIVE, source="127.0.0.9") for _ in range(20)]
        for web in floods:
            with contextlib.suppress(OSError):
                web.send(frame(b"x" * 100, PING) * 3_000)
        codes = {web.wait_closed() for web in floods}
        check(codes <= {1008, None} and 1008 in codes, f"a flood ends with 1008 or a reset: {codes}")
    close_all(floods)


def pipelined(server, target, count=50):
    """So many requests at once on one connection. Returns the status of each, and the last answer."""
    with contextlib.closing(link(server.port)) as each:
        each.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * (count - 1) +
                     f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answers = b"".join(iter(lambda: each.recv(65_536), b"")).split(b"HTTP/1.1 ")[1:]
    return [int(answer[:3]) for answer in answers], answers[-1]


def overload(folder, catalog):
    """Where `server.work_limit` is reached, looking is refused first, then selling, and health never."""
    with Server(f"{folder}/overload", catalog, {"server.work_limit": "100", "server.loops": "1"}, name="overload") as server:
        statuses, last = pipelined(server, "/shows/load-00000/seats")
        check(statuses[0] == 200 and statuses[-1] == 503 and len(statuses) == 50, f"looking is refused: {statuses}")
        check(b'"code":"overloaded"' in last and b"\r\nRetry-After: 1\r\n" in last, f"and told when to come again: {last}")
        status, _, body = server.request("POST", "/shows/load-00000/reserve", {"seat_ids": ["A1"]}, token("buyer"))
        check(status == 201, f"who buys is still served: {status} {body}")
        statuses, _ = pipelined(server, "/reservations/none")
        check(statuses[-1] == 503, f"until that is too much, too: {statuses}")
        statuses, _ = pipelined(server, "/healthz")
        check(statuses == [200] * 50, f"health is always told: {statuses}")


def main():
    with temp_folder() as folder:
        catalog = write_json(f"{folder}/catalog.json", make_catalog(5))
        settings = {"http.header_timeout": "2s", "policy.cooldown_after_refusals": "0"}
        with Server(folder, catalog, settings) as server:
            for part in (slow_loris, half_open, idle_crowd, huge_heads, handshake_floods, frame_floods):
                say(part.__name__)
                part(server)
            check(server.process.poll() is None, "the server is alive")
            check(b"usher_http_exceptions_total 0" in server.request("GET", "/metrics", bearer=token("root", "admin"))[2],
                  "nothing was thrown")
            check(server.stop() == 0, "and ends cleanly")
        say("overload")
        overload(folder, catalog)
    finish()


if __name__ == "__main__":
    main()
