"""The waiting room over HTTP: several hundred people before two shows, a draw that anybody can check, a waiting list.

Checked from outside: nobody reserves without an admission, browsing stays open, people are let in in the order of their
places, every seat is sold while people wait, the rest are told that it is sold out, and afterwards `usher audit` and
`usher verify-draw` agree. 300 people, or 3,000 with USHER_THOROUGH=1.
"""

import concurrent.futures
import datetime
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check, say  # noqa: E402

PEOPLE = 3_000 if harness.THOROUGH else 300
SETTINGS = {"server.loops": "2", "server.shards": "8", "policy.cooldown_after_refusals": "0"}
LOCAL = threading.local()


def in_seconds(seconds):
    return harness.rfc3339(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds))


class House:
    """The server under test and who asks it, one connection per thread."""

    def __init__(self, server):
        self.server = server
        self.admin = harness.token("house", "admin")

    def ask(self, method, path, body=None, user=None, headers=None):
        if not hasattr(LOCAL, "client"):
            LOCAL.client = harness.Client(self.server.port)
        bearer = self.admin if user == "admin" else harness.token(user) if user else None
        try:
            return LOCAL.client.request(method, path, body, bearer, headers)
        except ConnectionError:  # idle for too long: a GET may be asked for again (RFC 9110 section 9.2.2)
            if method != "GET":
                raise
            LOCAL.client = harness.Client(self.server.port)
            return LOCAL.client.request(method, path, body, bearer, headers)

    def until(self, what, done, within=60):
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            found = done()
            if found:
                return found
            time.sleep(0.05)
        check(False, f"within {within} s: {what}")
        return None


def bad_input(house):
    cases = [({"show_ids": ["load-00000"]}, "room_id"), ({"room_id": "r", "show_ids": ["nowhere"]}, "show_ids[0]"),
             ({"room_id": "r", "show_ids": ["load-00000", "load-00000"]}, "show_ids"),
             ({"room_id": "r", "show_ids": ["load-00000"], "order": "luck"}, "order"),
             ({"room_id": "r", "show_ids": ["load-00000"], "opens_at": "soon"}, "opens_at"),
             ({"room_id": "r", "show_ids": ["load-00000"], "admission_ttl": "0"}, "admission_ttl"),
             ({"room_id": "r", "show_ids": ["load-00000"], "seats_per_buyer": 33}, "seats_per_buyer"),
             ({"room_id": "r", "show_ids": ["load-00000"], "colour": "red"}, "colour")]
    for body, field in cases:
        status, _, answer = house.ask("POST", "/admin/rooms", body, "admin")
        check(status == 400 and answer["detail"].startswith(field), f"{body}: names {field}: {answer}")
    check(house.ask("POST", "/admin/rooms", {}, "somebody")[0] == 403, "rooms are for admins")
    check(house.ask("POST", "/shows/load-00000/queue", None, "u1")[2]["code"] == "no_waiting_room", "no room, no queue")
    check(house.ask("POST", "/shows/nowhere/queue", None, "u1")[0] == 404, "an unknown show")
    check(house.ask("GET", "/queue/nonsense", None, "u1")[2]["code"] == "unknown_place", "an unknown place")
    check(house.ask("GET", "/rooms/nowhere/draw")[2]["code"] == "unknown_room", "an unknown room")
    check(house.ask("GET", "/admin/rooms/nowhere", None, "admin")[0] == 404, "an unknown room, for admins")


class Person:
    def __init__(self, number):
        self.user = f"person-{number}"
        self.seats = 1 + number % 3
        self.place = None
        self.admitted_seen = None
        self.reservation = None
        self.sold_out = False


def join_all(house, people):
    def join(person):
        status, _, place = house.ask("POST", "/shows/load-00000/queue", None, person.user)
        check(status == 201 and place["state"] == "waiting", f"a new place: {place}")
        again, _, same = house.ask("POST", "/shows/load-00001/queue", None, person.user)
        check(again == 200 and same["queue_id"] == place["queue_id"], "the other show of the group has the same queue")
        person.place = place
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(join, people))
    people.sort(key=lambda person: person.place["position"])
    check([p.place["position"] for p in people] == list(range(1, len(people) + 1)), "everybody has a place of their own")


def play(house, person):
    """One poll of one person, and what they do then. Returns whether anything is left to do."""
    status, _, place = house.ask("GET", f"/queue/{person.place['queue_id']}", None, person.user)
    check(status == 200, f"a place can be read: {place}")
    if place["state"] == "sold_out":
        person.sold_out = True
        return False
    if place["state"] == "waiting":
        check(place["refresh_after_ms"] <= 30_000, "a poll in time keeps the place")
        return True
    if place["state"] == "closed":
        return False
    person.admitted_seen = person.admitted_seen or place["admission"]["expires_at"]
    token = {"Admission-Token": place["admission"]["token"]}
    for show in ("load-00000", "load-00001"):
        for count in range(person.seats, 0, -1):
            body = {"best_available": {"count": count, "split": True}}
            status, _, answer = house.ask("POST", f"/shows/{show}/reserve", body, person.user, token)
            if status != 201:
                check(status == 409, f"taken, or nothing else: {answer}")
                continue
            person.reservation = answer
            status, _, booking = house.ask("POST", "/bookings", {"reservation_id": answer["reservation_id"], "payment_token": "pm_card_visa"},
                                           person.user)
            check(status == 201, f"paid: {booking}")
            return False
    return True


def sale(house):
    people = [Person(n) for n in range(PEOPLE)]
    rows = {"room_id": "premiere", "show_ids": ["load-00000", "load-00001"], "opens_at": in_seconds(3_600), "seats_per_buyer": 2}
    status, _, opened = house.ask("POST", "/admin/rooms", rows, "admin")
    check(status == 201 and opened["refused_show_ids"] == [], f"the room is opened: {opened}")
    check(house.ask("POST", "/admin/rooms", rows, "admin")[2]["code"] == "room_exists", "once")
    check(house.ask("POST", "/admin/rooms", {**rows, "room_id": "other"}, "admin")[2]["code"] == "show_has_room", "one per show")
    status, _, refused = house.ask("POST", "/shows/load-00000/reserve", {"seat_ids": ["A1"]}, "nobody")
    check(status == 403 and refused["code"] == "admission_required" and refused["queue"] == "/shows/load-00000/queue",
          f"nobody without an admission: {refused}")
    check(house.ask("GET", "/shows/load-00000/seats")[0] == 200, "browsing stays open")
    say(f"{PEOPLE} people take places")
    join_all(house, people)
    leaver = people.pop(5)
    check(house.ask("DELETE", f"/queue/{leaver.place['queue_id']}", None, people[0].user)[0] == 403, "not another's place")
    check(house.ask("DELETE", f"/queue/{leaver.place['queue_id']}", None, leaver.user)[0] == 204, "a place is given up")
    check(house.ask("GET", f"/queue/{leaver.place['queue_id']}", None, leaver.user)[2]["reason"] == "gave_up", "and is over")
    check(house.ask("GET", f"/queue/{people[5].place['queue_id']}", None, people[5].user)[2]["people_ahead"] == 5, "who was behind moves up")
    check(house.ask("PATCH", "/admin/rooms/premiere", {"opens_at": in_seconds(0)}, "admin")[0] == 200, "the opening can be moved")
    say("they are let in, reserve and pay")
    left = list(people)
    deadline = time.monotonic() + (600 if harness.THOROUGH else 90)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        while left and time.monotonic() < deadline:
            more = list(pool.map(lambda person: play(house, person), left))
            left = [person for person, again in zip(left, more) if again]
    state = house.ask("GET", "/admin/rooms/premiere", None, "admin")[2]
    check(not left, f"everybody has bought or knows that it is sold out: {len(left)} left, {state}")
    sold = sum(len(p.reservation["seat_ids"]) for p in people if p.reservation)
    last = max(n for n, p in enumerate(people) if p.admitted_seen)
    check(all(p.admitted_seen for p in people[:last + 1]), "nobody was let in before somebody who stood ahead")
    ends = [p.admitted_seen for p in people[:last + 1]]
    check(all(a <= b for a, b in zip(ends, ends[1:])), "in the order of their places")
    in_vain = [p for p in people if p.admitted_seen and not p.reservation]
    check(len(in_vain) <= 1, f"nobody was let in to nothing: {len(in_vain)}")
    check(sold == 400 and any(p.sold_out for p in people), f"every seat is sold, and the rest know: {sold}")
    seats = [house.ask("GET", f"/shows/{show}/seats")[2]["seats"] for show in ("load-00000", "load-00001")]
    booked = sum(seat["status"] == "booked" for show in seats for seat in show)
    check(booked == sold, f"the seat maps agree: {booked} of {sold}")
    say(f"{sold} seats sold, {sum(p.sold_out for p in people)} told that it is sold out, {state}")
    return people


def tokens(house, people):
    """An admission is its owner's alone, for its room alone, and only whole."""
    body = {"room_id": "small", "show_ids": ["load-00002"]}
    check(house.ask("POST", "/admin/rooms", body, "admin")[0] == 201, "a second room")
    place = house.ask("POST", "/shows/load-00002/queue", None, "tom")[2]
    read = house.until("admitted", lambda: (lambda p: p if p["state"] == "admitted" else None)(
        house.ask("GET", f"/queue/{place['queue_id']}", None, "tom")[2]))
    token = read["admission"]["token"]
    seat = {"seat_ids": ["A1"]}
    for who, shown in (("eve", token), ("tom", token[:-2] + ("AA" if token[-2:] != "AA" else "BB")), ("tom", "UA1."), ("tom", "")):
        code = house.ask("POST", "/shows/load-00002/reserve", seat, who, {"Admission-Token": shown})[2]["code"]
        check(code == "admission_required", f"not with {shown[:8]} of {who}")
    check(house.ask("POST", "/shows/load-00002/reserve", seat, "tom", {"Admission-Token": token})[0] == 201, "but its owner")
    done = house.until("finished", lambda: (lambda p: p if p["state"] == "closed" else None)(
        house.ask("GET", f"/queue/{place['queue_id']}", None, "tom")[2]))
    check(done and done["reason"] == "finished", f"the room has been told: {done}")
    check(house.ask("PATCH", "/admin/rooms/small", {"paused": True, "rate_per_minute": 60}, "admin")[0] == 200, "a room can be changed")
    paused = house.ask("POST", "/shows/load-00002/queue", None, "ann")[2]
    time.sleep(0.6)
    check(house.ask("GET", f"/queue/{paused['queue_id']}", None, "ann")[2]["state"] == "waiting", "paused lets nobody in")
    check(house.ask("POST", "/admin/rooms/small/close", None, "admin")[0] == 200, "a room can be closed")
    check(house.ask("GET", f"/queue/{paused['queue_id']}", None, "ann")[2]["reason"] == "room_closed", "its places are over")
    check(house.ask("POST", "/shows/load-00002/reserve", {"seat_ids": ["A2"]}, "ann")[0] == 201, "and its show is open to all")
    check(house.ask("GET", "/admin/rooms", None, "admin")[2]["rooms"] == ["premiere", "small"], "all rooms are listed")


def draw(house, folder):
    body = {"room_id": "lots", "show_ids": ["load-00003"], "order": "draw", "opens_at": in_seconds(2), "awaits_beacon": True, "paused": True}
    status, _, opened = house.ask("POST", "/admin/rooms", body, "admin")
    check(status == 201, f"a room with a draw: {opened}")
    places = [house.ask("POST", "/shows/load-00003/queue", None, f"lot-{n}")[2] for n in range(120)]
    check("position" not in places[0], "no position before the draw")
    early = house.ask("GET", "/rooms/lots/draw")[2]
    check(early["commitment"] == opened["commitment"] and not early["frozen"] and "secret" not in early, "the commitment comes first")
    frozen = house.until("frozen", lambda: (lambda d: d if d["frozen"] else None)(house.ask("GET", "/rooms/lots/draw")[2]), 20)
    check("secret" not in frozen and frozen["list_count"] == 120, "the list's hash comes before the secret")
    late = house.ask("POST", "/shows/load-00003/queue", None, "late")[2]
    check(house.ask("POST", "/admin/rooms/lots/draw", {"beacon": "lottery 6 of 49: 3 9 12 31 40 44"}, "admin")[0] == 200, "the draw is held")
    check(house.ask("POST", "/admin/rooms/lots/draw", {"beacon": "again"}, "admin")[2]["code"] == "nothing_to_draw", "once")
    files, start = [], 0
    while start is not None:
        page = house.ask("GET", f"/rooms/lots/draw?from={start}&limit=50")[2]
        files.append(harness.write_json(os.path.join(folder, f"draw-{len(files)}.json"), page))
        start = page["next"]
    check(page["list_hash"] == frozen["list_hash"], "the list is the one that was frozen")
    check(len(files) == 3, f"three pages: {len(files)}")
    mine = house.ask("GET", f"/queue/{places[7]['queue_id']}", None, "lot-7")[2]
    found = harness.run_usher("verify-draw", *files, "--queue-id", places[7]["queue_id"])
    check(found.returncode == 0 and f"has place {mine['draw_place']}\n" in found.stdout, f"anybody can check: {found.stdout}{found.stderr}")
    check(mine["position"] == mine["draw_place"], "and stands where the draw says")
    check(house.ask("GET", f"/queue/{late['queue_id']}", None, "late")[2]["position"] == 121, "who came later stands behind")
    for change, what in ((lambda d: d["entries"][0].update(place=d["entries"][1]["place"]), "a place"),
                         (lambda d: d.update(beacon="mine"), "the beacon"), (lambda d: d.update(secret="0" * 64), "the secret"),
                         (lambda d: d["entries"].pop(), "an entry")):
        with open(files[0], encoding="utf-8") as file:
            forged = json.load(file)
        change(forged)
        forged_file = harness.write_json(os.path.join(folder, "forged.json"), forged)
        found = harness.run_usher("verify-draw", forged_file, *files[1:])
        check(found.returncode != 0, f"{what} changed is found: {found.stdout}")


def second_chance(house, people):
    buyers = [p for p in people if p.reservation and p.reservation["show_id"] == "load-00000" and len(p.reservation["seat_ids"]) == 2]
    check(house.ask("POST", "/shows/load-00004/waitlist", {"count": 2}, "hope")[2]["code"] == "seats_still_available", "seats first")
    check(house.ask("GET", "/shows/load-00000/waitlist", None, "hope")[2]["code"] == "not_on_waitlist", "not listed yet")
    check(house.ask("POST", "/shows/load-00000/waitlist", {"count": 0}, "hope")[0] == 400, "a party of none")
    status, _, party = house.ask("POST", "/shows/load-00000/waitlist", {"count": 2}, "hope")
    if not check(status == 201 and party["position"] == 1, f"a party of two waits: {party}"):
        return
    check(house.ask("POST", "/shows/load-00000/waitlist", {"count": 2}, "hope")[0] == 200, "once")
    check(house.ask("POST", "/shows/load-00000/waitlist", {"count": 1}, "joy")[2]["position"] == 2, "and one behind")
    booking = house.ask("GET", "/bookings", None, buyers[0].user)[2]["bookings"][0]
    check(house.ask("POST", f"/bookings/{booking['booking_id']}/cancel", None, buyers[0].user)[0] == 200, "somebody cancels")
    status, _, served = house.ask("GET", "/shows/load-00000/waitlist", None, "hope")
    pair = sorted(ticket["seat_id"] for ticket in booking["tickets"])
    if len({seat[0] for seat in pair}) == 1 and abs(int(pair[0][1:]) - int(pair[1][1:])) == 1:
        check(served["state"] == "reserved" and served["reservation"]["seat_ids"] == booking_seats(booking), f"the seats are theirs: {served}")
        paid = house.ask("POST", "/bookings", {"reservation_id": served["reservation"]["reservation_id"], "payment_token": "pm_card_visa"}, "hope")
        check(paid[0] == 201, f"and are paid like any other: {paid[2]}")
    check(house.ask("DELETE", "/shows/load-00000/waitlist", None, "joy")[0] in (204, 404), "the list can be left")


def booking_seats(booking):
    return [ticket["seat_id"] for ticket in booking["tickets"]]


def policies(house):
    path = "/admin/shows/load-00004/policy"
    check(house.ask("PUT", path, {"reservation_ttl": "1m"}, "admin")[0] == 400, "times of live reservations stay")
    check(house.ask("PUT", path, {"seats_per_reservation": 99}, "admin")[2]["detail"].startswith("seats_per_reservation"), "a wrong value is named")
    check(house.ask("PUT", path, {"seats_per_reservation": 2}, "admin")[0] == 200, "a policy is changed")
    code = house.ask("POST", "/shows/load-00004/reserve", {"seat_ids": ["A1", "A2", "A3"]}, "pat")[2].get("code")
    check(code == "too_many_seats", f"and holds at once: {code}")


def main():
    with harness.temp_folder() as folder:
        catalog = harness.write_json(os.path.join(folder, "catalog.json"), harness.make_catalog(5))
        with harness.Server(folder, catalog, SETTINGS) as server:
            house = House(server)
            bad_input(house)
            people = sale(house)
            tokens(house, people)
            draw(house, folder)
            second_chance(house, people)
            policies(house)
            text = house.ask("GET", "/metrics", None, "admin")[2].decode()
            places = [line for line in text.splitlines() if line.startswith("usher_queue_places_total ")]
            check(places and float(places[0].split()[1]) >= PEOPLE, f"places are counted: {places}")
            check(server.stop() == 0, "the server stops cleanly")
        audit = harness.run_usher("audit", "--data", server.data)
        check(audit.returncode == 0, f"the audit is clean: {audit.stdout[-500:]}{audit.stderr[-500:]}")
        digests = [harness.run_usher("replay", "--data", server.data, *flags).stdout.splitlines()[-1] for flags in ((), ("--from-checkpoints",))]
        check(len({json.loads(line)["digest"] for line in digests}) == 1, f"log and checkpoints tell the same: {digests}")
    harness.finish()


if __name__ == "__main__":
    main()
