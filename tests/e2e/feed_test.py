"""The live feed on the real program: RFC 6455 by raw bytes, maps kept equal over forced reconnects, slow and silent readers,
limits, events, binary, the drain, and a kill -9 after which the log must hold all that was told.

--thorough: 10,000 changes and 50 reconnects instead of 600 and 12.
"""

import contextlib
import http.client
import json
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from harness import THOROUGH, Client, Server, check, finish, make_catalog, run_usher, say, temp_folder, token, write_json
from ws_client import BINARY, CLOSE, PING, PONG, TEXT, Refused, SeatMap, WebSocket, close_payload, frame

SHOW = "load-00000"
LIVE = f"/shows/{SHOW}/live"


def refused(port, path=LIVE, **arguments):
    try:
        with contextlib.closing(WebSocket(port, path, **arguments).socket):
            return None
    except Refused as refusal:
        return refusal.status, refusal.code


def handshakes(server):
    check(refused(server.port, "/shows/no-such/live") == (404, "unknown_show"), "an unknown show is 404")
    check(refused(server.port, f"{LIVE}?from=x") == (400, "invalid_parameter"), "from must be a number")
    check(refused(server.port, f"{LIVE}?form=1") == (400, "invalid_parameter"), "other parameters are refused")
    check(refused(server.port, headers={"Sec-WebSocket-Version": "8"}) == (426, "upgrade_required"), "version 8 is 426")
    check(refused(server.port, headers={"Sec-WebSocket-Key": "short"}) == (400, "invalid_handshake"), "a short key is 400")
    check(refused(server.port, headers={"Origin": "https://evil.example"}) == (403, "origin_not_allowed"), "foreign pages are 403")
    for origin in (f"http://127.0.0.1:{server.port}", "https://shop.example"):
        check(refused(server.port, headers={"Origin": origin}) is None, f"{origin} is let in")
    status, headers, body = server.request("GET", LIVE)
    check((status, body["code"], headers["Upgrade"]) == (426, "upgrade_required", "websocket"), "a plain GET is 426")
    web = WebSocket(server.port, LIVE, protocol="soap, usher.binary.v1")
    check("Sec-WebSocket-Protocol: usher.binary.v1\r\n" in web.head, "the known subprotocol is chosen")
    web.close()


def one_case(port, name, data, code):
    """Sends the bytes; the server must close with the code (None: must answer a ping, so it lives)."""
    web = WebSocket(port, LIVE)
    web.message()
    try:
        web.send(data)
    except OSError:
        pass  # it may have closed in the middle
    if code is None:
        web.send(frame(b"still there?", PING))
        while True:
            opcode, payload = web.receive()
            if opcode == PONG and payload == b"still there?":
                break
        check(True, name)
    else:
        got = web.wait_closed()
        check(got == code, f"{name}: closed with {got}, must be {code}")
    web.close()


def conformance(port):
    """RFC 6455 by section; the framing alone has a test of its own beside the sources."""
    long_text = b"a" * 16_384
    cases = [
        ("5.1 no mask", frame(b"x", mask=False), 1002),
        ("5.2 RSV1", frame(b"x", rsv=0x40), 1002),
        ("5.2 RSV3", frame(b"x", rsv=0x10), 1002),
        ("5.2 opcode 3", frame(b"x", 3), 1002),
        ("5.2 opcode 15", frame(b"", 15), 1002),
        ("5.2 length of 64 bits with the high bit", b"\x82\xff" + struct.pack(">Q", 1 << 63) + b"\0\0\0\0", 1002),
        ("5.2 length not in its shortest form", frame(b"x" * 5, length_bytes=2), 1002),
        ("5.4 fragments with a ping between", frame(b"He", fin=False) + frame(b"p", PING) + frame(b"llo", 0), None),
        ("5.4 continuation of nothing", frame(b"x", 0), 1002),
        ("5.4 a new message within a message", frame(b"a", fin=False) + frame(b"b"), 1002),
        ("5.5 a ping in fragments", frame(b"x", PING, fin=False), 1002),
        ("5.5 a ping of 126 bytes", frame(b"x" * 126, PING), 1002),
        ("5.5 a pong that nobody asked for", frame(b"hello", PONG), None),
        ("5.5.1 close without a code", frame(b"", CLOSE), 1005),
        ("5.5.1 close 1000", frame(close_payload(1000, b"bye"), CLOSE), 1000),
        ("5.5.1 close of one byte", frame(b"\x03", CLOSE), 1002),
        ("5.5.1 reason that is not UTF-8", frame(close_payload(1000, b"\xff"), CLOSE), 1007),
        ("7.4 close 1005", frame(close_payload(1005), CLOSE), 1002),
        ("7.4 close 4999", frame(close_payload(4999), CLOSE), 4999),
        ("8.1 text that is not UTF-8", frame(b"ok \xff"), 1007),
        ("8.1 text that ends in half a character", frame(b"\xe2\x82"), 1007),
        ("8.1 half a character per fragment", frame(b"\xce", fin=False) + frame(b"\xba", 0), None),
        ("10.4 16 KiB", frame(long_text), None),
        ("10.4 16 KiB and a byte", frame(long_text + b"a"), 1009),
        ("10.4 the same in fragments", frame(long_text, fin=False) + frame(b"a", 0), 1009),
        ("binary of any bytes", frame(bytes(range(256)), BINARY), None),
    ]
    for name, data, code in cases:
        one_case(port, name, data, code)
    web = WebSocket(port, LIVE)
    web.message()
    for byte in frame(b"one byte at a time", PING):
        web.send(bytes([byte]))
    check(web.receive() == (PONG, b"one byte at a time"), "a frame in single bytes is read")
    web.send(frame(b"", PING) * 1_100)
    check(web.wait_closed() == 1008, "a flood of frames ends with 1008")
    web.close()


class Buyer(threading.Thread):
    """Reserves and gives back at random, until told to stop. Counts the changes that the server has confirmed."""

    def __init__(self, port, seats):
        super().__init__(daemon=True)
        self.client = Client(port)
        self.seats = seats
        self.made = 0
        self.stopping = False
        self.random = random.Random(7)

    def run(self):
        with contextlib.suppress(OSError, http.client.HTTPException):  # the server may be killed
            self.buy()

    def buy(self):
        held = []
        number = 0
        while not self.stopping:
            number += 1
            user = token(f"buyer-{number}")
            wanted = self.random.sample(self.seats, self.random.randint(1, 4))
            status, _, body = self.client.request("POST", f"/shows/{SHOW}/reserve", {"seat_ids": wanted}, user)
            if status == 201:
                self.made += 1
                held.append((body["reservation_id"], user))
            if len(held) > 20 or (held and status == 409):
                reservation, owner = held.pop(self.random.randrange(len(held)))
                if self.client.request("DELETE", f"/reservations/{reservation}", bearer=owner)[0] == 204:
                    self.made += 1


class Follower(threading.Thread):
    """Keeps a map by the feed and is thrown off it now and then: it comes back with `from`, or without."""

    def __init__(self, port, reconnects, seed, keep=False):
        super().__init__(daemon=True)
        self.port = port
        self.map = SeatMap()
        self.random = random.Random(seed)
        self.reconnects_left = reconnects
        self.stopping = False
        self.failure = None
        self.deltas = 0
        self.snapshots = 0
        self.skipped = 0
        self.kept = [] if keep else None  # of each message the LSN, and the seats that were taken then

    def run(self):
        try:
            while not self.stopping:
                self.follow()
        except Exception as error:  # the test shows it  # noqa: BLE001
            self.failure = repr(error)

    def follow(self):
        path = LIVE
        if self.map.lsn is not None and self.random.random() < 0.7:
            path += f"?from={self.map.lsn}"
        elif self.map.lsn is not None:
            self.map = SeatMap()  # without `from` a connection may begin a tick behind what another one has told
        web = WebSocket(self.port, path, timeout=0.2)
        until = time.monotonic() + self.random.uniform(0.05, 0.4) if self.reconnects_left > 0 else None
        first = True
        while not self.stopping and (until is None or time.monotonic() < until):
            try:
                message = web.message()
            except TimeoutError:
                continue
            if first and message["type"] == "delta":
                self.skipped += 1
            first = False
            self.map.apply(message)
            if self.kept is not None:
                self.kept.append((self.map.lsn, {seat for seat, status in self.map.seats.items() if status != "available"}))
            self.deltas += message["type"] == "delta"
            self.snapshots += message["type"] == "snapshot"
        self.reconnects_left -= 1
        web.close()


def last_change(server, seat):
    """One that stays, so that the newest LSN is one that is told: what comes and goes within a tick is not."""
    check(server.request("POST", f"/shows/{SHOW}/reserve", {"seat_ids": [seat]}, token("last"))[0] == 201, f"{seat} is taken last")


def consistency(server):
    """Maps that follow the feed equal the server's, whatever happens to their connections."""
    changes, reconnects = (10_000, 50) if THOROUGH else (600, 12)
    seats = [f"{row}{number}" for row in "ABCDE" for number in range(1, 21)]
    buyer = Buyer(server.port, seats)
    followers = [Follower(server.port, reconnects, seed) for seed in range(4)]
    say(f"{changes} changes, {len(followers)} followers with {reconnects} reconnects each")
    for thread in [buyer, *followers]:
        thread.start()
    deadline = time.monotonic() + 1_200

    def wait_until(done):
        while time.monotonic() < deadline and not done() and not any(f.failure for f in followers):
            time.sleep(0.02)
        return done()

    check(wait_until(lambda: buyer.made >= changes and all(f.reconnects_left <= 0 for f in followers)), f"{buyer.made} changes were made")
    buyer.stopping = True
    buyer.join(30)
    last_change(server, "J20")
    _, _, seat_map = server.request("GET", f"/shows/{SHOW}/seats")
    expected = {seat["seat_id"]: seat["status"] for seat in seat_map["seats"]}
    deadline = time.monotonic() + 20
    wait_until(lambda: all(f.map.lsn == seat_map["lsn"] for f in followers))
    for follower in followers:
        follower.stopping = True
        follower.join(10)
        check(follower.failure is None, f"no message failed to fit: {follower.failure}")
        check(follower.map.lsn == seat_map["lsn"], f"at LSN {follower.map.lsn}, the server at {seat_map['lsn']}")
        check(follower.map.seats == expected, "the map equals the server's")
        check(follower.deltas > 5 and follower.snapshots > 1,
              f"it was told by deltas ({follower.deltas}) and snapshots ({follower.snapshots})")
    check(sum(f.skipped for f in followers) > 0, "some who came back with `from` needed no snapshot")


def read_events(stream):
    """Events of a stream: (id, message) each; comments and `retry` are passed over."""
    fields = {}
    for line in stream:
        line = line.decode().rstrip("\n")
        if not line and "data" in fields:
            yield int(fields["id"]), json.loads(fields["data"])
        if not line:
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


def open_events(port, headers=""):
    link = socket.create_connection(("127.0.0.1", port), timeout=10)
    link.sendall(f"GET {LIVE} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n{headers}\r\n".encode())
    stream = link.makefile("rb")
    head = b"".join(iter(stream.readline, b"\r\n")).decode()
    return link, stream, head


def events_and_binary(server):
    seat = "J1"
    link, stream, head = open_events(server.port)
    check("Content-Type: text/event-stream" in head and "no-store" in head, "events say what they are")
    events = read_events(stream)
    lsn, message = next(events)
    check(message["type"] == "snapshot" and message["lsn"] == lsn, "events begin with a snapshot, whose id is its LSN")
    newest = server.request("GET", f"/shows/{SHOW}/seats")[2]["lsn"]  # of what the parts before have done
    while lsn < newest:
        lsn, _ = next(events)
    web = WebSocket(server.port, LIVE, protocol="usher.binary.v1")
    first = web.message()
    version, kind, status, _, seats, binary_lsn, prev_lsn = struct.unpack("<BBBBIQQ", first[:24])
    check((version, kind, status, seats, prev_lsn) == (1, 1, 0, 200, 0) and len(first) == 32 + 50, "a binary snapshot")
    check(binary_lsn == lsn, "both know the same state")
    user = token("events")
    _, _, made = server.request("POST", f"/shows/{SHOW}/reserve", {"seat_ids": [seat]}, user)
    lsn2, message = next(events)
    check(message["type"] == "delta" and message["prev_lsn"] == lsn and message["seats"] == {seat: "reserved"}, "then a delta")
    check(lsn2 >= made["lsn"], "the delta has the LSN of the answer")
    second = web.message()
    at = 9 * 20  # J1 of rows of 20
    check(struct.unpack("<BBBBIQQ", second[:24])[1] == 2 and second[32 + at // 4] >> (2 * (at % 4)) & 3 == 1, "binary says reserved")
    link.close()
    link, stream, _ = open_events(server.port, f"Last-Event-ID: {lsn2}\r\n")
    server.request("DELETE", f"/reservations/{made['reservation_id']}", bearer=user)
    _, message = next(read_events(stream))
    check(message["type"] == "delta" and message["prev_lsn"] == lsn2, "events go on where they were, without a snapshot")
    link.close()
    web.close()


def only_lsn_is_new(server):
    """A payment that is declined changes no seat but the LSN: who comes with the newest LSN needs no snapshot, and nobody loses the thread."""
    web = WebSocket(server.port, LIVE)
    follower = SeatMap()
    follower.apply(web.message())
    user = token("declined")
    _, _, made = server.request("POST", f"/shows/{SHOW}/reserve", {"seat_ids": ["J5"]}, user)
    follower.apply(web.message())
    status, _, _ = server.request("POST", "/bookings", {"reservation_id": made["reservation_id"], "payment_token": "pm_card_chargeDeclined"}, user)
    check(status == 402, "the payment is declined")
    _, _, seat_map = server.request("GET", f"/shows/{SHOW}/seats")
    check(seat_map["lsn"] > follower.lsn, "only the LSN is new")
    late = WebSocket(server.port, f"{LIVE}?from={seat_map['lsn']}")
    while follower.lsn < seat_map["lsn"]:  # that somebody knows it makes the server say it
        follower.apply(web.message())
    server.request("DELETE", f"/reservations/{made['reservation_id']}", bearer=user)
    message = late.message()
    while message["lsn"] <= seat_map["lsn"]:
        message = late.message()
    check(message["type"] == "delta" and message["prev_lsn"] == seat_map["lsn"], f"the newcomer gets the change alone: {message}")
    while follower.lsn < message["lsn"]:
        follower.apply(web.message())
    check(follower.seats["J5"] == "available", "the other one did not lose the thread")
    future = WebSocket(server.port, f"{LIVE}?from=999999999")
    check(future.message()["type"] == "snapshot", "an LSN that is yet to come gets a snapshot")
    for each in (web, late, future):
        each.close()


def slow_and_silent(folder):
    """A reader that takes nothing is conflated, then dropped with 4000; one that answers no ping, with 4001. Others notice nothing."""
    rows = 26
    catalog = write_json(f"{folder}/big.json", make_catalog(1, rows=rows, row_seats=500))
    settings = {"feed.slow_timeout": "3s", "feed.ping_interval": "1500ms", "feed.tick": "20ms", "policy.reservations_per_user_and_show": "0"}
    with Server(f"{folder}/slow", catalog, settings, name="slow") as server:
        slow = WebSocket(server.port, LIVE, receive_buffer=4_096)
        silent = WebSocket(server.port, LIVE)
        silent.message()
        good = Follower(server.port, 0, 1)
        good.start()
        client = Client(server.port)
        seats = [f"{chr(ord('A') + row)}{number}" for row in range(rows) for number in range(1, 501)]
        started = time.monotonic()
        at = 0
        dropped = b""
        while time.monotonic() - started < 30 and b'dropped_slow_total 1' not in dropped:
            wanted = seats[at:at + 10]
            at = (at + 10) % len(seats)
            status, _, body = client.request("POST", f"/shows/{SHOW}/reserve", {"seat_ids": wanted}, token(f"u{at}"))
            if status == 201 and at % 50 == 0:
                client.request("DELETE", f"/reservations/{body['reservation_id']}", bearer=token(f"u{at}"))
            if at % 200 == 0:
                dropped = server.request("GET", "/metrics", bearer=token("root", "admin"))[2]
        check(b"usher_feed_dropped_slow_total 1" in dropped, "the slow reader was dropped")
        check(slow.wait_closed() == 4000, f"it hears 4000 when it reads on ({slow.closed})")
        conflated = re.search(rb"^usher_feed_conflated_total (\d+)", dropped, re.M)
        check(int(conflated[1]) > 0, "it was conflated before")
        last_change(server, "Z500")
        _, _, seat_map = client.request("GET", f"/shows/{SHOW}/seats")
        deadline = time.monotonic() + 20
        while good.map.lsn != seat_map["lsn"] and not good.failure and time.monotonic() < deadline:
            time.sleep(0.01)
        good.stopping = True
        good.join(10)
        check(good.failure is None and good.map.lsn == seat_map["lsn"], f"the good reader is at LSN {good.map.lsn}: {good.failure}")
        check(good.map.seats == {s["seat_id"]: s["status"] for s in seat_map["seats"]}, "the good reader missed nothing")
        check(good.deltas > 5, f"and was told by {good.deltas} deltas ({good.snapshots} snapshots)")
        check(silent.wait_closed() == 4001, f"the silent one hears 4001 ({silent.closed})")


def never_taken_back(folder, catalog):
    """The server is killed while it tells of changes: every map that was told is in its log."""
    with Server(f"{folder}/killed", catalog, {"feed.tick": "10ms", "policy.cooldown_after_refusals": "0"}, name="killed") as server:
        buyers = [Buyer(server.port, [f"{row}{number}" for number in range(1, 21)]) for row in "ABC"]
        follower = Follower(server.port, 0, 1, keep=True)
        for thread in [follower, *buyers]:
            thread.start()
        deadline = time.monotonic() + 60
        while len(follower.kept) < 40 and time.monotonic() < deadline:
            time.sleep(0.001)
        server.kill()
        for thread in [follower, *buyers]:
            thread.join(30)
        check(len(follower.kept) >= 40, f"{len(follower.kept)} maps were told")
        for lsn, taken in follower.kept[::-4]:
            replay = run_usher("replay", "--data", server.data, "--show", SHOW, "--reservations", "--until-lsn", str(lsn))
            show, *lines = (json.loads(line) for line in replay.stdout.splitlines())
            held = {seat for line in lines if line.get("state") in ("reserved", "booked") for seat in line["seat_ids"]}
            check((show["lsn"], held) == (lsn, taken), f"the log at {show['lsn']} is the map at {lsn}: {held ^ taken}")
        server.start()
        lsn = server.request("GET", f"/shows/{SHOW}/seats")[2]["lsn"]
        check(lsn >= follower.map.lsn, f"and goes on from there: {lsn} after {follower.map.lsn}")


def limits_and_drain(folder, catalog):
    settings = {"feed.subscribers_max": "6", "feed.per_address_max": "4", "server.loops": "2"}
    with Server(f"{folder}/limits", catalog, settings, name="limits") as server:
        readers = [WebSocket(server.port, LIVE) for _ in range(4)]
        check(refused(server.port) == (429, "too_many_subscribers"), "the fifth of an address is 429")
        readers += [WebSocket(server.port, LIVE, source="127.0.0.2") for _ in range(2)]
        check(refused(server.port, source="127.0.0.3") == (503, "feed_full"), "the seventh of all is 503")
        readers.pop(0).close()
        deadline = time.monotonic() + 10
        while refused(server.port, source="127.0.0.3") is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        check(time.monotonic() < deadline, "one that goes makes room")
        for web in readers:
            web.message()
        server.process.terminate()
        codes = []
        for web in readers:
            try:
                while web.receive()[0] != CLOSE:
                    pass
                web.send(frame(close_payload(web.closed), CLOSE))
            except (EOFError, ConnectionError):
                pass
            codes.append(web.closed)
        check(codes == [1001] * 5, f"SIGTERM tells all to come again: {codes}")
        begin = time.monotonic()
        check(server.stop() == 0 and time.monotonic() - begin < 10, "and the server ends")


def documents(server):
    """Messages are what /asyncapi.json says they are."""
    status, _, document = server.request("GET", "/asyncapi.json")
    check(status == 200 and document["asyncapi"] == "3.0.0", "the document is there")
    web = WebSocket(server.port, LIVE)
    message = web.message()
    schemas = document["components"]["schemas"]
    snapshot = schemas["Snapshot"]
    check(set(snapshot["required"]) <= set(message) <= set(snapshot["properties"]), "a snapshot has the members of its schema")
    check(set(message["seats"].values()) <= set(schemas["SeatStatus"]["enum"]), "and only statuses of the schema")
    user = token("documents")
    _, _, made = server.request("POST", f"/shows/{SHOW}/reserve", {"seat_ids": ["J9"]}, user)
    delta = web.message()
    check(set(schemas["Delta"]["required"]) <= set(delta) <= set(schemas["Delta"]["properties"]), "a delta has the members of its schema")
    server.request("DELETE", f"/reservations/{made['reservation_id']}", bearer=user)
    with open(__file__.rsplit("/tests/", 1)[0] + "/server/ws/frame.hpp", encoding="utf-8") as file:
        source = file.read()
    told = {line.split("=")[1].split(";")[0].strip() for line in source.splitlines() if "constexpr std::uint16_t" in line}
    check(told - {"1005"} == set(document["x-usher-close-codes"]), "every close code of the code is described, and no other")
    web.close()


def main():
    with temp_folder() as folder:
        catalog = write_json(f"{folder}/catalog.json", make_catalog(2))
        settings = {"server.loops": "2", "feed.allowed_origins": "https://shop.example", "policy.cooldown_after_refusals": "0"}
        with Server(folder, catalog, settings) as server:
            for part in (handshakes, documents, events_and_binary, only_lsn_is_new):
                say(part.__name__)
                part(server)
            say("conformance")
            conformance(server.port)
            consistency(server)
            check(server.stop() == 0, "the server ends cleanly")
        say("slow and silent readers")
        slow_and_silent(folder)
        say("never taken back")
        never_taken_back(folder, catalog)
        say("limits and drain")
        limits_and_drain(folder, catalog)
    finish()


if __name__ == "__main__":
    main()
