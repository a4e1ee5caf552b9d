"""Clients that fight for a few seats and write down what they asked and were told, for usher_history.

Each client thread is one connection after the other; what was in flight when the server died is sent again with the same
Idempotency-Key, or left as it is. Times are microseconds of time.monotonic(). Deadlines go into the history as intervals:
no earlier than the time to live after the request, no later than that after the answer, plus the time in which the server
was not running, plus LATE_US. The format stands in history.hpp.
"""

import os
import random
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness  # noqa: E402

CHECKER = os.path.join(harness.BUILD, "usher_history")
SHOWS, ROWS, ROW_SEATS = 3, 2, 10
CLIENTS = 10
TTL_MS = 2_000
EARLY_US = 200_000     # a server's clock runs at most 500 ppm fast, and counts milliseconds
LATE_US = 2_000_000    # how late a timer may be seen on a machine that others load
SETTINGS = {
    "policy.reservation_ttl": f"{TTL_MS}ms", "policy.cooldown_after_abandoned": "0", "policy.cooldown_after_refusals": "0",
    "policy.reservations_per_user_and_show": "0", "policy.payment_grace": "1s", "payments.latency": "3ms",
    "wal.checkpoint_interval": "1s",
}
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined")
LETTERS = {"available": "F", "reserved": "R", "booked": "B"}
BUSY = ("payment_in_flight", "idempotency_in_flight")


def now_us():
    return time.monotonic_ns() // 1_000


def show_name(number):
    return f"show-{number:05d}"


def seats_of(names):
    """Indices in the hall, row by row."""
    return [(ord(name[0]) - ord("A")) * ROW_SEATS + int(name[1:]) - 1 for name in names]


def joined(seats):
    return ",".join(map(str, sorted(seats)))


class Request:
    """One command from before it is sent until its answer is known."""

    def __init__(self, kind, show, seats, key, owner, reservation=""):
        self.kind, self.show, self.seats, self.key, self.owner, self.reservation = kind, show, seats, key, owner, reservation
        self.booking = ""
        self.card = ""
        self.invoked = 0


class Recorder:
    """The lines of one history, of many lives of a server. Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.lines = []
        self.deadlines = []  # (request's name, show, earliest, latest answer or None)
        self.downs = []      # (from, until): the server did not run
        self.strange = []    # answers that no client should ever get
        self.counts = {}

    def note(self, invoked, returned, client, show, text):
        with self.lock:
            self.lines.append(f"{invoked} {'-' if returned is None else returned} {client} {show} {text}")
            kind = text.split()[0]
            self.counts[kind] = self.counts.get(kind, 0) + 1

    def note_deadline(self, name, show, invoked, returned):
        with self.lock:
            self.deadlines.append([name, show, invoked, returned])

    def is_strange(self, text):
        with self.lock:
            self.strange.append(text)

    def latest(self, returned):
        """When a reservation that was answered then is certainly gone."""
        deadline = returned + TTL_MS * 1_000 + LATE_US
        for begin, end in sorted(self.downs):
            if begin < deadline and end > returned:
                deadline += end - begin
        return deadline

    def write(self, path, paid):
        """`paid`: reservations with a payment under way somewhere, whose deadline may be later."""
        with open(path, "w", encoding="utf-8") as file:
            for number in range(SHOWS):
                file.write(f"show {show_name(number)} {ROWS * ROW_SEATS}\n")
            file.writelines(line + "\n" for line in self.lines)
            for name, show, invoked, returned in self.deadlines:
                latest = "-" if name in paid else self.latest(returned)
                file.write(f"{invoked + TTL_MS * 1_000 - EARLY_US} {latest} clock {show} expire {name}\n")
        return path


class Customer(harness.Customer):
    """One client thread. `held`: its living reservations and bookings, newest last."""

    def __init__(self, number, recorder, seed):
        super().__init__()
        self.name = f"c{number}"
        self.recorder = recorder
        self.random = random.Random(f"{seed}/{number}")
        self.keys = 0
        self.held = []     # [request of the reserve, booking id or ""]
        self.paid = set()  # reservations whose payment was started
        self.pays = True   # false once a payment came out unknown: the gateway's ledger may be broken until the next start

    def one_request(self):
        dice = self.random.random()
        if dice < 0.12:
            return self.look(show_name(self.random.randrange(SHOWS)))
        if not self.held or dice < 0.5:
            return self.reserve()
        index = self.random.randrange(len(self.held))
        made, booking = self.held[index]
        if dice < 0.6:
            return self.read(made) if not booking else None
        if booking:
            return self.finish("cancel", index)
        return self.finish("book" if dice < 0.75 and self.pays else "release", index)

    def new_request(self, kind, show, seats, reservation=""):
        self.keys += 1
        owner = f"{self.name}/{self.keys // 30}"  # one user may have 100 live idempotency keys
        return Request(kind, show, seats, f"{self.name}-{self.keys}", owner, reservation)

    def send(self, request):
        """Returns (status, body). self.pending stays set when there is no answer."""
        self.pending = request
        headers = {} if request.kind == "release" else {"Idempotency-Key": request.key}
        if request.kind == "reserve":
            call = ("POST", f"/shows/{request.show}/reserve", {"seat_ids": request.seats})
        elif request.kind == "release":
            call = ("DELETE", f"/reservations/{request.reservation}", None)
        elif request.kind == "book":
            call = ("POST", "/bookings", {"reservation_id": request.reservation, "payment_token": request.card})
        else:
            call = ("POST", f"/bookings/{request.booking}/cancel", {})
        status, _, body = self.client.request(*call, self.bearer(request.owner), headers)
        self.pending = None
        return status, body

    def reserve(self):
        count = self.random.choice((1, 1, 2, 3))
        first = self.random.randint(1, ROW_SEATS - count + 1)
        row = chr(ord("A") + self.random.randrange(ROWS))
        request = self.new_request("reserve", show_name(self.random.randrange(SHOWS)), [f"{row}{first + i}" for i in range(count)])
        request.invoked = now_us()
        self.on_reserve(request, request.invoked, *self.send(request))

    def on_reserve(self, request, sent_last, status, body):
        """`sent_last`: when it was sent for the last time: a refusal is decided anew, a success is from the first time."""
        returned, seats = now_us(), joined(seats_of(request.seats))
        if status == 201:
            request.reservation = body["reservation_id"]
            self.recorder.note(request.invoked, returned, self.name, request.show, f"reserve {request.reservation} {seats} ok")
            self.recorder.note_deadline(request.reservation, request.show, request.invoked, returned)
            self.held.append([request, ""])
        elif status == 409 and body["code"] == "seats_unavailable":
            taken = joined(seats_of(body["unavailable_seats"]))
            self.recorder.note(sent_last, returned, self.name, request.show, f"refused {seats} {taken}")
        elif status != 503:
            self.recorder.is_strange(f"reserve: {status} {body}")

    def finish(self, kind, index):
        made, booking = self.held[index]
        request = self.new_request(kind, made.show, made.seats, made.reservation)
        request.owner, request.booking = made.owner, booking
        if kind == "book":
            request.card = self.random.choice(CARDS)
            self.paid.add(made.reservation)
        else:
            self.held.pop(index)
        request.invoked = now_us()
        self.on_finish(request, request.invoked, *self.send(request))

    def on_finish(self, request, sent_last, status, body):
        returned = now_us()
        code = body.get("code", "") if isinstance(body, dict) else ""
        if status in (200, 201, 204):
            self.recorder.note(request.invoked, returned, self.name, request.show, f"{request.kind} {request.reservation} ok")
        elif status == 402:
            self.recorder.note(request.invoked, returned, self.name, request.show, f"book {request.reservation} declined")
        elif status in (404, 410) or code == "seats_lost":
            self.recorder.note(sent_last, returned, self.name, request.show, f"{request.kind} {request.reservation} gone")
            self.forget(request.reservation)
        elif status == 503 or status == 202 or code in BUSY:
            self.pays = self.pays and status != 202
            self.leave(request, None)
        else:
            self.recorder.is_strange(f"{request.kind}: {status} {body}")
        if status == 201:
            for held in self.held:
                if held[0].reservation == request.reservation:
                    held[1] = body["booking_id"]

    def forget(self, reservation):
        self.held = [held for held in self.held if held[0].reservation != reservation]

    def read(self, made):
        invoked = now_us()
        status, _, body = self.client.request("GET", f"/reservations/{made.reservation}", None, self.bearer(made.owner))
        if status == 404:
            self.recorder.note(invoked, now_us(), self.name, made.show, f"read {made.reservation} gone")
            self.forget(made.reservation)
        elif status == 200 and body["status"] in ("reserved", "paying", "booked"):
            state = "booked" if body["status"] == "booked" else "reserved"
            self.recorder.note(invoked, now_us(), self.name, made.show, f"read {made.reservation} {state}")
        elif status != 503:
            self.recorder.is_strange(f"read: {status} {body}")

    def look(self, show):
        invoked = now_us()
        status, _, body = self.client.request("GET", f"/shows/{show}/seats")
        if status == 200:
            states = "".join(LETTERS[seat["status"]] for seat in body["seats"])
            self.recorder.note(invoked, now_us(), self.name, show, f"map {states}")
        elif status != 503:
            self.recorder.is_strange(f"seat map: {status} {body}")

    def leave(self, request, died):
        """Nobody asks again: it happened before the server died (a payment: any time later), or never."""
        if request.kind == "reserve":
            request.reservation = f"unknown-{request.key}"
            text = f"reserve {request.reservation} {joined(seats_of(request.seats))} unknown"
            if died is not None:
                self.recorder.note_deadline(request.reservation, request.show, request.invoked, died)
        else:
            text = f"{request.kind} {request.reservation} unknown"
            self.forget(request.reservation)
        self.recorder.note(request.invoked, None if request.kind == "book" else died, self.name, request.show, text)

    def settle(self, port, died):
        """After a restart. `died`: when the server before was certainly dead."""
        request, self.pending = self.pending, None
        self.pays = True
        if request is None:
            return
        if self.random.random() < 0.4:
            return self.leave(request, died)
        if request.kind == "release":  # it has no key: asked again it is another one
            self.leave(request, died)
            again = self.new_request("release", request.show, request.seats, request.reservation)
            again.owner, again.invoked = request.owner, now_us()
            request = again
        self.client = harness.Client(port)
        try:
            for _ in range(200):
                sent_last = now_us()
                status, body = self.send(request)
                busy = status in (202, 503) or (status == 409 and body.get("code") in BUSY)
                if not busy:
                    break
                time.sleep(0.02)
            if request.kind == "reserve":
                self.on_reserve(request, sent_last, status, body)
            else:
                self.on_finish(request, sent_last, status, body)
        finally:
            self.client.close()


class Crowd:
    """All customers and the server that they fight on."""

    def __init__(self, folder, seed, settings=None):
        catalog = harness.make_catalog(SHOWS, ROWS, ROW_SEATS, prefix="show-")
        path = harness.write_json(os.path.join(folder, "catalog.json"), catalog)
        self.folder = folder
        self.server = harness.Server(folder, path, {**SETTINGS, **(settings or {})})
        self.recorder = Recorder()
        self.customers = [Customer(n, self.recorder, seed) for n in range(CLIENTS)]
        self.random = random.Random(seed)

    def live(self, seconds, end):
        """Lets them fight, then calls end(server), which returns when the server is dead. Returns when that was."""
        stop = threading.Event()
        threads = [threading.Thread(target=c.run, args=(self.server.port, stop)) for c in self.customers]
        began = now_us()
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        before = now_us()
        end(self.server)
        died = now_us()
        stop.set()
        for thread in threads:
            thread.join()
        # what an unusual end took until the server was dead counts as time in which it did not run
        self.recorder.downs.append([max(began, before), died])
        return died

    def start_again(self, died):
        self.server.start()
        self.recorder.downs.append([died, now_us()])
        for customer in self.customers:
            customer.settle(self.server.port, died)

    def judge(self, canary=True):
        """Writes the history and lets usher_history judge it; then with one reservation sold twice, which it must see."""
        recorder = self.recorder
        harness.check(not recorder.strange, f"{len(recorder.strange)} strange answers: {recorder.strange[:3]}")
        paid = set().union(*(customer.paid for customer in self.customers))
        path = recorder.write(os.path.join(self.folder, "history.txt"), paid)
        code, said = run_checker(path)
        if not harness.check(code == 0, f"the history is not linearizable, or not decided ({code}): {said[:3000]}"):
            keep = os.path.join(harness.BUILD, "history-failed.txt")
            shutil.move(path, keep)
            harness.say(f"the history: {keep}")
            return
        harness.say(f"{said.strip()}; {recorder.counts}")
        if canary:
            line = next(line for line in recorder.lines if " reserve " in line and line.endswith(" ok"))
            words = line.split()
            with open(path, "a", encoding="utf-8") as file:
                file.write(" ".join([*words[:5], "sold-twice", *words[6:]]) + "\n")
            code, said = run_checker(path)
            harness.check(code == 1 and "VIOLATION" in said, f"a seat sold twice is found: {code} {said[:500]}")

    def judge_directory(self):
        """The stopped directory by itself."""
        audit = harness.run_usher("audit", "--data", self.server.data)
        harness.check(audit.returncode == 0, f"usher audit: {audit.returncode} {audit.stdout[-1000:]} {audit.stderr[-500:]}")
        whole, short = (harness.run_usher("replay", "--data", self.server.data, *more) for more in ((), ("--from-checkpoints",)))
        harness.check(whole.returncode == 0 and short.returncode == 0, f"usher replay: {whole.stderr[-300:]} {short.stderr[-300:]}")


def run_checker(path):
    done = subprocess.run([CHECKER, "check", path], capture_output=True, text=True, timeout=900, check=False)
    return done.returncode, done.stdout + done.stderr
