"""The gate over HTTP: every reason in its order, scans made offline and sent later, restarts, and the signed list of
revoked tickets, whose signature Python checks by the book."""

import base64
import datetime
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ed25519  # noqa: E402
import harness  # noqa: E402
from harness import check, say  # noqa: E402

SHOW, LATER = "load-00000", "load-00001"


class Gate:
    def __init__(self, server):
        self.server = server
        self.bearer = harness.token("gate-1", "gate")

    def scan(self, ticket, **fields):
        body = {"ticket": ticket["qr_code"] if isinstance(ticket, dict) else ticket, "gate": "north", **fields}
        status, _, answer = self.server.request("POST", "/checkins", body, self.bearer)
        return answer.get("result") if status == 200 else (status, answer["code"], answer["detail"])

    def upload(self, scans):
        status, _, answer = self.server.request("POST", "/checkins", {"checkins": scans}, self.bearer)
        check(status == 200, f"upload: {answer}")
        return [result["result"] for result in answer["results"]]


def book(server, user, seats, show=SHOW):
    bearer = harness.token(user)
    _, _, reservation = server.request("POST", f"/shows/{show}/reserve", {"seat_ids": seats}, bearer)
    return server.request("POST", "/bookings", {"reservation_id": reservation["reservation_id"], "payment_token": "pm_card_visa"}, bearer)[2]


def ago(**how):
    return harness.rfc3339(datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**how))


def check_gates(server):
    admin = harness.token("root", "admin")
    add = lambda body, bearer=admin: server.request("POST", "/admin/gates", body, bearer)  # noqa: E731
    check(add({"gate_id": "north", "screen_id": "load-screen-0", "name": "North"})[0] == 201, "a gate of a screen")
    check(add({"gate_id": "vip", "show_id": LATER})[0] == 201, "a gate of a show")
    check(add({"gate_id": "north", "screen_id": "load-screen-0"}, harness.token("x"))[0] == 403, "customers open no gates")
    for body, word in (({"gate_id": "x"}, "show_id or screen_id"), ({"gate_id": "x", "show_id": "no"}, "show_id"),
                       ({"gate_id": "x", "screen_id": "no"}, "screen_id"), ({"gate_id": "a b", "show_id": SHOW}, "gate_id")):
        status, _, problem = add(body)
        check(status == 400 and word in problem["detail"], f"{body}: {problem}")
    check(add({"gate_id": "old", "show_id": SHOW})[0] == 201 and
          server.request("DELETE", "/admin/gates/old", bearer=admin)[0] == 204, "and is removed")
    gates = server.request("GET", "/admin/gates", bearer=admin)[2]["gates"]
    check([g["gate_id"] for g in gates] == ["north", "vip"], f"listed: {gates}")


def check_reasons(gate, server, booking, later):
    first, second = booking["tickets"]
    good = first["qr_code"]
    check(gate.scan("hello") == "bad_signature", "no code")
    check(gate.scan(good[:-2] + ("AA" if not good.endswith("AA") else "EA")) == "bad_signature", "forged")
    raw = bytearray(base64.urlsafe_b64decode(good[4:] + "=" * (-len(good[4:]) % 4)))
    raw[1] ^= 1
    check(gate.scan("UT1." + harness.base64url(bytes(raw))) == "unknown_key", "somebody else's key")
    check(gate.scan(first, gate="vip") == "wrong_show", "another show's gate")
    check(gate.scan(first, gate="nowhere")[:2] == (400, "unknown_gate"), "no gate")
    check(gate.scan(first, direction="up")[0] == 400, "no direction")
    check(gate.scan(first, scanned_at="now, I think, yes")[0] == 400, "no time")
    check(gate.scan(later["tickets"][0], gate="vip") == "too_early", "days too early")
    check(gate.scan(first, scanned_at=ago(days=30)) == "too_early", "before the doors opened")
    check(gate.scan(first, nonce="n1", scanned_at=ago(minutes=2)) == "valid", "in")
    check(gate.scan(first, nonce="n1") == "valid", "the same scan again")
    check(gate.scan(first, nonce="n2") == "already_used", "another one")
    check(gate.scan(first, direction="out", scanned_at=ago(minutes=1)) == "valid" and gate.scan(first) == "valid", "out and back in")
    bearer = harness.token("alice")
    status, _, problem = server.request("POST", f"/bookings/{booking['booking_id']}/cancel", bearer=bearer)
    check(problem["code"] in ("ticket_used", "cancellation_too_late"), f"a used ticket stays: {problem}")
    shown = server.request("GET", f"/bookings/{booking['booking_id']}", bearer=bearer)[2]
    check([t["status"] for t in shown["tickets"]] == ["used", "valid"], f"{shown}")
    check(server.request("POST", "/checkins", {"ticket": good, "gate": "north"}, bearer)[0] == 403, "customers scan nothing")
    return second


def check_offline(gate, ticket):
    code = ticket["qr_code"]
    late, early = ago(minutes=10), ago(minutes=20)
    one = {"ticket": code, "gate": "north", "device": "B", "scanned_at": late, "nonce": "1"}
    other = {"ticket": code, "gate": "north", "device": "A", "scanned_at": early, "nonce": "1"}
    check(gate.upload([one]) == ["valid"], "the later scan came first")
    check(gate.upload([other]) == ["valid"], "the earlier one counts")
    check(gate.upload([one, other]) == ["already_used", "valid"], "and whoever asks again learns it")
    check(gate.upload([{"ticket": "hello", "gate": "north"}, one]) == ["bad_signature", "already_used"], "a batch answers in its order")


def check_revocations(folder, server, gate, booking):
    _, _, before = server.request("GET", "/revocations", bearer=gate.bearer)
    bearer = harness.token("carol")
    status, _, answer = server.request("POST", f"/bookings/{booking['booking_id']}/cancel", {"seat_ids": ["D1"]}, bearer)
    check(status == 200, f"{answer}")
    _, _, delta = server.request("GET", f"/revocations?from={before['next_cursor']}", bearer=gate.bearer)
    gone = booking["tickets"][0]
    check(delta["tickets"] == [gone["ticket_id"]] and not delta["more"], f"one ticket: {delta}")
    _, _, nothing = server.request("GET", f"/revocations?from={delta['next_cursor']}", bearer=gate.bearer)
    check(nothing["tickets"] == [], "and then none")
    text = "".join(f"{line}\n" for line in ["usher-revocations", delta["from"], delta["next_cursor"], *delta["tickets"]])
    _, _, keys = server.request("GET", "/.well-known/usher-keys.json")
    unbase = lambda t: base64.urlsafe_b64decode(t + "=" * (-len(t) % 4))  # noqa: E731
    check(ed25519.verify(unbase(keys["keys"][0]["x"]), text.encode(), unbase(delta["signature"])), "signed")
    files = [harness.write_json(os.path.join(folder, name), what) for name, what in (("keys.json", keys), ("delta.json", delta))]
    done = harness.run_usher("verify-ticket", "--keys", files[0], "--revocations", files[1], gone["qr_code"])
    check(json.loads(done.stdout)["result"] == "cancelled" and done.returncode == 1, f"an offline gate that has synced: {done.stdout}")
    harness.write_json(files[1], {**delta, "tickets": []})
    done = harness.run_usher("verify-ticket", "--keys", files[0], "--revocations", files[1], gone["qr_code"])
    check(done.returncode != 0 and "signature" in done.stderr + done.stdout, f"a list that was shortened: {done.stderr}")
    check(server.request("GET", "/revocations?from=hello", bearer=gate.bearer)[2]["code"] == "invalid_parameter", "no cursor")
    check(gate.scan(gone, gate="vip") == "cancelled", "nor does it open one online")
    return delta


def main():
    with harness.temp_folder() as folder:
        # the first show starts within the hour, the second three hours later, the others are days away
        catalog = harness.make_catalog(2, starts_in_hours=1)
        later = harness.rfc3339(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3))
        catalog["shows"][1]["start_time"] = later
        server = harness.Server(folder, harness.write_json(os.path.join(folder, "catalog.json"), catalog))
        with server:
            gate = Gate(server)
            check_gates(server)
            booking = book(server, "alice", ["A1", "A2"])
            far = book(server, "bob", ["B1"], LATER)
            other = book(server, "carol", ["D1", "D2"], LATER)
            second = check_reasons(gate, server, booking, far)
            check_offline(gate, second)
            delta = check_revocations(folder, server, gate, other)
            server.kill()
        with server:
            check(gate.scan(second) == "already_used", "after a kill")
            check(gate.scan(booking["tickets"][0], nonce="n9") == "already_used", "both are inside")
            again = server.request("GET", f"/revocations?from={delta['from']}", bearer=gate.bearer)[2]
            check(other["tickets"][0]["ticket_id"] in again["tickets"], "what was revoked stays so")
            text = server.request("GET", "/metrics", bearer=harness.token("s", "staff"))[2].decode()
            check('usher_checkins_total{result="already_used"} 2' in text, "scans are counted")
            check(server.stop() == 0, "stops, with a checkpoint")
        with server:
            check(gate.scan(second) == "already_used", "and after a checkpoint")
            check(server.stop() == 0, "stops")
        audit = harness.run_usher("audit", "--data", server.data)
        check(audit.returncode == 0, f"audit: {audit.stdout[-500:]} {audit.stderr[-500:]}")
    say("done")
    harness.finish()


main()
