"""Why somebody did not get it, on the real program: their place in the queue, what they asked and were told, and who had the seats;
with the demand journal on, over a restart, and with it off."""

import os
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check, say, token  # noqa: E402

ADMIN = token("boss", "admin")
SHOW, GUARDED = "load-00000", "load-00001"


def explain(server, show=SHOW, bearer=ADMIN, **query):
    return server.request("GET", f"/admin/shows/{show}/explanation?{urllib.parse.urlencode(query)}", bearer=bearer)


def told(server, show=SHOW, **query):
    status, _, body = explain(server, show, **query)
    check(status == 200, f"explained: {status} {body}")
    return body


def reserve(server, user, seats, show=SHOW, **headers):
    return server.request("POST", f"/shows/{show}/reserve", {"seat_ids": seats}, token(user), headers)


def book(server, user, reservation):
    return server.request("POST", "/bookings", {"reservation_id": reservation["reservation_id"], "payment_token": "pm_card_visa"}, token(user))


def until(what, done, within=20):
    deadline = time.monotonic() + within
    while not (answer := done()) and time.monotonic() < deadline:
        time.sleep(0.05)
    check(bool(answer), what)
    return answer


def refusals_with_journal(server):
    first = reserve(server, "winner", ["A1", "A2"])
    check(first[0] == 201, f"the winner reserves: {first}")
    time.sleep(0.01)  # not within one millisecond
    check(reserve(server, "loser", ["A1", "B1"])[0] == 409, "the loser is too late")
    check(book(server, "winner", first[2])[0] == 201, "the winner pays")
    time.sleep(0.01)
    check(reserve(server, "loser", ["A2"])[0] == 409, "and again")
    check(reserve(server, "loser", ["C1"])[0] == 201, "then they take another seat")
    body = until("the journal has it", lambda: (b := told(server, user="loser")) and len(b["asked"]) == 3 and b)
    one, two, three = body["asked"]
    check((one["what"], one["result"], one["seat_ids"]) == ("reserve", "seats_unavailable", ["A1", "B1"]), f"what they asked: {one}")
    check([(t["seat_id"], t["what"], t["who"], t["lsn"]) for t in one["taken"]] == [("A1", "reserved", "another", first[2]["lsn"])],
          f"only A1 was taken, by that record: {one['taken']} {first[2]['lsn']}")
    check([(t["seat_id"], t["what"]) for t in two["taken"]] == [("A2", "booked")], f"by then it was booked: {two['taken']}")
    check(two["taken"][0]["lsn"] > first[2]["lsn"] and two["taken"][0]["at"] <= two["at"], "by a later record")
    check(three["result"] == "ok" and "taken" not in three, f"and what they got: {three}")
    check([(e["what"], e["seat_ids"]) for e in body["held"]] == [("reserved", ["C1"])], f"the log says so, too: {body['held']}")
    seats = {seat["seat_id"]: [(c["what"], c["who"]) for c in seat["changes"]] for seat in body["seats"]}
    check(seats == {"A1": [("reserved", "another"), ("booked", "another")], "A2": [("reserved", "another"), ("booked", "another")], "B1": [],
                    "C1": [("reserved", "they")]}, f"from hand to hand: {seats}")
    check(body["journal"]["on"] and body["journal"]["dropped"] == 0 and body["queue"] == [], f"the journal was on: {body['journal']}")
    check(not any("winner" in str(value) for value in body.values()), "of others nothing is said")
    booking = server.request("GET", "/bookings", bearer=token("winner"))[2]["bookings"][0]
    by_number = told(server, user_id=booking["user_id"])
    check([a["what"] for a in by_number["asked"]][:2] == ["reserve", "pay"], f"by number, too: {by_number['asked']}")
    check({e["what"] for e in by_number["held"]} >= {"reserved", "payment_started", "booked"}, f"what they did: {by_number['held']}")
    check(told(server, user="nobody")["asked"] == [], "who never came asked nothing")


def queue(server):
    made = server.request("POST", "/admin/rooms", {"room_id": "hall", "show_ids": [GUARDED], "paused": True}, ADMIN)
    check(made[0] == 201, f"a room: {made}")
    people = ["first", "second"]
    for person in people:
        check(server.request("POST", f"/shows/{GUARDED}/queue", None, token(person))[0] == 201, f"{person} joins")
    body = until("the place is in the log", lambda: (b := told(server, GUARDED, user="second")) and b["queue"] and b["queue"][0]["events"] and b)
    room = body["queue"][0]
    check((room["room_id"], room["place"], room["people"], [e["what"] for e in room["events"]]) == ("hall", 2, 2, ["joined"]), f"their place: {room}")
    check(reserve(server, "second", ["A1"], GUARDED)[0] == 403, "nobody is let in")
    server.request("PATCH", "/admin/rooms/hall", {"paused": False}, ADMIN)
    body = until("both are let in", lambda: (b := told(server, GUARDED, user="second")) and len(b["queue"][0]["events"]) == 2 and b)
    admitted = body["queue"][0]["events"][1]
    check((admitted["what"], admitted["admitted"]) == ("admitted", 2), f"admission: {admitted}")
    check(told(server, GUARDED, user="stranger")["queue"][0]["events"] == [], "a stranger never joined")


def bad_input(server):
    def refused(answer, status, code):
        check((answer[0], answer[2].get("code")) == (status, code), f"{status} {code}: {answer[0]} {answer[2]}")
    refused(explain(server), 400, "invalid_parameter")
    refused(explain(server, user="a", user_id="0" * 16), 400, "invalid_parameter")
    refused(explain(server, user_id="xyz"), 400, "invalid_parameter")
    refused(explain(server, user="a", seat_ids="A1,Z99"), 400, "invalid_parameter")
    refused(explain(server, user="a", seat_ids=",A1"), 400, "invalid_parameter")
    refused(explain(server, user="a", colour="red"), 400, "invalid_parameter")
    refused(explain(server, "none", user="a"), 404, "unknown_show")
    refused(explain(server, user="a", bearer=token("eve")), 403, "forbidden")
    refused(explain(server, user="a", bearer=token("clerk", "staff")), 403, "forbidden")


def without_journal(server, since):
    """Of what was asked while it was off nothing is known, and that is said; what the log knows is there."""
    check(reserve(server, "later", ["A1"])[0] == 409, "too late, and nobody writes it down")
    body = told(server, user="later", seat_ids="A1,C2")
    check(not body["journal"]["on"] and body["asked"] == [], f"it is off: {body['journal']}")
    gap = body["journal"]["not_covered"]
    check(len(gap) == 1 and gap[0]["from"] <= since <= gap[0]["until"], f"since the show was opened nothing is covered: {gap}")
    check([(s["seat_id"], len(s["changes"])) for s in body["seats"]] == [("A1", 2), ("C2", 0)], f"the named seats are told of: {body['seats']}")


def main():
    with harness.temp_folder() as folder:
        catalog = harness.write_json(os.path.join(folder, "catalog.json"), harness.make_catalog(2))
        settings = {"policy.cooldown_after_refusals": "0", "wal.demand_journal": os.path.join(folder, "journal")}
        server = harness.Server(folder, catalog, settings)
        with server:
            for part in (refusals_with_journal, queue, bad_input):
                say(part.__name__)
                part(server)
            before = told(server, user="loser")
            check(server.stop() == 0, "the server stops in order")
            time.sleep(0.1)
            server.start()
            after = told(server, user="loser")
            check(after["asked"] == before["asked"] and after["seats"] == before["seats"], "a restart changes nothing of it")
            check(len(after["journal"]["not_covered"]) == len(before["journal"]["not_covered"]) + 1, f"but a gap: {after['journal']}")
            since = after["server_time"]
            check(server.stop() == 0, "the server stops in order")
            del server.settings["wal.demand_journal"]
            say("without a journal")
            server.start()
            without_journal(server, since)
    harness.finish()


if __name__ == "__main__":
    main()
