"""What bad input gets: for each, the right status and code as problem+json, and a seat map that has not changed."""

import contextlib
import datetime
import json
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check, token  # noqa: E402

SHOW = "/shows/load-00000"
RESERVE = f"{SHOW}/reserve"


class Bench:
    """The server under test, and the answers that bad input must get."""

    def __init__(self, server):
        self.server = server
        self.alice = token("alice")
        self.bob = token("bob")

    def seat_map(self):
        return self.server.request("GET", f"{SHOW}/seats")[2]["seats"]

    def expect(self, what, answer, status, code):
        """`answer` is (status, headers, body); several codes may be right where the text leaves it open."""
        got, headers, body = answer
        codes = code if isinstance(code, tuple) else (code,)
        check(got == status, f"{what}: status {got}, not {status}: {body}")
        if status < 400 or got != status:
            return
        check("application/problem+json" in headers.get("Content-Type", ""), f"{what}: not problem+json: {headers}")
        check(isinstance(body, dict) and body.get("code") in codes, f"{what}: code is not {code}: {body}")
        check(isinstance(body, dict) and body.get("status") == status and body.get("title"), f"{what}: status or title: {body}")

    def reserve(self, body, bearer=None, path=RESERVE, headers=None):
        return self.server.request("POST", path, body, bearer or self.alice, headers)


def bad_bodies(bench):
    """(what, body, status, code)"""
    eleven = [f"A{n}" for n in range(1, 12)]
    yield "malformed JSON", '{"seat_ids":["A1"', 400, "malformed_json"
    yield "trailing text", '{"seat_ids":["A1"]} x', 400, "malformed_json"
    yield "empty body", "", 400, ("malformed_json", "invalid_request")
    yield "an array", "[]", 400, ("invalid_request", "malformed_json")
    yield "wrong type", {"seat_ids": "A1"}, 400, "invalid_request"
    yield "wrong type inside", {"seat_ids": [1]}, 400, "invalid_request"
    yield "unknown field", {"seat_ids": ["A1"], "price": 1}, 400, "invalid_request"
    yield "field given twice", '{"seat_ids":["A1"],"seat_ids":["A2"]}', 400, ("invalid_request", "malformed_json")
    yield "broken UTF-8", b'{"seat_ids":["\xff\xfe"]}', 400, "malformed_json"
    yield "nothing asked for", {}, 400, ("invalid_request", "no_seats")
    yield "no seats", {"seat_ids": []}, 400, ("no_seats", "invalid_request")
    yield "unknown seat", {"seat_ids": ["A1", "Z99"]}, 400, "unknown_seat"
    yield "duplicate seat", {"seat_ids": ["A1", "A1"]}, 400, "duplicate_seat"
    yield "11 seats", {"seat_ids": eleven}, 400, "too_many_seats"
    yield "33 seats", {"seat_ids": [f"{r}{n}" for r in "AB" for n in range(1, 18)][:33]}, 400, ("too_many_seats", "invalid_request")
    yield "deep nesting", '{"seat_ids":' + "[" * 2_000 + "]" * 2_000 + "}", 400, ("malformed_json", "invalid_request")


def test_bodies(bench):
    before = bench.seat_map()
    for what, body, status, code in bad_bodies(bench):
        headers = {"Content-Type": "application/json"}
        bench.expect(what, bench.reserve(body, headers=headers), status, code)
    check(bench.seat_map() == before, "bad bodies: the seat map has not changed")


def test_names(bench):
    before = bench.seat_map()
    one = {"seat_ids": ["A1"]}
    bench.expect("unknown show", bench.reserve(one, path="/shows/nothing/reserve"), 400, "unknown_show")
    bench.expect("seats of an unknown show", bench.server.request("GET", "/shows/nothing/seats"), 404, "unknown_show")
    bench.expect("a show already started", bench.reserve(one, path="/shows/started/reserve"), 409, "show_started")
    bench.expect("path that does not exist", bench.server.request("GET", "/nothing"), 404, "not_found")
    bench.expect("a method that a path has not", bench.server.request("PUT", RESERVE, one, bench.alice), 405, "method_not_allowed")
    bench.expect("method that does not exist", bench.server.request("BREW", RESERVE, None, bench.alice), 501, "method_not_implemented")
    bench.expect("unknown reservation", bench.server.request("GET", f"/reservations/{UNKNOWN}", bearer=bench.alice), 404,
                 "unknown_reservation")
    bench.expect("id that is no id", bench.server.request("GET", "/reservations/x", bearer=bench.alice), 404, "unknown_reservation")
    bench.expect("unknown booking", bench.server.request("GET", f"/bookings/{UNKNOWN}", bearer=bench.alice), 404, "unknown_booking")
    bench.expect("unknown content type", bench.reserve("<seat>A1</seat>", headers={"Content-Type": "text/xml"}), 415,
                 "unsupported_media_type")
    check(bench.seat_map() == before, "bad names: the seat map has not changed")


UNKNOWN = "00000001-0000-8000-8000-000000000000"


def test_owners(bench):
    status, _, mine = bench.reserve({"seat_ids": ["B1", "B2"]})
    check(status == 201, f"a good reserve between the bad ones: {status} {mine}")
    before = bench.seat_map()
    path = f"/reservations/{mine['reservation_id']}"
    bench.expect("someone else's reservation, read", bench.server.request("GET", path, bearer=bench.bob), 403, "not_owner")
    bench.expect("someone else's reservation, released", bench.server.request("DELETE", path, bearer=bench.bob), 403, "not_owner")
    pay = {"reservation_id": mine["reservation_id"], "payment_token": "pm_card_visa"}
    bench.expect("someone else's reservation, booked", bench.server.request("POST", "/bookings", pay, bench.bob), 403, "not_owner")
    bench.expect("one more while one lives", bench.reserve({"seat_ids": ["C1"]}), 429, "reservation_limit")
    bench.expect("seats that are taken", bench.reserve({"seat_ids": ["B2", "B3"]}, token("carol")), 409, "seats_unavailable")
    check(bench.seat_map() == before, "someone else's: the seat map has not changed")
    declined = {**pay, "payment_token": "pm_card_chargeDeclinedInsufficientFunds"}
    bench.expect("declined card", bench.server.request("POST", "/bookings", declined, bench.alice), 402, "payment_declined")
    check(bench.seat_map() == before, "a declined card leaves the reservation alive")
    check(bench.server.request("DELETE", path, bearer=bench.alice)[0] == 204, "the owner releases it")


def test_tokens(bench):
    before = bench.seat_map()
    one = {"seat_ids": ["A1"]}
    claims = {"sub": "mallory", "role": "customer", "exp": int(time.time()) + 600}
    good = harness.sign_token(claims).split(".")
    bad = {
        "expired token": (harness.sign_token({**claims, "exp": int(time.time()) - 3_600}), "token_expired"),
        "token of another secret": (harness.sign_token(claims, secret="another-secret-of-32-bytes-length"), "invalid_token"),
        "token without signature": (f"{good[0]}.{good[1]}.", "invalid_token"),
        "token that says alg none": (harness.sign_token(claims, header={"alg": "none", "typ": "JWT"}), "invalid_token"),
        "token with a changed body": (".".join([good[0], harness.base64url(json.dumps({**claims, "role": "admin"}).encode()), good[2]]),
                                      "invalid_token"),
        "token that is no token": ("x.y.z", "invalid_token"),
    }
    for what, (bearer, code) in bad.items():
        bench.expect(what, bench.reserve(one, bearer), 401, code)
    bench.expect("import by a customer", bench.server.request("POST", "/admin/import", {"movies": []}, bench.alice), 403, "forbidden")
    check(bench.seat_map() == before, "bad tokens: the seat map has not changed")


def raw(port, data, until_close=True):
    """Sends bytes as they are. Returns the bytes of the answer."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=15)) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
        answer = b""
        with contextlib.suppress(OSError):
            while chunk := connection.recv(65_536):
                answer += chunk
                if not until_close and b"\r\n\r\n" in answer:
                    break
        return answer


def raw_answer(port, data):
    """The first answer to raw bytes as (status, headers, body)."""
    answer = raw(port, data)
    head, _, rest = answer.partition(b"\r\n\r\n")
    lines = head.decode(errors="replace").split("\r\n")
    if not lines[0].startswith("HTTP/1.1 "):
        return 0, {}, answer[:200]
    headers = {name.title(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = int(headers.get("Content-Length", 0))
    try:
        return int(lines[0].split()[1]), headers, json.loads(rest[:length] or b"null")
    except ValueError:
        return int(lines[0].split()[1]), headers, rest[:length]


def raw_requests(bearer):
    """(what, bytes, status, code): framing that RFC 9112 forbids, and sizes beyond the limits."""
    start = f"POST {RESERVE} HTTP/1.1\r\n".encode()
    host = b"Host: localhost\r\n"
    auth = f"Authorization: Bearer {bearer}\r\nContent-Type: application/json\r\n".encode()
    body = b'{"seat_ids":["A1"]}'
    length = f"Content-Length: {len(body)}\r\n".encode()
    yield "no host", start + auth + length + b"\r\n" + body, 400, "missing_host"
    yield "two hosts", start + host + host + auth + length + b"\r\n" + body, 400, "duplicate_host"
    yield "two lengths", start + host + auth + length + b"Content-Length: 5\r\n\r\n" + body, 400, "duplicate_content_length"
    yield "length and chunked", start + host + auth + length + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "transfer_encoding_and_length"
    yield "TE gzip", start + host + auth + b"Transfer-Encoding: gzip\r\n\r\n" + body, 400, "bad_transfer_encoding"
    yield "length that is no number", start + host + auth + b"Content-Length: +19\r\n\r\n" + body, 400, "bad_content_length"
    yield "folded header", start + host + auth + b"X-A: 1\r\n 2\r\n" + length + b"\r\n" + body, 400, "folded_field"
    yield "blank before the colon", start + host + auth + b"X-A : 1\r\n" + length + b"\r\n" + body, 400, "space_before_colon"
    yield "HTTP/3.0", start.replace(b"HTTP/1.1", b"HTTP/3.0") + host + auth + length + b"\r\n" + body, 505, "version_not_supported"
    yield "not HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", 400, "bad_request_line"
    yield "header over the limit", start + host + auth + b"X-Big: " + b"x" * 70_000 + b"\r\n" + length + b"\r\n" + body, 431, "head_too_large"
    yield "too many headers", start + host + auth + b"".join(b"X-%d: 1\r\n" % n for n in range(2_000)) + b"\r\n", 431, ("too_many_fields", "head_too_large")
    yield "target over the limit", b"GET /movies?q=" + b"x" * 12_000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414, "target_too_long"
    yield "body over the limit", start + host + auth + b"Content-Length: 2000000\r\n\r\n" + b" " * 2_000_000, 413, "body_too_large"


def test_framing(bench):
    before = bench.seat_map()
    for what, data, status, code in raw_requests(bench.alice):
        answer = raw_answer(bench.server.port, data)
        bench.expect(what, answer, status, code)
        check(answer[1].get("Connection", "").lower() == "close", f"{what}: the connection is closed: {answer[1]}")
        check(bench.server.is_ready(), f"{what}: the server lives on")
    smuggled = f"GET {SHOW}/seats HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    chunk_of = f"POST {RESERVE} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n".encode()
    answers = raw(bench.server.port, chunk_of + smuggled).count(b"HTTP/1.1 ")
    check(answers == 1, f"a request hidden behind bad framing is not answered: {answers} answers")
    check(bench.seat_map() == before, "bad framing: the seat map has not changed")


def test_imports(bench):
    admin = token("root", "admin")
    before = bench.server.request("GET", "/movies?city=Berlin")[2]
    mistakes = (
        {"theaters[0].latitude": ("theaters", "latitude", 123), "shows[0].start_time": ("shows", "start_time", "soon"),
         "movies[0].lenght": ("movies", "lenght", 1)},
        {"shows[0].screen_id": ("shows", "screen_id", "nowhere"), "theaters[0].time_zone": ("theaters", "time_zone", "Mars/Olympus")},
    )
    for made in mistakes:
        bad = harness.make_catalog(2, prefix="new-")
        for section, field, value in made.values():
            bad[section][0][field] = value
        answer = bench.server.request("POST", "/admin/import", bad, admin)
        bench.expect("bad document", answer, 422, "invalid_catalog")
        paths = {error["path"] for error in answer[2].get("errors", [])}
        check(set(made) <= paths, f"bad document: the path of each error: {answer[2]}")
    check(bench.server.request("GET", "/movies?city=Berlin")[2] == before, "bad document: refused whole")


def test_catalog_with_bad_setting(folder):
    done = harness.run_usher("serve", "--data", os.path.join(folder, "other"), "--set", "policy.reservation_tll=10m")
    said = done.stdout + done.stderr
    check(done.returncode not in (0, -6, -11), f"unknown key: exit {done.returncode}")
    check("policy.reservation_ttl" in said, f"unknown key: the nearest known one is named: {said[-300:]}")


def main():
    now = datetime.datetime.now(datetime.timezone.utc)
    soon = now + datetime.timedelta(seconds=3)
    with harness.temp_folder() as folder:
        document = harness.make_catalog(3, extra_shows=[("early", {"show_id": "started", "start_time": harness.rfc3339(soon)})])
        catalog = harness.write_json(os.path.join(folder, "catalog.json"), document)
        server = harness.Server(folder, catalog, {"policy.cooldown_after_refusals": "0"})
        with server:
            bench = Bench(server)
            test_bodies(bench)
            test_owners(bench)
            test_tokens(bench)
            test_framing(bench)
            test_imports(bench)
            while datetime.datetime.now(datetime.timezone.utc) <= soon:
                server.is_ready()  # the show starts meanwhile
            test_names(bench)
            check(server.stop() == 0, "SIGTERM: exit 0")
        test_catalog_with_bad_setting(folder)
    harness.finish()


if __name__ == "__main__":
    main()
