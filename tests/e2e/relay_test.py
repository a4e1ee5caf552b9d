"""`usher relay` on the real programs: what a reader gets from it is what the server's own feed gives, whatever dies in between.

Two relays before one server carry a crowd (`usher_feed_crowd`) that checks every message and comes back when it is thrown off, while
seats change, one relay is killed, and the server is killed, started again, and stopped without a word (SIGSTOP). In the end
every map equals the server's. USHER_THOROUGH=1: as many of 100,000 readers as the machine carries, and how late the last of
them hears of one change.
"""

import contextlib
import datetime
import json
import os
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from feed_test import Buyer, Follower, last_change, open_events, read_events, refused
from harness import BUILD, THOROUGH, Relay, Server, check, finish, make_catalog, run_usher, say, temp_folder, token, write_json
from ws_client import SeatMap, WebSocket

SHOW = "load-00000"
LIVE = f"/shows/{SHOW}/live"
OPEN = {"feed.per_address_max": "20000", "feed.subscribers_max": "19000", "policy.cooldown_after_refusals": "0"}
STATUSES = ("available", "reserved", "booked")


def reserve(server, seat, user):
    status, _, body = server.request("POST", f"/shows/{SHOW}/reserve", {"seat_ids": [seat]}, token(user))
    check(status == 201, f"{seat} is reserved: {status} {body}")
    return body


def metric(process, name):
    """Of a relay, or of a server."""
    text = process.request("GET", "/metrics", bearer=token("root", "admin"))[2].decode()
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " ")), None)


def wait_until(done, seconds=20):
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.02)
    return done()


def next_map(web, follower, lsn):
    """Reads on until the map is of that LSN or newer."""
    while follower.lsn is None or follower.lsn < lsn:
        follower.apply(web.message())


def handshakes(relay, server):
    check(refused(relay.port, "/shows/no-such/live") == (404, "unknown_show"), "an unknown show is 404, as the server says")
    check(refused(relay.port, f"/shows/{'x' * 300}/live") == (404, "unknown_show"), "an endless one, too")
    check(refused(relay.port, f"{LIVE}?from=x") == (400, "invalid_parameter"), "from must be a number")
    check(refused(relay.port, headers={"Sec-WebSocket-Version": "8"}) == (426, "upgrade_required"), "version 8 is 426")
    check(refused(relay.port, headers={"Origin": "https://evil.example"}) == (403, "origin_not_allowed"), "foreign pages are 403")
    for method, path, expected in (("GET", f"/shows/{SHOW}/seats", (404, "not_found")), ("POST", LIVE, (405, "method_not_allowed")),
                                   ("GET", LIVE, (426, "upgrade_required"))):
        status, _, body = relay.request(method, path)
        check((status, body["code"]) == expected, f"{method} {path}: {status} {body}")
    check(relay.request("GET", "/asyncapi.json")[2] == server.request("GET", "/asyncapi.json")[2], "the description is the server's")
    check(relay.request("GET", "/healthz")[0] == relay.request("GET", "/readyz")[0] == 200, "it is well and ready")


def same_feed(relay, server):
    """Each format says what the server's own feed says, with the LSNs of the answers."""
    direct, web = WebSocket(server.port, LIVE), WebSocket(relay.port, LIVE)
    binary = [WebSocket(port, LIVE, protocol="usher.binary.v1") for port in (server.port, relay.port)]
    near, far = SeatMap(), SeatMap()
    near.apply(direct.message())
    first = web.message()
    far.apply(first)
    check(first["type"] == "snapshot" and (far.lsn, far.seats, far.status) == (near.lsn, near.seats, near.status), "the snapshot is the server's")
    snapshots = [each.message() for each in binary]
    check(snapshots[0][:24] + snapshots[0][32:] == snapshots[1][:24] + snapshots[1][32:], "the binary snapshot is the server's but for its time")
    link, stream, head = open_events(relay.port)
    check("text/event-stream" in head, "events are spoken")
    events = read_events(stream)
    check(next(events)[0] == far.lsn, "events begin at the same LSN")
    made = reserve(server, "J3", "same")
    next_map(direct, near, made["lsn"])
    before = far.lsn
    message = web.message()
    far.apply(message)
    check(message == {**message, "type": "delta", "prev_lsn": before, "lsn": near.lsn, "seats": {"J3": "reserved"}}, f"the delta is the server's: {message}")
    check({**next(events)[1], "server_time": message["server_time"]} == message, "events tell the same")
    told = abs(milliseconds(message["server_time"]) - milliseconds(made["server_time"]))
    check(told < 2_000, f"server_time is the server's: {told} ms apart")
    maps = [each.message() for each in binary]
    check(maps[0][32:] == maps[1][32:] and maps[0][8:24] == maps[1][8:24], "binary: the same map, lsn and prev_lsn")
    late = WebSocket(relay.port, f"{LIVE}?from={far.lsn}")
    late.socket.settimeout(0.4)
    try:
        check(False, f"who knows the newest gets no snapshot: {late.message()}")
    except TimeoutError:
        check(True, "who knows the newest gets no snapshot")
    link.close()
    for each in (direct, web, late, *binary):
        each.close()


def milliseconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1e3


def knows_more(relay, server):
    """A declined payment changes nothing but the LSN: who comes with it makes the relay ask, and never goes back."""
    web = WebSocket(relay.port, LIVE)
    follower = SeatMap()
    follower.apply(web.message())
    made = reserve(server, "J5", "declined")
    next_map(web, follower, made["lsn"])
    server.request("POST", "/bookings", {"reservation_id": made["reservation_id"], "payment_token": "pm_card_chargeDeclined"}, token("declined"))
    lsn = server.request("GET", f"/shows/{SHOW}/seats")[2]["lsn"]
    check(lsn > follower.lsn, "only the LSN is new")
    lates = [WebSocket(relay.port, f"{LIVE}?from={lsn}") for _ in range(8)]  # of both loops
    next_map(web, follower, lsn)
    check(follower.lsn == lsn, "the relay has asked the server")
    server.request("DELETE", f"/reservations/{made['reservation_id']}", bearer=token("declined"))
    for late in lates:
        message = late.message()
        check(message["type"] == "delta" and message["prev_lsn"] == lsn, f"the newcomer gets the change alone: {message}")
    future = WebSocket(relay.port, f"{LIVE}?from=999999999")
    check(future.message()["type"] == "snapshot", "an LSN that is yet to come gets a snapshot")
    check(metric(relay, "usher_relay_refreshes_total") >= 3, "that was counted")
    for each in (web, future, *lates):
        each.close()


def one_connection(relay, server):
    """However many read a show: one subscriber of the server. When all are gone: none."""
    check(wait_until(lambda: metric(server, "usher_feed_subscribers") == 0), "the relay reads nothing that nobody reads")
    readers = [WebSocket(relay.port, LIVE) for _ in range(20)]
    for web in readers:
        web.message()
    check(wait_until(lambda: metric(server, "usher_feed_subscribers") == 1), "20 readers are one subscriber of the server")
    check(metric(relay, "usher_relay_shows") == 1 and metric(relay, "usher_relay_upstream_reachable") == 1, "the relay says the same")
    check(metric(relay, "usher_reservations_total") is None, "a relay does not tell of sales")
    for web in readers:
        web.close()
    check(wait_until(lambda: metric(server, "usher_feed_subscribers") == 0), "and none when they are gone")


def limits_and_drain(folder, server):
    settings = {"feed.subscribers_max": "6", "feed.per_address_max": "4", "server.loops": "2", "relay.shows_max": "1", "metrics.public": "false"}
    with Relay(folder, server.port, settings, name="limits") as relay:
        check(relay.request("GET", "/metrics")[0] == 403, "metrics are the operator's")
        readers = [WebSocket(relay.port, LIVE) for _ in range(4)]
        check(refused(relay.port) == (429, "too_many_subscribers"), "the fifth of an address is 429")
        readers += [WebSocket(relay.port, LIVE, source="127.0.0.2") for _ in range(2)]
        check(refused(relay.port, source="127.0.0.3") == (503, "feed_full"), "the seventh of all is 503")
        check(refused(relay.port, "/shows/load-00001/live") == (503, "feed_full"), "another show is one too many")
        relay.process.terminate()
        codes = [web.wait_closed() for web in readers]
        check(codes == [1001] * 6, f"SIGTERM tells all to come again: {codes}")
        check(relay.stop() == 0, "and the relay ends")


def mistakes():
    for arguments, text in ((["--upstream", "ftp://x"], "relay.upstream"), ([], "--upstream"), (["--upstream", "http://x", "--listen", "8081"], "--listen"),
                            (["--upstream", "https://x", "--set", "relay.ca_file=/no/such"], "relay.ca_file")):
        done = run_usher("relay", *arguments, timeout=20)
        check(done.returncode == 2 and text in done.stderr, f"usher relay {arguments}: {done.returncode} {done.stderr[-200:]}")


def lost_upstream(folder, catalog):
    """A server that comes back soon costs readers nothing; one that stays away costs them one reconnect, told by 1013."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(f"{folder}/lost", catalog, OPEN, name="lost"))
        relay = stack.enter_context(Relay(folder, server.port, {"relay.stale_max": "60s", "relay.upstream_timeout": "1s"}, name="patient"))
        web, follower = WebSocket(relay.port, LIVE), SeatMap()
        follower.apply(web.message())
        server.kill()
        check(wait_until(lambda: relay.request("GET", "/readyz")[0] == 503), "a relay without a server is not ready")
        check(refused(relay.port) == (503, "upstream_lost"), "newcomers are sent elsewhere")
        server.settings["http.port"] = str(server.port)
        server.start()
        made = reserve(server, "C1", "back")
        next_map(web, follower, made["lsn"])
        check(follower.seats["C1"] == "reserved" and follower.snapshots == 1, "the server is back: the reader was kept, a delta tells all")
        check(relay.request("GET", "/readyz")[0] == 200, "and the relay is ready")
        web.close()
        say("a server that says nothing any more")
        relay = stack.enter_context(Relay(folder, server.port, {"relay.stale_max": "2s", "relay.upstream_timeout": "1s"}, name="impatient"))
        web, follower = WebSocket(relay.port, LIVE), SeatMap()
        follower.apply(web.message())
        server.process.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        check(web.wait_closed() == 1013, f"the reader hears 1013 ({web.closed})")
        check(2 < time.monotonic() - started < 15, f"after {time.monotonic() - started:.1f} s")
        check(metric(relay, "usher_relay_given_up_total") == 1, "that was counted")
        server.process.send_signal(signal.SIGCONT)
        check(wait_until(lambda: relay.request("GET", "/readyz")[0] == 200), "the relay finds the server again")
        again = WebSocket(relay.port, f"{LIVE}?from={follower.lsn}")
        made = reserve(server, "C2", "again")
        next_map(again, follower, made["lsn"])
        check(follower.seats["C2"] == "reserved" and follower.snapshots == 1, "the reader comes back without a snapshot")


def over_tls(folder, server):
    """https: the certificate must be one that relay.ca_file knows, for the name that was asked for."""
    key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def carry(source, target):
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(65_536):
                target.sendall(data)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve():
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                secret = context.wrap_socket(raw, server_side=True)
                plain = socket.create_connection(("127.0.0.1", server.port))
                for pair in ((secret, plain), (plain, secret)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    with Relay(folder, f"https://localhost:{port}", {"relay.ca_file": certificate}, name="tls") as relay:
        web = WebSocket(relay.port, LIVE)
        check(web.message()["type"] == "snapshot", "the feed comes over TLS")
        web.close()
    for url, settings, why in ((f"https://127.0.0.1:{port}", {"relay.ca_file": certificate}, "another name"), (f"https://localhost:{port}", {}, "nobody's certificate")):
        relay = Relay(folder, url, settings, name=f"tls-{len(url)}")
        try:
            relay.start(ready_within=2)
            check(False, f"{why} is believed")
        except RuntimeError:
            check(refused(relay.port) == (503, "upstream_lost"), f"{why} is not believed")
        finally:
            relay.kill()
    listener.close()


class Crowd:
    """`usher_feed_crowd` as a child."""

    def __init__(self, ports, readers, source=2, sources=8):
        command = [os.path.join(BUILD, "usher_feed_crowd"), "--ports", ",".join(map(str, ports)), "--show", SHOW, "--readers", str(readers),
                   "--source", str(source), "--sources", str(sources)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, lsn, seconds):
        self.process.stdin.write(f"wait {lsn} {int(seconds * 1e3)}\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def wait(self, lsn, seconds):
        self.ask(lsn, seconds)
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def map_of(seat_map):
    """The seats as two bits each, in hex: what the binary subprotocol says of them."""
    data = bytearray((len(seat_map["seats"]) + 3) // 4)
    for at, seat in enumerate(seat_map["seats"]):
        data[at // 4] |= STATUSES.index(seat["status"]) << (2 * (at % 4))
    return data.hex()


def check_maps(told, server, what):
    _, _, seat_map = server.request("GET", f"/shows/{SHOW}/seats")
    check(not told["faults"], f"{what}: every message fits: {told['faults']}")
    check(told["there"] == told["connected"] == told["readers"], f"{what}: all are there: {told['there']}, {told['connected']} of {told['readers']}")
    check([each[:2] for each in told["maps"]] == [[seat_map["lsn"], map_of(seat_map)]], f"{what}: all maps are the server's")


def crowd(folder, catalog):
    """A crowd over two relays, one of which is killed and comes back, while the server is cut off for a while, too."""
    readers = 3_000
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(f"{folder}/crowd", catalog, OPEN, name="crowd"))
        relays = [stack.enter_context(Relay(folder, server.port, {**OPEN, "relay.upstream_timeout": "1s", "relay.stale_max": "500ms"}, name=f"crowd-{n}"))
                  for n in range(2)]
        readers_of = stack.enter_context(Crowd([relay.port for relay in relays], readers))
        check(readers_of.wait(0, 60)["there"] == readers, f"{readers} readers came")
        followers = [Follower(relays[0].port, 0, seed) for seed in range(2)]
        buyer = Buyer(server.port, [f"{row}{number}" for row in "ABCDE" for number in range(1, 21)])
        for thread in (buyer, *followers):
            thread.start()
        check(wait_until(lambda: buyer.made >= 100, 60), f"{buyer.made} changes were made")
        say("one relay is killed")
        relays[1].kill()
        check(wait_until(lambda: buyer.made >= 200, 60), "the sale goes on")
        told = readers_of.wait(0, 30)
        check(told["connected"] == readers and told["closed"].get("0", 0) >= readers // 3, f"its readers went to the other one: {told['closed']}")
        relays[1].settings["http.port"] = str(relays[1].port)
        relays[1].start()
        buyer.stopping = True
        buyer.join(30)
        last_change(server, "J20")
        lsn = server.request("GET", f"/shows/{SHOW}/seats")[2]["lsn"]
        check_maps(readers_of.wait(lsn, 30), server, "a relay was killed")
        for follower in followers:
            wait_until(lambda f=follower: f.map.lsn == lsn)
            follower.stopping = True
            follower.join(10)
            check(follower.failure is None and follower.map.lsn == lsn, f"JSON readers, too: {follower.failure}")
        say("the server is cut off")
        server.process.send_signal(signal.SIGSTOP)
        check(wait_until(lambda: metric(relays[0], "usher_relay_given_up_total") >= 1), "the relay gives up")
        server.process.send_signal(signal.SIGCONT)
        made = reserve(server, "J19", "after")
        told = readers_of.wait(made["lsn"], 60)
        check(told["closed"].get("1013", 0) >= readers // 2, f"readers were told by 1013: {told['closed']}")
        check_maps(told, server, "the server was cut off")


def hundred_thousand(folder, catalog):
    """As many of 100,000 as there are descriptors for, over relays; isolated changes, and when the last reader heard of each."""
    wanted = int(os.environ.get("USHER_READERS", "100000"))
    relay_count = (wanted + 16_999) // 17_000
    settings = {**OPEN, "feed.subscribers_max": "19500", "http.connections_max": "19800", "server.loops": "1"}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(f"{folder}/many", catalog, OPEN, name="many"))
        relays = [stack.enter_context(Relay(folder, server.port, settings, name=f"many-{n}")) for n in range(relay_count)]
        each = wanted // relay_count
        begun = time.monotonic()
        crowds = [stack.enter_context(Crowd([relay.port], each, 2 + 8 * n)) for n, relay in enumerate(relays)]
        for group in crowds:
            group.ask(0, 600)
        came = sum(group.answer()["there"] for group in crowds)
        say(f"{came} readers on {relay_count} relays after {time.monotonic() - begun:.0f} s")
        check(came == each * relay_count, f"all {each * relay_count} came: {came}")
        took = []
        for turn in range(5):
            time.sleep(3)
            asked = time.monotonic_ns()
            lsn = reserve(server, f"A{turn + 1}", f"many-{turn}")["lsn"]
            for group in crowds:
                group.ask(lsn, 30)
            told = [group.answer() for group in crowds]
            check(all(each["there"] == each["readers"] and not each["faults"] for each in told), "every reader heard of it")
            took.append((max(each["last_ns"] for each in told) - asked) / 1e6)
        for each in told:
            check_maps(each, server, "of 100,000")
        say(f"the last of {came} readers heard of one change after {', '.join(f'{ms:.0f}' for ms in took)} ms, median {statistics.median(took):.0f} ms")
        check(statistics.median(took) <= 1_500, f"within 1.5 s: {took}")


def main():
    with temp_folder() as folder:
        catalog = write_json(f"{folder}/catalog.json", make_catalog(2))
        mistakes()
        with Server(folder, catalog, OPEN) as server:
            with Relay(folder, server.port, {"server.loops": "2", "feed.per_address_max": "100"}) as relay:
                for part in (handshakes, same_feed, knows_more, one_connection):
                    say(part.__name__)
                    part(relay, server)
                check(relay.stop() == 0, "the relay ends cleanly")
            say("limits and drain")
            limits_and_drain(folder, server)
            say("TLS")
            over_tls(folder, server)
        say("lost upstream")
        lost_upstream(folder, catalog)
        say("a crowd")
        crowd(folder, catalog)
        if THOROUGH:
            say("a hundred thousand")
            hundred_thousand(folder, catalog)
    finish()


if __name__ == "__main__":
    main()
