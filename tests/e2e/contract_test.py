"""Every call and every error that /openapi.json documents, against the real server; and nothing that it does not document.

Each part below makes a state of affairs and asks; contract.py judges every answer. At the end each documented pair of operation and
code must have been met, except those that say below why not.
"""

import concurrent.futures
import contextlib
import datetime
import http.client
import json
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from contract import Contract, Party  # noqa: E402
from harness import check, say  # noqa: E402

UNKNOWN = "00000001-0000-8000-8000-000000000000"
VISA = "pm_card_visa"
DAY = (datetime.date.today() + datetime.timedelta(days=3)).isoformat()
# (code, or status and code): why it is not met here
NOT_MET = {
    "show_full": "a show has 16 million reservation numbers; tests/engine/show has one that ran out of them",
    "mailbox_full": "tests/engine/shard fills a mailbox of two; over HTTP a loop would have to stand still",
    "log_behind": "needs a disk that stands still; tests/engine/shard has one",
    ("/bookings", "show_cancelled"): "between the record that cancels a show and the one that gives its reservations back",
    ("/shows/{show_id}/queue", "room_closed"): "between the record that closes a room and the one that opens its shows",
    ("/admin/deliveries/{delivery_id}/retry", ""): "needs a receiver that fails; tests/e2e/notify_test.py has one",
    "room_full": "four million people in one room; tests/engine/admission",
    "waitlist_full": "a thousand parties; tests/engine/show",
    "too_many_gates": "ten thousand gates",
    "policy_unchanged": "a show that is in the catalog and whose opening is not decided yet",
    "log_trimmed": "a log that was cut at its beginning; tests/e2e/events_test.py has one",
    (500, "internal_error"): "a ticket that cannot be drawn: needs a broken disk or a missing font",
    (500, "key_refused"): "keys that cannot be written: needs a broken disk",
}
SETTINGS = {"identity.issuer": "house", "identity.audience": "shop", "server.shards": "8", "policy.cooldown_after_refusals": "0",
            "policy.reservations_per_user_and_show": "1",
            "tickets.valid_before": "720h"}
HALL = {"layout_id": "small", "rows": [{"row": "A", "seats": "6S"}, {"row": "B", "seats": "1A1C2S"}, {"row": "C", "seats": "6P"}]}
MOVIE = {"movie_id": "new", "title": "New", "duration_minutes": 90, "genre": "Drama"}


def at(**delta):
    return harness.rfc3339(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta))


def token(user, role="customer", **claims):
    now = int(time.time())
    return harness.sign_token({"sub": user, "role": role, "iss": "house", "aud": "shop", "iat": now, "exp": now + 86_400, **claims})


def shows_of_the_parts():
    """Small shows, each on a screen of its own: (screen, what it changes of the usual show)."""
    def show(name, **changes):
        return f"screen-{name}", {"show_id": name, "start_time": at(days=3), **changes}
    for name in ("a", "b", "c", "d", "room", "drawn", "sold_out", "keys", "blocked", "cancelled", "refused", "paid"):
        yield show(name)
    yield show("orphans", policy={"orphan_rule": "all"})
    quick = {"reservation_ttl": "300ms", "payment_grace": "0s", "cooldown_after_abandoned": 0}
    yield show("quick", policy=quick)
    yield show("lost", policy=quick)
    yield show("cool", policy={"cooldown_after_refusals": 2, "cooldown": "1h"})
    yield show("final_sale", policy={"refund_tiers": [">999h:100"]})


def catalog():
    document = harness.make_catalog(2, extra_shows=list(shows_of_the_parts()))
    document["layouts"].append(HALL)
    for screen in document["theaters"][0]["screens"]:
        if screen["screen_id"].startswith("screen-"):
            screen["layout_id"] = "small"
    return document


class House:
    """The server under test and the people who ask it."""

    def __init__(self, contract, server):
        self.contract = contract
        self.server = server
        self.admin = self.party("boss", "admin")
        self.anybody = Party(contract, server)
        self.alice = self.party("alice")
        self.bob = self.party("bob")

    def party(self, user, role="customer"):
        return Party(self.contract, self.server, token(user, role))

    def reserve(self, party, show, seats, expect=201, **more):
        return party.ask("POST", f"/shows/{show}/reserve", {"seat_ids": seats}, expect, **more)[2]

    def pay(self, party, reservation, expect=201, card=VISA, **more):
        body = {"reservation_id": reservation["reservation_id"], "payment_token": card}
        return party.ask("POST", "/bookings", body, expect, **more)[2]


def example(template):
    """A path of that shape with names that exist, where that can be had without asking."""
    values = {"movie_id": "load-movie", "theater_id": "load-theater", "show_id": "d", "reservation_id": UNKNOWN, "booking_id": UNKNOWN,
              "ticket_id": UNKNOWN, "kid": "none", "queue_id": UNKNOWN, "room_id": "none", "gate_id": "none", "delivery_id": UNKNOWN}
    path = template
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    check("{" not in path, f"an example for {template}")
    return path


# ---- what many calls have in common ----

def who_asks(house):
    """401 and 403 before anything else is looked at."""
    now = int(time.time())
    claims = {"sub": "m", "role": "customer", "iss": "house", "aud": "shop", "exp": now + 600}
    good = harness.sign_token(claims).split(".")
    tokens = [
        ("invalid_token", "x.y.z"),
        ("invalid_token", f"{good[0]}.{good[1]}."),
        ("invalid_token", harness.sign_token(claims, header={"alg": "none", "typ": "JWT"})),
        ("invalid_token", harness.sign_token(claims, header={"alg": "HS256", "typ": "JWT", "kid": "nobody"})),
        ("token_expired", harness.sign_token({**claims, "exp": now - 3_600})),
        ("invalid_token", harness.sign_token({**claims, "nbf": now + 3_600})),
        ("invalid_token", harness.sign_token({**claims, "iss": "elsewhere"})),
        ("invalid_token", harness.sign_token({**claims, "aud": "elsewhere"})),
        ("invalid_token", harness.sign_token({**claims, "role": "king"})),
    ]
    for method, template, _, operation in house.contract.operations:
        if not operation.get("security"):
            continue
        path = example(template)
        body = example_body(operation)
        for code, bearer in tokens:
            house.anybody.ask(method, path, body, code, bearer=bearer, headers=media_of(operation))
        if "unauthorized" in operation["responses"]["401"]["x-usher-codes"]:
            house.anybody.ask(method, path, body, "unauthorized", headers=media_of(operation))
        if "forbidden" in operation["responses"].get("403", {}).get("x-usher-codes", []):
            below = house.party("somebody", "customer" if {"session": []} not in operation["security"] else "gate")
            path = path + "?user_id=0123456789abcdef" if template == "/bookings" else path
            (house.alice if template == "/bookings" else below).ask(method, path, body, "forbidden", headers=media_of(operation))


def media_of(operation):
    content = operation.get("requestBody", {}).get("content", {})
    return {"Content-Type": next(iter(content))} if content else {}


def example_body(operation):
    kind = media_of(operation).get("Content-Type")
    if kind is None:
        return None
    if "ndjson" in kind:
        return '{"command":"reserve","show_id":"a","seat_ids":["A1"]}\n'
    schema = operation["requestBody"]["content"][kind]["schema"].get("$ref", "").split("/")[-1]
    return {"ReserveRequest": '{"seat_ids":["A1"]}', "BookingRequest": f'{{"reservation_id":"{UNKNOWN}","payment_token":"{VISA}"}}'}.get(schema, "{}")


def bodies(house):
    """413, 415, and what is no JSON or breaks a rule."""
    for method, template, _, operation in house.contract.operations:
        if "requestBody" not in operation or template.endswith("/cancel") or "{room_id}" in template:
            continue  # these look for the booking or the room first: see tickets() and rooms()
        party = house.alice if {"session": []} in operation["security"] else house.admin
        path = example(template)
        kind = media_of(operation)
        documented = {code for response in operation["responses"].values() for code in response.get("x-usher-codes", [])}
        party.ask(method, path, "<xml/>", "unsupported_media_type", headers={"Content-Type": "text/xml"})
        if "body_too_large" in documented:
            party.ask(method, path, None, "body_too_large", headers={**kind, "Content-Length": "99999999999"})
            party.client.close()  # the body will not be read
        if "malformed_json" in documented:
            party.ask(method, path, '{"a', "malformed_json", headers=kind)
        if "invalid_request" in documented:
            party.ask(method, path, '{"colour":"red"}', "invalid_request", headers=kind)
        if "invalid_idempotency_key" in documented:
            party.ask(method, path, example_body(operation), "invalid_idempotency_key", headers={**kind, "Idempotency-Key": "k" * 300})


def unchanged(house):
    """304 for who has it already."""
    for path in ("/movies?city=Berlin", "/movies/load-movie", f"/movies/load-movie/showtimes?city=Berlin&date={DAY}", "/theaters?city=Berlin",
                 "/theaters/load-theater", "/shows/a", "/shows/a/seats", "/cities", "/openapi.json"):
        tag = house.anybody.ask("GET", path, expect=200)[1].get("ETag", "")
        template, operation = house.contract.find("GET", path.split("?")[0])
        if "304" in operation["responses"]:
            house.anybody.ask("GET", path, expect=304, headers={"If-None-Match": tag})
        else:
            check(house.anybody.ask("GET", path, headers={"If-None-Match": tag})[0] == 200, f"{template}: no 304 is documented")


def browse(house):
    ask = house.anybody.ask
    for path in ("/movies?near=0,200", "/movies?city=Berlin&limit=0", "/movies/load-movie/showtimes?city=Berlin&date=never", "/theaters?near=x"):
        ask("GET", path, expect="invalid_parameter")
    ask("GET", "/movies/suggest?q=load&limit=999", expect="invalid_parameter")
    for path in ("/movies", "/movies/suggest", "/movies/load-movie/showtimes", "/theaters"):
        ask("GET", path, expect="missing_parameter")
    for path, code in (("/movies/none", "unknown_movie"), (f"/movies/none/showtimes?city=Berlin&date={DAY}", "unknown_movie"),
                       ("/theaters/none", "unknown_theater"), ("/shows/none", "unknown_show"), ("/shows/none/seats", "unknown_show")):
        ask("GET", path, expect=code)
    for path in ("/movies?city=Berlin&facets=true&q=lod", "/movies/suggest?q=the+lo", "/theaters?near=52.5,13.4&radius_km=20", "/", "/healthz", "/readyz",
                 "/.well-known/usher-keys.json"):
        ask("GET", path, expect=200)
    house.admin.ask("GET", "/metrics", expect=200)
    house.anybody.ask("GET", "/metrics", expect="unauthorized")
    house.alice.ask("GET", "/metrics", expect="forbidden")
    ask("GET", "/", expect=200, headers={"Accept": "text/html"})


# ---- the sale ----

def choose(house):
    alice, bob = house.alice, house.bob
    kept = house.reserve(alice, "a", ["A1", "A2"])
    house.reserve(alice, "a", ["A5"], "reservation_limit")
    house.reserve(bob, "a", ["A2", "A3"], "seats_unavailable")
    house.reserve(bob, "a", [], "no_seats")
    house.reserve(bob, "a", ["A3", "A3"], "duplicate_seat")
    house.reserve(bob, "a", ["Z9"], "unknown_seat")
    house.reserve(bob, "load-00000", [f"A{n}" for n in range(1, 12)], "too_many_seats")
    house.reserve(bob, "none", ["A1"], "unknown_show")
    house.reserve(bob, "a", ["B2"], "companion_rule")
    house.reserve(bob, "orphans", ["A2"], "orphan_rule")
    bob.ask("POST", "/shows/a/reserve", {"best_available": {"count": 8}}, "no_adjacent_seats")
    best = bob.ask("POST", "/shows/a/reserve", {"best_available": {"count": 2}}, 201)[2]
    path = f"/reservations/{kept['reservation_id']}"
    alice.ask("GET", path, expect=200)
    for method in ("GET", "DELETE"):
        bob.ask(method, path, expect="not_owner")
        bob.ask(method, f"/reservations/{UNKNOWN}", expect="unknown_reservation")
    house.pay(bob, kept, "not_owner")
    house.pay(bob, {"reservation_id": UNKNOWN}, "unknown_reservation")
    house.pay(alice, kept, "payment_declined", card="pm_card_chargeDeclined")
    alice.ask("DELETE", path, expect=204)
    bob.ask("DELETE", f"/reservations/{best['reservation_id']}", expect=204)


def cool_down(house):
    carol = house.party("carol")
    house.reserve(house.bob, "cool", ["A1"])
    for _ in range(2):
        house.reserve(carol, "cool", ["A1"], "seats_unavailable")
    house.reserve(carol, "cool", ["A3"], "cooldown")
    carol.ask("POST", "/shows/cool/waitlist", {"count": 1}, "cooldown")


def too_late(house):
    """Reservations that ran out, with their seats free still, and taken by somebody else."""
    alice, bob = house.alice, house.bob
    expired = house.reserve(alice, "quick", ["A1"])
    lost = house.reserve(alice, "lost", ["A1"])
    time.sleep(0.5)
    house.reserve(bob, "lost", ["A1"])
    for reservation, code in ((expired, "reservation_expired"), (lost, "seats_lost")):
        path = f"/reservations/{reservation['reservation_id']}"
        alice.ask("GET", path, expect="unknown_reservation")
        alice.ask("DELETE", path, expect="unknown_reservation")
        house.pay(alice, reservation, code)


def keys(house):
    """Idempotency keys: said twice, used otherwise, in flight, too many. The gateway takes a moment here."""
    dora = house.party("dora")
    key = {"Idempotency-Key": "reserve-1"}
    first = house.reserve(dora, "keys", ["A1"], headers=key)
    again = house.reserve(dora, "keys", ["A1"], headers=key)
    check(again["reservation_id"] == first["reservation_id"], f"the same answer again: {again}")
    house.reserve(dora, "keys", ["A2"], "idempotency_key_reused", headers=key)
    paying = {"Idempotency-Key": "pay-1"}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        other = house.party("dora")
        paid = pool.submit(house.pay, other, first, 201, headers=paying)
        time.sleep(0.15)
        house.pay(dora, first, "idempotency_in_flight", headers=paying)
        house.pay(dora, first, "payment_in_flight")
        dora.ask("DELETE", f"/reservations/{first['reservation_id']}", expect="payment_in_flight")
        booking = paid.result()
    house.pay(dora, first, "idempotency_key_reused", card="pm_card_mastercard", headers=paying)
    house.pay(dora, first, "already_booked")
    dora.ask("DELETE", f"/reservations/{first['reservation_id']}", expect="already_booked")
    cancel = f"/bookings/{booking['booking_id']}/cancel"
    dora.ask("POST", cancel, {"seat_ids": ["A3"]}, "unknown_seat_in_booking")
    dora.ask("POST", cancel, {"seat_ids": ["Z1"]}, "unknown_seat")
    done = dora.ask("POST", cancel, {"seat_ids": ["A1"]}, 200, headers={"Idempotency-Key": "cancel-1"})[2]
    check(done["refund"]["percent"] == 100, f"all comes back: {done}")
    dora.ask("POST", cancel, {"seat_ids": ["A2"]}, "idempotency_key_reused", headers={"Idempotency-Key": "cancel-1"})
    for number in range(200):
        answer = dora.ask("POST", "/shows/keys/reserve", {"seat_ids": ["A2"]}, headers={"Idempotency-Key": f"many-{number}"})
        if answer[0] == 429:
            break
        dora.ask("DELETE", f"/reservations/{answer[2]['reservation_id']}", expect=204)
    check(answer[2].get("code") == "idempotency_keys_exhausted", f"after {number} keys: {answer}")
    live = house.reserve(dora, "keys", ["A2"])
    house.pay(dora, live, "idempotency_keys_exhausted", headers={"Idempotency-Key": "pay-2"})
    dora.ask("POST", cancel, None, "idempotency_keys_exhausted", headers={"Idempotency-Key": "cancel-2"})


def tickets(house):
    alice, bob = house.alice, house.bob
    booking = house.pay(alice, house.reserve(alice, "b", ["A1", "A2"]))
    final = house.pay(alice, house.reserve(alice, "final_sale", ["A1"]))
    path = f"/bookings/{booking['booking_id']}"
    ticket = booking["tickets"][0]["ticket_id"]
    views = [path, f"{path}/cancellation", f"{path}/calendar.ics", *(f"{path}/tickets/{ticket}.{kind}" for kind in ("svg", "png", "pdf"))]
    for view in views:
        alice.ask("GET", view, expect=200)
        bob.ask("GET", view, expect="not_owner")
        alice.ask("GET", view.replace(booking["booking_id"], UNKNOWN), expect="unknown_booking")
    for kind in ("svg", "png", "pdf"):
        alice.ask("GET", f"{path}/tickets/{UNKNOWN}.{kind}", expect="unknown_ticket")
    alice.ask("GET", "/bookings?limit=1", expect=200)
    alice.ask("GET", "/bookings?limit=0", expect="invalid_parameter")
    house.admin.ask("GET", f"/bookings?user_id={booking['user_id']}", expect=200)
    cancel = f"{path}/cancel"
    bob.ask("POST", cancel, None, "not_owner")
    bob.ask("POST", f"/bookings/{UNKNOWN}/cancel", None, "unknown_booking")
    alice.ask("POST", cancel, {"seat_ids": ["A1", "A1"]}, "duplicate_seat")
    alice.ask("POST", cancel, {"seat_ids": []}, "no_seats")
    alice.ask("POST", cancel, "<xml/>", "unsupported_media_type", headers={"Content-Type": "text/xml"})
    kind = {"Content-Type": "application/json"}
    alice.ask("POST", cancel, '{"a', "malformed_json", headers=kind)
    alice.ask("POST", cancel, '{"colour":"red"}', "invalid_request", headers=kind)
    alice.ask("POST", cancel, "{}", "invalid_idempotency_key", headers={**kind, "Idempotency-Key": "k" * 300})
    alice.ask("POST", cancel, None, "body_too_large", headers={**kind, "Content-Length": "99999999999"})
    alice.client.close()
    alice.ask("POST", cancel, None, 200)
    alice.ask("POST", cancel, None, "already_cancelled")
    alice.ask("GET", f"{path}/cancellation", expect="already_cancelled")
    for kind in ("svg", "png"):
        alice.ask("GET", f"{path}/tickets/{ticket}.{kind}", expect="already_cancelled")
    late = f"/bookings/{final['booking_id']}"
    alice.ask("GET", f"{late}/cancellation", expect="cancellation_too_late")
    alice.ask("POST", f"{late}/cancel", None, "cancellation_too_late")


def gate(house):
    """The door: a ticket is used, and what was used is not given back."""
    admin, alice = house.admin, house.alice
    keeper = house.party("keeper", "gate")
    admin.ask("POST", "/admin/gates", {"gate_id": "north", "screen_id": "screen-c"}, 201)
    admin.ask("POST", "/admin/gates", {"gate_id": "south", "show_id": "c"}, 201)
    admin.ask("GET", "/admin/gates", expect=200)
    admin.ask("DELETE", "/admin/gates/south", expect=204)
    admin.ask("DELETE", "/admin/gates/south", expect="unknown_gate")
    booking = house.pay(alice, house.reserve(alice, "c", ["A1"]))
    scan = {"ticket": booking["tickets"][0]["qr_code"], "gate": "north"}
    keeper.ask("POST", "/checkins", scan, 200)
    keeper.ask("POST", "/checkins", {"checkins": [scan]}, 200)
    keeper.ask("POST", "/checkins", {**scan, "gate": "nowhere"}, "unknown_gate")
    keeper.ask("GET", "/revocations", expect=200)
    keeper.ask("GET", "/revocations?from=hello", expect="invalid_parameter")
    path = f"/bookings/{booking['booking_id']}"
    alice.ask("GET", f"{path}/cancellation", expect="ticket_used")
    alice.ask("POST", f"{path}/cancel", None, "ticket_used")


def people(house):
    """What the house tells of a person, and of what happened."""
    admin = house.admin
    for path in ("/events?limit=5", "/admin/deliveries"):
        admin.ask("GET", path, expect=200)
    admin.ask("GET", "/events?limit=0", expect="invalid_parameter")
    admin.ask("GET", "/admin/deliveries?state=odd", expect="invalid_parameter")
    admin.ask("POST", f"/admin/deliveries/{UNKNOWN}/retry", None, "unknown_delivery")
    someone = house.party("someone")
    someone.ask("GET", "/me/export", expect=200)
    someone.ask("DELETE", "/me", expect=204)
    past = f"/shows/a/seats?as_of={at(seconds=0)}"
    admin.ask("GET", past, expect=200)
    house.alice.ask("GET", past, expect="forbidden")
    house.anybody.ask("GET", past, expect="unauthorized")
    house.anybody.ask("GET", "/shows/a/seats?as_of=never", expect="invalid_parameter")
    for code, bearer in (("invalid_token", "x.y.z"), ("token_expired", token("boss", "admin", exp=1_000_000_000))):
        house.anybody.ask("GET", past, expect=code, bearer=bearer)


def batch(house):
    lines = ['{"command":"reserve","show_id":"c","seat_ids":["A1"],"user_id":"batch-1"}', '{"command":"fly"}', "{"]
    kind = {"Content-Type": "application/x-ndjson"}
    answer = house.admin.ask("POST", "/commands", "\n".join(lines) + "\n", 200, headers=kind)[2]
    check(isinstance(answer, (bytes, str)) and answer.count(b"\n" if isinstance(answer, bytes) else "\n") == 3, f"three lines: {answer}")


# ---- the house ----

def rooms(house):
    admin, alice, bob = house.admin, house.alice, house.bob
    for room, show, more in (("hall", "room", {}), ("lots", "drawn", {"order": "draw", "awaits_beacon": True})):
        body = {"room_id": room, "show_ids": [show], **more}
        admin.ask("POST", "/admin/rooms", body, 201)
        admin.ask("POST", "/admin/rooms", body, "room_exists")
    admin.ask("POST", "/admin/rooms", {"room_id": "third", "show_ids": ["room"]}, "show_has_room")
    admin.ask("GET", "/admin/rooms", expect=200)
    admin.ask("GET", "/admin/rooms/hall", expect=200)
    admin.ask("PATCH", "/admin/rooms/hall", {"rate_per_minute": 600}, 200)
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/close"), ("POST", "/draw")):
        admin.ask(method, f"/admin/rooms/none{path}", {} if method != "GET" else None, "unknown_room")
    for method, path in (("PATCH", "/admin/rooms/hall"), ("POST", "/admin/rooms/lots/draw")):
        admin.ask(method, path, "<xml/>", "unsupported_media_type", headers={"Content-Type": "text/xml"})
        admin.ask(method, path, '{"a', "malformed_json", headers={"Content-Type": "application/json"})
        admin.ask(method, path, {"colour": "red"}, "invalid_request")
    house.reserve(alice, "room", ["A1"], "admission_required")
    place = alice.ask("POST", "/shows/room/queue", None, 201)[2]
    alice.ask("POST", "/shows/room/queue", None, 200)
    alice.ask("POST", "/shows/a/queue", None, "no_waiting_room")
    alice.ask("POST", "/shows/none/queue", None, "unknown_show")
    path = f"/queue/{place['queue_id']}"
    for method in ("GET", "DELETE"):
        bob.ask(method, path, expect="not_owner")
        bob.ask(method, f"/queue/{UNKNOWN}", expect="unknown_place")
    deadline = time.monotonic() + 10
    while (now := alice.ask("GET", path, expect=200)[2])["state"] != "admitted" and time.monotonic() < deadline:
        time.sleep(0.1)
    house.reserve(alice, "room", ["A1"], headers={"Admission-Token": now["admission"]["token"]})
    gone = bob.ask("POST", "/shows/room/queue", None, 201)[2]
    bob.ask("DELETE", f"/queue/{gone['queue_id']}", expect=204)
    admin.ask("POST", "/admin/rooms/hall/close", None, 200)
    admin.ask("PATCH", "/admin/rooms/hall", {"rate_per_minute": 60}, "room_closed")
    bob.ask("POST", "/shows/room/queue", None)
    for n in range(3):
        house.party(f"lot-{n}").ask("POST", "/shows/drawn/queue", None, 201)
    deadline = time.monotonic() + 10
    while not house.anybody.ask("GET", "/rooms/lots/draw", expect=200)[2]["frozen"] and time.monotonic() < deadline:
        time.sleep(0.1)
    admin.ask("POST", "/admin/rooms/lots/draw", {"beacon": "3 9 12"}, 200)
    admin.ask("POST", "/admin/rooms/lots/draw", {"beacon": "again"}, "nothing_to_draw")
    house.anybody.ask("GET", "/rooms/lots/draw?from=0&limit=2", expect=200)
    house.anybody.ask("GET", "/rooms/lots/draw?limit=0", expect="invalid_parameter")
    house.anybody.ask("GET", "/rooms/none/draw", expect="unknown_room")


def second_chance(house):
    """A sold-out show: one holds all of it, others wait."""
    admin, hope = house.admin, house.party("hope")
    hope.ask("POST", "/shows/sold_out/waitlist", {"count": 1}, "seats_still_available")
    admin.ask("POST", "/admin/shows/sold_out/block", {"seat_ids": [f"{row}{n}" for row in "AC" for n in range(1, 7)] + ["B1", "B2", "B3"]}, 200)
    holder = house.reserve(house.bob, "sold_out", ["B4"])
    hope.ask("POST", "/shows/sold_out/waitlist", {"count": 1}, 201)
    hope.ask("POST", "/shows/sold_out/waitlist", {"count": 1}, 200)
    hope.ask("POST", "/shows/none/waitlist", {"count": 1}, "unknown_show")
    hope.ask("POST", "/shows/sold_out/waitlist", {"count": 32}, "too_many_seats")
    hope.ask("POST", "/shows/cancelled/waitlist", {"count": 1}, "show_cancelled")
    house.bob.ask("POST", "/shows/sold_out/waitlist", {"count": 1}, "reservation_limit")
    hope.ask("GET", "/shows/sold_out/waitlist", expect=200)
    leaver = house.party("leaver")
    for method in ("GET", "DELETE"):
        leaver.ask(method, "/shows/sold_out/waitlist", expect="not_on_waitlist")
        leaver.ask(method, "/shows/none/waitlist", expect="unknown_show")
    leaver.ask("POST", "/shows/sold_out/waitlist", {"count": 1}, 201)
    leaver.ask("DELETE", "/shows/sold_out/waitlist", expect=204)
    house.bob.ask("DELETE", f"/reservations/{holder['reservation_id']}", expect=204)
    served = hope.ask("GET", "/shows/sold_out/waitlist", expect=200)[2]
    check(served["state"] == "reserved", f"the seat is theirs: {served}")
    admin.ask("PUT", "/admin/shows/sold_out/policy", {"seats_per_reservation": 4}, 200)
    admin.ask("PUT", "/admin/shows/none/policy", {"seats_per_reservation": 4}, "unknown_show")


def live(house):
    """The feed's answers before it begins; tests/e2e/feed_test.py follows what comes then."""
    path = "/shows/a/live"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    ask = house.anybody.ask
    for wanted, headers, code in ((path, {}, "upgrade_required"), ("/shows/none/live", upgrade, "unknown_show"),
                                  (path, {**upgrade, "Sec-WebSocket-Key": "x"}, "invalid_handshake"), (f"{path}?from=x", upgrade, "invalid_parameter"),
                                  (path, {**upgrade, "Origin": "https://elsewhere.example"}, "origin_not_allowed")):
        ask("GET", wanted, expect=code, headers=headers)
        house.anybody.client.close()
    streams = []
    for headers, status in ((upgrade, 101), ({"Accept": "text/event-stream"}, 200)):
        streams.append(open_stream(house, path, headers))
        check(streams[-1][1][0] == status, f"{headers}: {streams[-1][1][0]}")
    return streams


def open_stream(house, path, headers):
    """Returns the connection and (status, headers, no body): the stream goes on."""
    connection = socket.create_connection(("127.0.0.1", house.server.port), timeout=10)
    lines = [f"GET {path} HTTP/1.1", "Host: x"] + [f"{name}: {value}" for name, value in headers.items()]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = http.client.HTTPResponse(Wire(connection), method="GET")
    answer.begin()
    body = b"" if answer.status in (101, 200) else json.loads(answer.read())
    if answer.status in (101, 200):
        house.contract.seen.add(("GET", "/shows/{show_id}/live", answer.status, ""))
    else:
        house.contract.judge("GET", path, (answer.status, answer.headers, body))
    return connection, (answer.status, answer.headers, body)


def starts_and_ends(house):
    """A show that starts in a moment and ends soon after."""
    admin, alice = house.admin, house.alice
    show = {show["show_id"]: show for show in catalog()["shows"]}["d"]
    show = {**show, "show_id": "soon", "start_time": at(seconds=1), "end_time": at(seconds=2.5), "policy": {"payment_grace": "0s"}}
    admin.ask("PUT", "/admin/shows/soon", show, 200)
    begun = time.monotonic()
    late = [house.party(f"late-{n}") for n in (1, 2)]
    held = [house.reserve(party, "soon", [f"A{n}"]) for n, party in enumerate(late, 1)]
    time.sleep(max(0.0, begun + 1.3 - time.monotonic()))
    house.pay(late[0], held[0], "show_started")
    house.reserve(alice, "soon", ["A5"], "show_started")
    alice.ask("POST", "/shows/soon/waitlist", {"count": 1}, "show_started")
    time.sleep(max(0.0, begun + 2.9 - time.monotonic()))
    house.pay(late[1], held[1], "show_completed")
    house.reserve(alice, "soon", ["A5"], "show_completed")
    alice.ask("POST", "/shows/soon/waitlist", {"count": 1}, "show_completed")
    for call in ("block", "unblock"):
        admin.ask("POST", f"/admin/shows/soon/{call}", {"seat_ids": ["A5"]}, "show_completed")
    admin.ask("POST", "/admin/shows/soon/cancel", None, "show_completed")


def run_the_house(house):
    admin, alice = house.admin, house.alice
    paid_for = house.reserve(alice, "cancelled", ["A1"])
    admin.ask("POST", "/admin/shows/blocked/block", {"seat_ids": ["A1", "A2"]}, 200)
    house.reserve(alice, "blocked", ["A3"])
    admin.ask("POST", "/admin/shows/blocked/block", {"seat_ids": ["A3"]}, "seats_unavailable")
    admin.ask("POST", "/admin/shows/blocked/unblock", {"seat_ids": ["A1", "A2"]}, 200)
    for call in ("block", "unblock"):
        admin.ask("POST", f"/admin/shows/blocked/{call}", {"seat_ids": ["Z1"]}, "unknown_seat")
        admin.ask("POST", f"/admin/shows/blocked/{call}", {"seat_ids": ["A1", "A1"]}, "duplicate_seat")
        admin.ask("POST", f"/admin/shows/none/{call}", {"seat_ids": ["A1"]}, "unknown_show")
    admin.ask("POST", "/admin/shows/none/cancel", None, "unknown_show")
    admin.ask("POST", "/admin/shows/cancelled/cancel", None, 200)
    admin.ask("POST", "/admin/shows/cancelled/cancel", None, 200)
    house.reserve(house.bob, "cancelled", ["A2"], "show_cancelled")
    house.pay(alice, paid_for, None)  # show_cancelled, or unknown_reservation a moment later
    for call in ("block", "unblock"):
        admin.ask("POST", f"/admin/shows/cancelled/{call}", {"seat_ids": ["A1"]}, "show_cancelled")


def explain(house):
    path = "/admin/shows/blocked/explanation"
    house.admin.ask("GET", f"{path}?user=alice&seat_ids=A1,A3", expect=200)
    house.admin.ask("GET", "/admin/shows/room/explanation?user=alice", expect=200)
    house.admin.ask("GET", path, expect="invalid_parameter")
    house.admin.ask("GET", "/admin/shows/none/explanation?user=alice", expect="unknown_show")


def change_the_catalog(house):
    admin = house.admin
    document = catalog()
    theater = {**document["theaters"][0], "theater_id": "new-theater", "name": "Another", "screens": [
        {"screen_id": "new-screen", "name": "1", "seat_layout": {"rows": HALL["rows"]}}]}
    things = {"movies": ("new", MOVIE), "theaters": ("new-theater", theater), "shows": ("a", None)}
    shows = {show["show_id"]: show for show in document["shows"]}
    things["shows"] = ("load-00001", shows["load-00001"])
    for kind, (name, thing) in things.items():
        path = f"/admin/{kind}/{name}"
        for _ in range(50):  # an import that is being published is waited for
            if admin.ask("PUT", path, thing)[2].get("code") != "import_running":
                break
        admin.ask("PUT", path, thing, "precondition_failed", headers={"If-None-Match": "*"})
        other = {**thing, kind[:-1] + "_id": "else"}
        admin.ask("PUT", path, other, "invalid_request")
        broken = {"movies": {**thing, "duration_minutes": 0}, "theaters": {**thing, "latitude": 91},
                  "shows": {**thing, "start_time": "soon"}}[kind]
        admin.ask("PUT", path, broken, "invalid_catalog")
    admin.ask("POST", "/admin/import?dry_run=true", {"movies": [MOVIE]}, 200)
    admin.ask("POST", "/admin/import?dry_run=true", "movie_id,title,duration_minutes\nm-csv,From a sheet,90\n", 200, headers={"Content-Type": "text/csv"})
    admin.ask("POST", "/admin/import?dry_run=perhaps", {"movies": [MOVIE]}, "invalid_parameter")
    admin.ask("POST", "/admin/import", {"movies": [{"movie_id": "x"}]}, "invalid_catalog")
    many = harness.make_catalog(40_000, prefix="many-")
    met = set()
    for _ in range(10):  # until every call was met by a running import
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(house.party("boss", "admin").ask, "POST", "/admin/import", many)
            while not running.done():
                met.add(("import", admin.ask("POST", "/admin/import?dry_run=true", {"movies": [MOVIE]})[2].get("code")))
                for kind, (name, thing) in things.items():
                    met.add((kind, admin.ask("PUT", f"/admin/{kind}/{name}", thing)[2].get("code")))
            running.result()
        if len([code for _, code in met if code == "import_running"]) == 4:
            break


def ticket_keys(house):
    admin = house.admin
    added = admin.ask("POST", "/admin/ticket-keys", {"active_from": at(hours=1)}, 201)[2]
    admin.ask("POST", "/admin/ticket-keys", {"active_from": "soon"}, "invalid_request")
    admin.ask("DELETE", "/admin/ticket-keys/none", None, "unknown_ticket_key")
    signing = house.anybody.ask("GET", "/.well-known/usher-keys.json", expect=200)[2]["keys"]
    first = next(key["kid"] for key in signing if key["kid"] != added["kid"])
    admin.ask("DELETE", f"/admin/ticket-keys/{first}", None, "key_refused")
    admin.ask("DELETE", f"/admin/ticket-keys/{added['kid']}", None, 204)
    for _ in range(100):  # until there are as many as may be
        if admin.ask("POST", "/admin/ticket-keys", {"active_from": at(hours=1)})[0] == 409:
            break


# ---- the server's own state ----

def everything(contract, server, only_get=False, headers=None):
    """Each operation once, whatever it answers. Returns the codes."""
    codes = {}
    admin = Party(contract, server, token("boss", "admin"))
    alice = Party(contract, server, token("alice"))
    for method, template, _, operation in contract.operations:
        if only_get and method != "GET":
            continue
        party = alice if {"session": []} in operation.get("security", []) else admin
        with contextlib.suppress(ConnectionError):
            answer = party.ask(method, example(template), example_body(operation), headers={**media_of(operation), **(headers or {})})
            codes[method, template] = answer[2].get("code") if isinstance(answer[2], dict) else None
    return codes


def not_ready(contract, folder):
    """While a server starts: it warms a lot of memory, which takes a moment."""
    server = harness.Server(folder, settings={**SETTINGS, "server.warm_memory": "3GiB"}, name="starting")
    starting = threading.Thread(target=server.start)
    starting.start()
    try:
        while not server.port:
            time.sleep(0.005)
        codes = everything(contract, server)
        check("not_ready" in codes.values(), f"a server that starts says so: {codes}")
    finally:
        starting.join()
        server.stop()


def short_of(contract, folder, catalog_file):
    """No room on the disk; a gateway whose answers get lost; more work than the pool takes."""
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize >> 20
    settings = {**SETTINGS, "disk.high_water": f"{2 * free}MiB", "disk.low_water": f"{3 * free // 2}MiB"}
    with harness.Server(os.path.join(folder, "disk"), None, SETTINGS) as server:
        House(contract, server).admin.ask("POST", "/admin/import", catalog(), 200)
        server.stop()
    with harness.Server(os.path.join(folder, "disk"), None, settings, name="disk") as server:
        house = House(contract, server)
        house.reserve(house.alice, "a", ["A1"], "disk_nearly_full")
    settings = {**SETTINGS, "feed.subscribers_max": "2", "feed.per_address_max": "1"}
    with harness.Server(os.path.join(folder, "feed"), catalog_file, settings, name="feed") as server:
        house = House(contract, server)
        stream = {"Accept": "text/event-stream"}
        opened = [open_stream(house, "/shows/a/live", stream) for _ in range(2)]
        check(opened[1][1][2].get("code") == "too_many_subscribers", f"one per address: {opened[1][1]}")
    settings = {**SETTINGS, "feed.subscribers_max": "1"}
    with harness.Server(os.path.join(folder, "feed"), catalog_file, settings, name="feed") as server:
        house = House(contract, server)
        opened = [open_stream(house, "/shows/a/live", stream) for _ in range(2)]
        check(opened[1][1][2].get("code") == "feed_full", f"one in all: {opened[1][1]}")
    settings = {**SETTINGS, "limits.user_quota": "1", "limits.user_window": "1h", "limits.address_quota": "20", "limits.address_window": "1h",
                "http.trusted_proxies": "127.0.0.1"}
    with harness.Server(os.path.join(folder, "limits"), catalog_file, settings, name="limits") as server:
        everything(contract, server)
        everything(contract, server)
        for _ in range(3):
            everything(contract, server, headers={"X-Forwarded-For": "198.51.100.7"})
    settings = {**SETTINGS, "payments.unknown_rate": "1", "server.work_queue_max": "1", "server.work_threads": "1"}
    with harness.Server(os.path.join(folder, "unknown"), catalog_file, settings, name="unknown") as server:
        house = House(contract, server)
        house.pay(house.alice, house.reserve(house.alice, "a", ["A1"]), 202)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for _ in range(20):
                list(pool.map(lambda n: everything(contract, server, only_get=True), range(8)))
                if "overloaded" in {code for *_, code in contract.seen}:
                    break


def draining(contract, folder, catalog_file):
    """While a server stops: payments under way hold it up, and one request behind each of them is still answered."""
    late = [(method, template, operation) for method, template, _, operation in contract.operations
            if "draining" in operation["responses"].get("503", {}).get("x-usher-codes", [])]
    with harness.Server(folder, catalog_file, {**SETTINGS, "payments.latency": "2s"}, name="draining") as server:
        house = House(contract, server)
        connections = []
        for number in range(len(late)):
            party = house.party(f"payer-{number}")
            held = house.reserve(party, "load-00000", [f"A{number + 1}" if number < 20 else f"B{number - 19}"])
            body = json.dumps({"reservation_id": held["reservation_id"], "payment_token": VISA})
            connections.append(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            connections[-1].sendall(written("POST", "/bookings", body, "application/json", party.bearer))
        time.sleep(0.3)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(server.stop)
            time.sleep(0.3)
            for connection, (method, template, operation) in zip(connections, late):
                who = token("alice") if {"session": []} in operation.get("security", []) else token("boss", "admin")
                kind = media_of(operation).get("Content-Type", "")
                connection.sendall(written(method, example(template), example_body(operation) or "", kind, who))
            for connection, (method, template, _) in zip(connections, late):
                wire = Wire(connection)
                contract.judge("POST", "/bookings", read_answer(wire, "POST"))
                contract.judge(method, example(template), read_answer(wire, method))
                connection.close()
            check(stopping.result() == 0, "it stops cleanly")


def read_answer(wire, method):
    answer = http.client.HTTPResponse(wire, method=method)
    answer.begin()
    content = answer.read()
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    return answer.status, answer.headers, json.loads(content) if kind.endswith(("/json", "+json")) else content


class Wire:
    """A connection of which several answers are read, one after the other."""

    def __init__(self, connection):
        self.file = connection.makefile("rb")

    def makefile(self, _mode):
        return self

    def __getattr__(self, name):
        return getattr(self.file, name)

    def close(self):
        pass  # HTTPResponse closes what it has read from


def written(method, path, body, kind, bearer):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {bearer}", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines + ([f"Content-Type: {kind}"] if kind else [])) + "\r\n\r\n" + body).encode()


def routes(contract):
    """Each route that the server has is documented."""
    with open(os.path.join(harness.TOP, "server", "api", "routes.hpp"), encoding="utf-8") as file:
        found = re.findall(r'\{http::Method::(\w+?)_?, "([^"]+)"', file.read())
    plain = {(method, re.sub(r"\{[^}]*\}", "{}", template)) for method, template, _, _ in contract.operations}
    for method, pattern in found:
        check((method.upper(), re.sub(r"\{[^}]*\}", "{}", pattern)) in plain, f"{method.upper()} {pattern} is documented")
    check(len(found) > 50, f"routes were found: {len(found)}")


def main():
    with harness.temp_folder() as folder:
        catalog_file = harness.write_json(os.path.join(folder, "catalog.json"), catalog())
        with harness.Server(os.path.join(folder, "one"), catalog_file, {**SETTINGS, "payments.latency": "500ms"}) as server:
            with open(os.path.join(harness.TOP, "server", "openapi", "openapi.json"), encoding="utf-8") as file:
                contract = Contract(json.load(file))
            check(server.request("GET", "/openapi.json")[2] == contract.document, "what is served is the document of these sources")
            routes(contract)
            house = House(contract, server)
            for part in (browse, unchanged, who_asks, bodies, choose, cool_down, too_late, keys, tickets, gate, people, batch, run_the_house, rooms, explain, second_chance, starts_and_ends, change_the_catalog,
                         ticket_keys):
                part(house)
                say(part.__name__)
            for connection, _ in live(house):
                connection.close()
        not_ready(contract, os.path.join(folder, "two"))
        short_of(contract, folder, catalog_file)
        draining(contract, os.path.join(folder, "three"), catalog_file)
        missing = [each for each in contract.missing() if each[3] not in NOT_MET and each[2:] not in NOT_MET and (each[1], each[3]) not in NOT_MET]
        check(not missing, f"{len(missing)} documented answers were never met: {missing}")
        for each in missing:
            print(*each)
        documented = list(contract.documented())
        say(f"{len(documented)} documented answers, {len(contract.seen)} different ones met")
    harness.finish()


if __name__ == "__main__":
    main()
