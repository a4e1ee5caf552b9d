"""GET /events against what the API answered: nothing missing, nothing out of order, the same after a kill, from the
middle, as JSON lines and as server-sent events, from memory and from the disk.
"""

import http.client
import json
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check, say  # noqa: E402


def raw(server, path, bearer, headers=None):
    """The answer as text: events are many JSON texts, not one."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {bearer}", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


class Follower:
    """Reads events in small pieces and keeps all of them."""

    def __init__(self, server):
        self.server = server
        self.cursor = ""
        self.events = []
        self.bearer = harness.token("shop", "partner")

    def step(self, wait=0, limit=7):
        status, head, text = raw(self.server, f"/events?from={self.cursor}&limit={limit}&wait={wait}", self.bearer)
        if not check(status == 200, f"events: {status} {text}"):
            return 0
        events = [json.loads(line) for line in text.splitlines()]
        self.events += events
        self.cursor = head["Usher-Next-Cursor"]
        if events:
            check(events[-1]["cursor"] == self.cursor, "the last event names the cursor")
        return len(events)

    def drain(self):
        while self.step():
            pass

    def of(self, kind):
        return [e for e in self.events if e["type"] == f"usher.{kind}"]


def check_envelope(events):
    seen = set()
    last = {}
    for event in events:
        check(event["specversion"] == "1.0" and event["datacontenttype"] == "application/json", f"{event}")
        check(event["id"] not in seen, f"once: {event['id']}")
        seen.add(event["id"])
        shard, lsn, index = map(int, event["id"].split("-"))
        before = last.get(shard, (0, 0))
        follows = (lsn, index) == (before[0], before[1] + 1) or (lsn == before[0] + 1 and index == 0)
        check(follows, f"gap-free within a shard: {event['id']} after {before}")
        last[shard] = (lsn, index)


def sell(server, count):
    """Returns what the API said: reservation ids and bookings."""
    reservations, bookings = [], []
    for number in range(count):
        bearer = harness.token(f"user-{number}")
        show = f"load-{number % 5:05d}"
        status, _, answer = server.request("POST", f"/shows/{show}/reserve", {"best_available": {"count": 2}}, bearer)
        if not check(status == 201, f"{answer}"):
            continue
        reservations.append(answer["reservation_id"])
        if number % 3 == 0:
            server.request("DELETE", f"/reservations/{answer['reservation_id']}", bearer=bearer)
            continue
        status, _, booking = server.request("POST", "/bookings", {"reservation_id": answer["reservation_id"],
                                                                  "payment_token": "pm_card_visa"}, bearer)
        check(status == 201, f"{booking}")
        bookings.append(booking)
        if number % 4 == 0:
            server.request("POST", f"/bookings/{booking['booking_id']}/cancel", bearer=bearer)
    return reservations, bookings


def check_contents(follower, reservations, bookings):
    check({e["data"]["reservation_id"] for e in follower.of("reserved")} == set(reservations), "every reservation and no other")
    told = {e["data"]["booking_id"]: e["data"] for e in follower.of("booked")}
    check(set(told) == {b["booking_id"] for b in bookings}, "every booking")
    for booking in bookings:
        data = told[booking["booking_id"]]
        check(data["ticket_ids"] == [t["ticket_id"] for t in booking["tickets"]], "its tickets")
        check(data["seat_ids"] == [t["seat_id"] for t in booking["tickets"]], "its seats")
        check(data["payment_id"] == booking["payment_id"] and data["total_amount"] == booking["total_amount"], "its money")
        check(data["user_id"] == booking["user_id"], "and its owner")
    check(len(follower.of("seats_cancelled")) == len(follower.of("refund_settled")) > 0, "refunds are told, too")


def check_waiting(server, follower):
    follower.drain()
    began = time.monotonic()
    check(follower.step(wait=1) == 0 and time.monotonic() - began > 0.8, "waits for what does not come")
    timer = threading.Timer(0.3, lambda: sell(server, 1))
    timer.start()
    began = time.monotonic()
    check(follower.step(wait=20) > 0 and time.monotonic() - began < 10, "and gets what comes, when it comes")
    timer.join()
    follower.drain()


def check_sse(server, follower):
    head = {"Accept": "text/event-stream"}
    status, fields, text = raw(server, "/events?limit=5", follower.bearer, head)
    check(status == 200 and fields["Content-Type"] == "text/event-stream", f"{status}")
    events = [json.loads(d) for d in re.findall(r"^data: (.*)$", text, re.M)]
    ids = re.findall(r"^id: (.*)$", text, re.M)
    check(events and len(ids) == 1 and text.endswith(f"id: {ids[0]}\n\n"), f"one id, at the end: {text[-200:]}")
    check("retry:" in text and [e["id"] for e in events] == [e["id"] for e in follower.events[:len(events)]], "the same events")
    _, _, text = raw(server, "/events?limit=5", follower.bearer, {**head, "Last-Event-ID": ids[0]})
    again = [json.loads(d)["id"] for d in re.findall(r"^data: (.*)$", text, re.M)]
    check(again and not set(again) & {e["id"] for e in events}, "Last-Event-ID goes on behind it")


def ids(follower):
    """Sorted: shards are read in turns, so their order beside each other is nobody's promise."""
    return sorted(e["id"] for e in follower.events)


def main():
    with harness.temp_folder() as folder:
        catalog = harness.write_json(os.path.join(folder, "catalog.json"), harness.make_catalog(5))
        server = harness.Server(folder, catalog, {"policy.cooldown_after_refusals": "0", "events.tail_bytes": "1MiB"})
        with server:
            follower = Follower(server)
            reservations, bookings = sell(server, 24)
            time_limit = time.monotonic() + 20
            while len(follower.of("refund_settled")) < len(follower.of("seats_cancelled")) or not follower.of("seats_cancelled"):
                follower.step(wait=1)
                if time.monotonic() > time_limit:
                    break
            follower.drain()
            check_envelope(follower.events)
            check_contents(follower, reservations, bookings)
            for who, role, status in (("x", "customer", 403), ("s", "staff", 200), ("g", "gate", 403)):
                check(raw(server, "/events?limit=1", harness.token(who, role))[0] == status, f"{role}: {status}")
            for query, word in (("from=hello", "from"), ("limit=0", "limit"), ("wait=31", "wait"), ("when=now", "when")):
                status, _, problem = server.request("GET", f"/events?{query}", bearer=follower.bearer)
                check(status == 400 and word in problem["detail"], f"{query}: {problem}")
            check_waiting(server, follower)
            check_sse(server, follower)
            server.kill()
        with server:
            from_disk = Follower(server)
            from_disk.drain()
            # a release may still have known its reservation's id, a reader after the restart may not
            check(ids(from_disk) == ids(follower), "from the disk, after a kill, the same events")
            check_envelope(from_disk.events)
            sell(server, 3)
            follower.drain()
            from_disk.drain()
            check(ids(from_disk) == ids(follower), "and both go on together")
            check_envelope(follower.events)
            check(server.stop() == 0, "stops")
    say(f"{len(follower.events)} events")
    harness.finish()


main()
