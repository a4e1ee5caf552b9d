"""kill -9 at random moments of a sale, restart, and an external checker that remembers every answer (model.py).

After each restart: nothing acknowledged is missing, nothing that any client saw was taken back, and the requests that were
in flight, sent again with the same Idempotency-Key, are answered as if nothing had happened. 3 kills, or 50 with
USHER_THOROUGH=1; --seed N repeats a run's choices, --kills N overrides.
"""

import argparse
import datetime
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
import model as checker  # noqa: E402

SHOWS, ROWS, ROW_SEATS = 6, 5, 12
GATE = harness.token("door", "gate")
CLIENTS = 8
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_mastercard", "pm_card_chargeDeclined")
SETTINGS = {
    "policy.reservation_ttl": "2h", "policy.cooldown_after_abandoned": "0", "policy.cooldown_after_refusals": "0",
    "policy.reservations_per_user_and_show": "0", "payments.latency": "3ms", "wal.checkpoint_interval": "1s",
    "tickets.valid_before": "720h",
}
USED_MAX = 5  # bookings of a customer that are let in: those are not cancelled any more, and the halls must not fill up
DOORS_OPEN = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)


def scan_of(holding):
    """The newest scan of a booking's first ticket, a second after the one before: in, out, in again ..."""
    at = DOORS_OPEN + datetime.timedelta(seconds=holding.passes)
    return {"ticket": holding.codes[0], "gate": "door", "direction": "in" if holding.passes % 2 else "out", "scanned_at": harness.rfc3339(at)}


def statuses_of(seat_map):
    return {seat["seat_id"]: seat["status"] for seat in seat_map["seats"]}


class Customer(harness.Customer):
    """One client thread: random requests on a connection of its own, until the server dies or it is told to stop."""

    def __init__(self, number, model, seed):
        super().__init__()
        self.name = f"customer-{number}"
        self.model = model
        self.random = random.Random(f"{seed}/{number}")
        self.keys = 0
        self.reserves = 0
        self.requests = 0

    def one_request(self):
        mine = [h for h in self.model.holdings if h.owner.startswith(self.name + "/") and h.state in checker.LIVE and not h.leaving]
        dice = self.random.random()
        self.requests += 1
        if dice < 0.15:
            return self.look(f"show-{self.random.randrange(SHOWS):05d}")
        reserved = [h for h in mine if h.state == "reserved"]
        booked = [h for h in mine if h.state == "booked" and not h.passes]
        used = [h for h in mine if h.passes]
        if reserved and dice < 0.35:
            return self.book(self.random.choice(reserved))
        if reserved and (dice < 0.5 or len(mine) > 25):
            return self.release(self.random.choice(reserved))
        if 0.5 <= dice < 0.57 and (used or booked):
            return self.scan(self.random.choice(used if len(used) >= USED_MAX or not booked else booked + used))
        if booked and (dice < 0.6 or len(mine) > 25):
            return self.cancel(self.random.choice(booked))
        return self.reserve()

    def send(self, request):
        """Returns (status, body, when the answer was read). self.pending stays set when there is no answer."""
        self.pending = request
        request.began = time.monotonic()
        headers = {"Idempotency-Key": request.key} if request.kind not in ("release", "scan") else {}
        bearer = self.bearer(request.owner)
        if request.kind == "reserve":
            call = ("POST", f"/shows/{request.show}/reserve", {"seat_ids": list(request.seats)})
        elif request.kind == "release":
            call = ("DELETE", f"/reservations/{request.holding.reservation}", None)
        elif request.kind == "book":
            call = ("POST", "/bookings", {"reservation_id": request.holding.reservation, "payment_token": request.card})
        elif request.kind == "scan":
            call = ("POST", "/checkins", {**scan_of(request.holding), "nonce": request.key})
            bearer = GATE
        else:
            call = ("POST", f"/bookings/{request.holding.booking}/cancel", {})
        status, _, body = self.client.request(*call, bearer, headers)
        self.pending = None
        return status, body, time.monotonic()

    def new_request(self, kind, show, seats, holding=None, card=""):
        self.keys += 1
        # a new user every 20 reserves: one user may have 100 live idempotency keys
        owner = holding.owner if holding else f"{self.name}/{self.reserves // 20}"
        return checker.Request(kind, owner, show, tuple(seats), f"{self.name}-{self.keys}", holding, card)

    def reserve(self):
        row = chr(ord("A") + self.random.randrange(ROWS))
        count = self.random.randint(1, 4)
        first = self.random.randint(1, ROW_SEATS - count + 1)
        seats = [f"{row}{first + i}" for i in range(count)]
        self.reserves += 1
        request = self.new_request("reserve", f"show-{self.random.randrange(SHOWS):05d}", seats)
        self.on_reserve_answer(request, *self.send(request)[:2])

    def on_reserve_answer(self, request, status, body):
        if status == 201:
            harness.check(sorted(body["seat_ids"]) == sorted(request.seats), f"201 with other seats: {body}")
            self.model.on_reserved(request, body["reservation_id"])
        elif status == 409 and body.get("code") == "seats_unavailable":
            self.model.on_seen_taken(request.show, body["unavailable_seats"], request.began)
        else:
            self.model.violation(f"reserve answered {status} {body}")

    def book(self, holding):
        request = self.new_request("book", holding.show, holding.seats, holding, self.random.choice(CARDS))
        holding.paying = True
        self.on_book_answer(request, *self.send(request)[:2])

    def on_book_answer(self, request, status, body):
        if status == 201:
            tickets = tuple(sorted(ticket["seat_id"] for ticket in body["tickets"]))
            harness.check(tickets == tuple(sorted(request.seats)), f"tickets for other seats: {body}")
            self.model.on_booked(request.holding, body["booking_id"], tuple(t["ticket_id"] for t in body["tickets"]),
                                 tuple(t["qr_code"] for t in body["tickets"]))
        elif status == 402:
            request.holding.paying = False
        else:
            self.model.violation(f"booking answered {status} {body}")

    def release(self, holding):
        request = self.new_request("release", holding.show, holding.seats, holding)
        self.model.on_leaving(request)
        status, body, ended = self.send(request)
        if status == 204:
            self.model.on_left(request, ended)
        else:
            self.model.violation(f"release answered {status} {body}")

    def cancel(self, holding):
        request = self.new_request("cancel", holding.show, holding.seats, holding)
        self.model.on_leaving(request)
        status, body, ended = self.send(request)
        if status == 200:
            self.model.on_left(request, ended)
        else:
            self.model.violation(f"cancel answered {status} {body}")

    def scan(self, holding):
        request = self.new_request("scan", holding.show, holding.seats, holding)
        holding.passes += 1
        self.on_scan_answer(request, *self.send(request)[:2])

    def on_scan_answer(self, request, status, body):
        """The same scan again, by its nonce, is the same entry: it must be told so before and after a crash."""
        if status == 200 and body["result"] == "valid":
            self.model.on_scanned()
        else:
            self.model.violation(f"a scan answered {status} {body}")

    def look(self, show):
        lsn_before = self.model.map_lsn.get(show, 0)
        began = time.monotonic()
        status, _, body = self.client.request("GET", f"/shows/{show}/seats")
        if status != 200:
            return self.model.violation(f"seat map answered {status} {body}")
        self.model.on_map(show, body["lsn"], statuses_of(body), began, lsn_before)

    def settle(self, port):
        """After a restart: sends what was in flight again, with the same key, and learns what became of it."""
        request, self.pending = self.pending, None
        if request is None:
            return
        self.client = harness.Client(port)
        if request.kind in ("release", "cancel"):
            self.model.on_leaving(request)  # it may happen only now
        for _ in range(100):
            status, body, ended = self.send(request)
            busy = status in (202, 503) or (status == 409 and body.get("code") in ("payment_in_flight", "idempotency_in_flight"))
            if not busy:
                break
            time.sleep(0.05)
        if request.kind == "reserve":
            self.on_reserve_answer(request, status, body)
        elif request.kind == "book":
            self.on_book_answer(request, status, body)
        elif request.kind == "scan":
            self.on_scan_answer(request, status, body)
        elif request.kind == "release" and status in (204, 404, 410):  # 404, 410: it had happened before the crash
            self.model.on_left(request, ended)
        elif request.kind == "cancel" and status == 200:
            self.model.on_left(request, ended)
        else:
            self.model.violation(f"{request.kind}, sent again after the crash, answered {status} {body}")
        self.client.close()


class Run:
    """One data directory, many lives of the server."""

    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.model = checker.Model()
        catalog = harness.make_catalog(SHOWS, ROWS, ROW_SEATS, prefix="show-")
        self.server = harness.Server(folder, harness.write_json(os.path.join(folder, "catalog.json"), catalog), SETTINGS)
        self.customers = [Customer(n, self.model, seed) for n in range(CLIENTS)]
        self.doubts_settled = {"reserve": 0, "book": 0, "release": 0, "cancel": 0, "scan": 0}

    def live_and_die(self, seconds):
        stop = threading.Event()
        threads = [threading.Thread(target=c.run, args=(self.server.port, stop)) for c in self.customers]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.server.kill()
        stop.set()
        for thread in threads:
            thread.join()

    def fail_during_recovery(self):
        """Kills the next life while it recovers: recovery must stand being interrupted."""
        life = harness.Server(os.path.dirname(self.server.data), self.server.catalog, SETTINGS, name="interrupted")
        try:
            life.start(ready_within=self.random.uniform(0.005, 0.15))
        except RuntimeError:
            pass  # not ready within that time, which is the point
        if life.process.poll() is None:
            life.kill()

    def replay_twice(self):
        first, second = (harness.run_usher("replay", "--data", self.server.data) for _ in range(2))
        harness.check(first.returncode == 0, f"usher replay: {first.returncode} {first.stderr[-500:]}")
        harness.check(first.stdout == second.stdout, "usher replay says the same twice")
        short = harness.run_usher("replay", "--data", self.server.data, "--from-checkpoints")
        digests = [json.loads(run.stdout.splitlines()[-1])["digest"] for run in (first, short)]
        harness.check(digests[0] == digests[1], f"whole log and checkpoints with the rest of it: digests {digests}")

    def judge_replayed_state(self):
        """The stopped directory by itself: every reservation that was answered is there, in its state, or was given back."""
        lines = harness.run_usher("replay", "--data", self.server.data, "--reservations").stdout.splitlines()
        states = {entry["reservation_id"]: entry["state"] for entry in map(json.loads, lines) if "reservation_id" in entry}
        fits = {"reserved": ("reserved",), "booked": ("booked",), "cancelled": ("cancelled", "refunded"), "released": (None,)}
        wrong = [(h.reservation, h.state, states.get(h.reservation)) for h in self.model.holdings
                 if states.get(h.reservation) not in fits[h.state]]
        harness.check(not wrong, f"{len(wrong)} of {len(self.model.holdings)} differ in the replayed state: {wrong[:4]}")
        unknown = set(states) - {h.reservation for h in self.model.holdings}
        harness.check(not unknown, f"{len(unknown)} reservations that nobody was told of: {sorted(unknown)[:4]}")

    def judge_money(self):
        """The gateway's own book: exactly one charge for each booking, and no other."""
        charges = {}
        with open(os.path.join(self.server.data, "gateway.ledger"), encoding="utf-8") as ledger:
            for words in map(str.split, ledger):
                if words[0] == "charge" and words[2] == "captured":
                    charges.setdefault(words[6], []).append(words[3])
        booked = {h.reservation for h in self.model.holdings if h.state in ("booked", "cancelled") and h.booking}
        twice = [reservation for reservation, payments in charges.items() if len(payments) > 1]
        harness.check(not twice, f"charged twice: {twice[:4]}")
        harness.check(set(charges) == booked, f"charged but not booked, or the reverse: {sorted(set(charges) ^ booked)[:4]}")

    def judge(self):
        """The state after a restart, before anything is sent again."""
        model = self.model
        model.in_doubt = [c.pending for c in self.customers if c.pending is not None and c.pending.kind == "reserve"]
        maps = []
        with_client = harness.Client(self.server.port)
        for number in range(SHOWS):
            show = f"show-{number:05d}"
            began = time.monotonic()
            status, _, body = with_client.request("GET", f"/shows/{show}/seats")
            if not harness.check(status == 200, f"seat map after the restart: {status} {body}"):
                continue
            statuses = statuses_of(body)
            harness.check(body["lsn"] >= model.map_lsn.get(show, 0), f"{show}: lsn fell to {body['lsn']} by the restart")
            wrong = list(checker.judge_map(model, show, statuses))
            harness.check(not wrong, "; ".join(wrong[:5]))
            maps.append((show, statuses, began))
        self.judge_holdings(with_client)
        with_client.close()
        model.start_epoch(maps)

    def judge_holdings(self, client):
        lost = 0
        customers = {c.name: c for c in self.customers}
        for holding in self.model.holdings:
            if holding.leaving or holding.paying or holding.state not in checker.LIVE:
                continue
            path = f"/bookings/{holding.booking}" if holding.state == "booked" else f"/reservations/{holding.reservation}"
            status, _, body = client.request("GET", path, bearer=customers[holding.owner.split("/")[0]].bearer(holding.owner))
            good = status == 200
            if good and holding.state == "booked":
                good = body["status"] == "confirmed" and {t["ticket_id"] for t in body["tickets"]} == set(holding.tickets)
            lost += not good
        harness.check(lost == 0, f"{lost} acknowledged reservations or bookings are missing or changed")

    def judge_scans(self):
        """Who was let in before the crash is not let in again, who left has left."""
        pending = [c.pending.holding for c in self.customers if c.pending is not None and c.pending.kind == "scan"]
        known = [h for h in self.model.holdings if h.passes and not any(h is p for p in pending)]
        twice = []
        for first in range(0, len(known), 500):
            scans = [{**scan_of(holding), "nonce": "another"} for holding in known[first:first + 500]]
            status, _, body = self.server.request("POST", "/checkins", {"checkins": scans}, GATE)
            if harness.check(status == 200, f"scans after the restart: {status} {body}"):
                twice += [result for result in body["results"] if result["result"] != "already_used"]
        harness.check(not twice, f"{len(twice)} of {len(known)} used tickets are not known as such: {twice[:3]}")
        return len(known)

    def settle(self):
        for customer in self.customers:
            if customer.pending is not None:
                self.doubts_settled[customer.pending.kind] += 1
            customer.settle(self.server.port)
        self.model.in_doubt = []
        violations, self.model.violations = self.model.violations, []
        harness.check(not violations, "; ".join(violations[:5]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50 if harness.THOROUGH else 3)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    harness.say(f"{options.kills} kills, seed {options.seed}")
    with harness.temp_folder() as folder:
        run = Run(folder, options.seed)
        run.server.start()
        admin = harness.token("root", "admin")
        added = run.server.request("POST", "/admin/gates", {"gate_id": "door", "screen_id": "show-screen-0"}, admin)
        harness.check(added[0] == 201, f"a gate, registered once: {added}")
        scanned = 0
        for kill in range(1, options.kills + 1):
            run.live_and_die(run.random.uniform(0.2, 2.0))
            if kill % 5 == 2:
                run.fail_during_recovery()
            if kill % 10 == 1:
                run.replay_twice()
            run.server.start()
            run.judge()
            scanned = run.judge_scans()
            run.settle()
            harness.say(f"kill {kill}: {run.model.acknowledged} acknowledged, {sum(c.requests for c in run.customers)} requests, "
                        f"in flight at a kill so far: {run.doubts_settled}")
        harness.check(run.model.acknowledged > 20 * options.kills, f"a sale worth the name: {run.model.acknowledged}")
        harness.check(scanned > 0, "and somebody was let in")
        harness.check(run.server.stop() == 0, "SIGTERM: exit 0")
        run.replay_twice()
        run.judge_replayed_state()
        run.judge_money()
        audit = harness.run_usher("audit", "--data", run.server.data)
        harness.check(audit.returncode == 0, f"usher audit: {audit.returncode} {audit.stdout[-1000:]} {audit.stderr[-500:]}")
    harness.finish()


if __name__ == "__main__":
    main()
