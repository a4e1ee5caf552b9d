"""What clients know about the state of a sale, by their answers alone: the external checker of kill_test.py.

Each client thread owns the holdings (reservations and bookings) it made and is the only one to change them, so a holding's
state is certain but for the one request that was in flight when the server died. Clocks are time.monotonic() of this
process: `began` before a request is sent, `ended` after its answer was read.
"""

import dataclasses
import math
import threading

LIVE = ("reserved", "booked")


@dataclasses.dataclass
class Holding:
    """One reservation that was answered 201, and what became of it."""

    show: str
    seats: tuple
    owner: str
    reservation: str
    state: str = "reserved"  # reserved, booked, released, cancelled
    booking: str = ""
    tickets: tuple = ()
    codes: tuple = ()      # what the tickets' QR codes say
    passes: int = 0        # how often the first ticket went through the gate: in, out, in ...; the last time perhaps
    leaving: bool = False  # a release or cancel is under way, or was when the server died
    paying: bool = False   # so for a payment


@dataclasses.dataclass
class Request:
    """A request that changes something, from before it is sent until its answer is known."""

    kind: str  # reserve, book, release, cancel, scan
    owner: str
    show: str
    seats: tuple
    key: str
    holding: Holding = None
    card: str = ""
    began: float = 0.0
    ended: float = math.inf


class Model:
    """All that was answered so far. Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.holdings = []
        self.in_doubt = []    # reserves without an answer
        self.seen_taken = {}  # (show, seat) -> latest `began` of a request whose answer showed it taken
        self.departures = {}  # (show, seat) -> the releases and cancels that may have freed it since the last restart
        self.map_lsn = {}     # show -> highest lsn of a seat map
        self.acknowledged = 0
        self.violations = []

    def violation(self, text):
        with self.lock:
            self.violations.append(text)

    def on_reserved(self, request, reservation):
        holding = Holding(request.show, request.seats, request.owner, reservation)
        with self.lock:
            self.acknowledged += 1
            for other in self.live(request.show):
                both = set(other.seats) & set(holding.seats)
                if both and not other.leaving:
                    self.violations.append(f"{both} of {request.show} sold twice: {other.reservation} and {reservation}")
            self.holdings.append(holding)
            self._see(request.show, request.seats, request.began)
        return holding

    def on_booked(self, holding, booking, tickets, codes=()):
        with self.lock:
            self.acknowledged += 1
            holding.state, holding.booking, holding.tickets, holding.paying = "booked", booking, tickets, False
            holding.codes = codes

    def on_scanned(self):
        with self.lock:
            self.acknowledged += 1

    def on_leaving(self, request):
        """Before a release or cancel is sent: from here on its seats may be free."""
        with self.lock:
            request.holding.leaving = True
            for seat in request.seats:
                self.departures.setdefault((request.show, seat), []).append(request)

    def on_left(self, request, ended):
        with self.lock:
            self.acknowledged += 1
            request.ended = ended
            request.holding.state = "cancelled" if request.kind == "cancel" else "released"

    def on_seen_taken(self, show, seats, began):
        with self.lock:
            self._see(show, seats, began)

    def _see(self, show, seats, began):
        for seat in seats:
            self.seen_taken[show, seat] = max(self.seen_taken.get((show, seat), -1.0), began)

    def on_map(self, show, lsn, statuses, began, lsn_before):
        """A seat map as answered. `lsn_before`: map_lsn[show] when it was asked for."""
        with self.lock:
            if lsn < lsn_before:
                self.violations.append(f"seat map of {show} fell from lsn {lsn_before} to {lsn}")
            self.map_lsn[show] = max(self.map_lsn.get(show, 0), lsn)
            self._see(show, [seat for seat, status in statuses.items() if status != "available"], began)

    def live(self, show):
        return [h for h in self.holdings if h.show == show and h.state in LIVE]

    def start_epoch(self, maps):
        """After a restart was judged: what was seen before is settled, what the new maps show is seen now."""
        with self.lock:
            self.departures.clear()
            self.seen_taken.clear()
            for (show, statuses, began) in maps:
                self._see(show, [seat for seat, status in statuses.items() if status != "available"], began)


def judge_map(model, show, statuses):
    """After a restart, before anything is retried: what the seat map of a show must say. Yields violations."""
    holders = {}
    for holding in model.live(show):
        for seat in holding.seats:
            holders.setdefault(seat, []).append(holding)
    doubts = {}
    for request in model.in_doubt:
        if request.show == show:
            for seat in request.seats:
                doubts.setdefault(seat, []).append(request)
    for seat, status in statuses.items():
        yield from judge_seat(model, show, seat, status, holders.get(seat, []), seat in doubts)
    for request in model.in_doubt:
        if request.show == show:
            yield from judge_doubt(request, statuses, holders, doubts)


def judge_seat(model, show, seat, status, holders, in_doubt):
    certain = [h for h in holders if not h.leaving]
    if len(certain) > 1:
        yield f"{show} {seat}: held twice: {[h.reservation for h in certain]}"
    if certain and status == "available":
        yield f"{show} {seat}: lost, was {certain[0].state} by {certain[0].reservation}"
    elif certain and certain[0].state == "booked" and status != "booked":
        yield f"{show} {seat}: {status}, but booked as {certain[0].booking}"
    elif certain and certain[0].state == "reserved" and not certain[0].paying and status != "reserved":
        yield f"{show} {seat}: {status}, but reserved by {certain[0].reservation}"
    if not holders and not in_doubt and status != "available":
        yield f"{show} {seat}: {status} by nobody who asked for it"
    seen = model.seen_taken.get((show, seat))
    if status == "available" and seen is not None:
        left = model.departures.get((show, seat), [])
        if all(request.ended <= seen for request in left):
            yield (f"{show} {seat}: was seen taken by a request sent at {seen:.4f}, is available, and nobody gave it back since: "
                   f"{[(request.kind, round(request.began, 4), round(request.ended, 4)) for request in left[-2:]]}, "
                   f"in doubt: {in_doubt}")


def judge_doubt(request, statuses, holders, doubts):
    """A reserve without an answer happened wholly or not at all."""
    alone = {seat: statuses[seat] != "available" for seat in request.seats
             if seat not in holders and len(doubts[seat]) == 1}
    if len(set(alone.values())) > 1:
        yield f"{request.show} {request.seats}: half reserved: {alone}"
    if any(alone.values()) and any(statuses[seat] == "available" for seat in request.seats):
        yield f"{request.show} {request.seats}: half reserved: {statuses}"
