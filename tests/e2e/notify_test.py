"""What follows a booking, against servers that nobody here wrote: aiosmtpd takes the mails, Python's http.server the
webhooks and what goes to phones. Servers are down, refuse, answer 500 and 410, and the process is killed: nothing may be missing.
"""

import base64
import datetime
import email
import email.policy
import email.utils
import hashlib
import hmac
import http.server
import json
import os
import socket
import sys
import threading
import time

try:
    from aiosmtpd.controller import Controller
except ImportError:  # another Python comes first in the path than the one that Debian's packages are for
    if sys.executable == "/usr/bin/python3":
        raise
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check, say  # noqa: E402

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
SHOW = "load-00000"


def wait_for(condition, what, within=30):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return check(False, f"in time: {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Mailbox:
    """aiosmtpd's handler: keeps what arrives, refuses who is called nobody."""

    def __init__(self):
        self.mails = []

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos[0], mail))
        return "250 OK"

    def of(self, address):
        return [mail for to, mail in self.mails if to == address]


class Hook(http.server.BaseHTTPRequestHandler):
    calls = []
    answer = {}  # path -> list of statuses to give, then 204

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        statuses = Hook.answer.get(self.path, [])
        status = statuses.pop(0) if statuses else 204
        Hook.calls.append((self.path, status, dict(self.headers), body))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass

    @classmethod
    def done(cls, path):
        return [json.loads(body) for p, status, _, body in cls.calls if p == path and status == 204]


def book(server, user, seats, **contact):
    bearer = harness.token(user)
    _, _, reservation = server.request("POST", f"/shows/{SHOW}/reserve", {"seat_ids": seats}, bearer)
    status, _, booking = server.request("POST", "/bookings", {"reservation_id": reservation["reservation_id"],
                                                              "payment_token": "pm_card_visa", **contact}, bearer)
    check(status == 201, f"booked: {booking}")
    return booking


def check_bad_contacts(server):
    bearer = harness.token("bad")
    _, _, reservation = server.request("POST", f"/shows/{SHOW}/reserve", {"seat_ids": ["J20"]}, bearer)
    for field, value in (("email", "a@b\r\nBcc: x@y"), ("email", "nobody"), ("phone", "0301234")):
        status, _, problem = server.request("POST", "/bookings", {"reservation_id": reservation["reservation_id"],
                                                                  "payment_token": "pm_card_visa", field: value}, bearer)
        check(status == 400 and field in problem["detail"], f"{field} {value!r}: {problem}")


def check_mails(server, box, booking):
    wait_for(lambda: box.of("alice@example.org"), "the confirmation")
    mail = box.of("alice@example.org")[0]
    parts = {part.get_content_type(): part for part in mail.walk()}
    check("The Load" in mail["Subject"] and mail["Message-ID"], f"{mail['Subject']}")
    text = parts["text/plain"].get_content()
    check("A1, A2" in text and "30.00 USD" in text and booking["booking_id"] in text, f"says what was bought: {text}")
    check(parts["application/pdf"].get_content().startswith(b"%PDF"), "the tickets are attached")
    check("UID:" in parts["text/calendar"].get_content(), "and a calendar entry")
    bearer = harness.token("alice")
    check(server.request("POST", f"/bookings/{booking['booking_id']}/cancel", {"seat_ids": ["A1"]}, bearer)[0] == 200, "cancelled")
    wait_for(lambda: len(box.of("alice@example.org")) >= 3, "cancellation and refund")
    subjects = [mail["Subject"] for mail in box.of("alice@example.org")]
    check(any(s.startswith("Cancelled") for s in subjects) and any("refund" in s for s in subjects), f"{subjects}")


def check_person(server, booking):
    bearer = harness.token("alice")
    status, _, export = server.request("GET", "/me/export", bearer=bearer)
    check(status == 200 and export["subject"] == "alice", f"{export}")
    check(export["contacts"] == [{"booking_id": booking["booking_id"], "email": "alice@example.org", "phone": "+4930123456"}], f"{export}")
    check(export["bookings"][0]["booking_id"] == booking["booking_id"], "and bookings")
    check(server.request("DELETE", "/me", bearer=bearer)[0] == 204, "erased")
    export = server.request("GET", "/me/export", bearer=bearer)[2]
    check("subject" not in export and export["contacts"] == [], f"nothing is left: {export}")
    check(len(export["bookings"]) == 1, "but the booking")


def check_signature(head, body):
    text = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()
    check(head["webhook-signature"] == f"v1,{right}", "signed by the book")


def check_sms(booking):
    """A message to the phone of who gave one, when it was booked and when seats were cancelled; tried until it is taken."""
    wait_for(lambda: len(Hook.done("/sms")) >= 2, "two messages")
    messages = Hook.done("/sms")
    check({m["to"] for m in messages} == {"+4930123456"}, f"to who gave a number: {messages}")
    check(all("The Load" in m["text"] and "A2" in m["text"] for m in messages), f"{messages}")
    check(messages[1]["text"].startswith("Cancelled") and "A1 (cancelled)" in messages[1]["text"], f"{messages}")
    check(len({m["id"] for m in messages}) == 2 == len(messages), "one each")
    tries = [call for call in Hook.calls if call[0] == "/sms"]
    check([status for _, status, _, _ in tries] == [429, 204, 204], f"{[t[1] for t in tries]}")
    for _, _, head, body in tries:
        check_signature(head, body)
    check(booking["booking_id"] not in json.dumps(messages), "no more is said than needed")


def check_reminder(server, box, catalog):
    """A mail before the show begins, in its time and once, with the tickets."""
    book(server, "carol", ["D1"], email="carol@example.org")
    wait_for(lambda: len(box.of("carol@example.org")) >= 2, "confirmation and reminder", within=60)
    subjects = [mail["Subject"] for mail in box.of("carol@example.org")]
    check(subjects[0].startswith("Your tickets") and subjects[1].startswith("Soon") and len(subjects) == 2, f"{subjects}")
    check(any(part.get_content_type() == "application/pdf" for part in box.of("carol@example.org")[1].walk()), "with the tickets")
    start = datetime.datetime.fromisoformat(catalog["shows"][0]["start_time"].replace("Z", "+00:00"))
    due = start - datetime.timedelta(seconds=int(server.settings["notify.reminder_before"][:-1]))
    sent = email.utils.parsedate_to_datetime(box.of("carol@example.org")[1]["Date"])
    check(sent >= due.replace(microsecond=0), f"not before its time: {sent} {due}")


def check_webhooks(booking):
    wait_for(lambda: any(e["type"] == "usher.refund_settled" for e in Hook.done("/good")), "the webhooks")
    told = {e["type"]: e for e in Hook.done("/good")}
    check(told["usher.booked"]["data"]["booking_id"] == booking["booking_id"], f"{told}")
    check({"usher.booked", "usher.seats_cancelled", "usher.refund_settled"} <= set(told), f"{set(told)}")
    tries = [c for c in Hook.calls if c[0] == "/good" and json.loads(c[3])["id"] == told["usher.booked"]["id"]]
    check([status for _, status, _, _ in tries] == [500, 503, 204], f"tried until it was taken: {[t[1] for t in tries]}")
    check(len({(head["webhook-id"], body) for _, _, head, body in tries}) == 1, "the same id and bytes each time")
    for _, _, head, body in tries:
        check_signature(head, body)
    wait_for(lambda: any(c[0] == "/gone" for c in Hook.calls), "the endpoint that is gone")


def calls_of(path):
    return [call for call in Hook.calls if call[0] == path]


def check_dead(server, asked_before):
    staff = harness.token("s", "staff")
    dead = lambda: server.request("GET", "/admin/deliveries?state=dead", bearer=staff)[2]["deliveries"]  # noqa: E731
    wait_for(lambda: any(d["sink"] == "mail" for d in dead()), "the mail that nobody takes")
    mail = next(d for d in dead() if d["sink"] == "mail")
    check("550" in mail["error"] and "nobody@" not in json.dumps(mail), f"says why and not who: {mail}")
    gone = [d for d in dead() if d["sink"] == "webhook"]
    check(gone and all("410" in d["error"] for d in gone), f"410: {gone}")
    check(len(gone) >= 3 and len(calls_of("/gone")) - asked_before <= 1, f"is asked at most once in a life: {len(calls_of('/gone'))}")
    Hook.answer["/gone"] = []
    check(server.request("POST", f"/admin/deliveries/{gone[0]['delivery_id']}/retry", bearer=staff)[0] == 202, "an operator tries again")
    wait_for(lambda: Hook.done("/gone"), "and it arrives")
    check(server.request("POST", "/admin/deliveries/hello/retry", bearer=staff)[2]["code"] == "unknown_delivery", "no such")
    check(server.request("GET", "/admin/deliveries", bearer=harness.token("x"))[0] == 403, "not for customers")


def settings(mail_port, hook_port, **more):
    return {"notify.smtp_url": f"smtp://127.0.0.1:{mail_port}", "notify.mail_from": "tickets@example.org",
            "notify.webhook_urls": f"http://127.0.0.1:{hook_port}/good,http://127.0.0.1:{hook_port}/gone",
            "notify.webhook_secret": SECRET, "notify.sms_url": f"http://127.0.0.1:{hook_port}/sms", "notify.sms_secret": SECRET, "notify.allow_private": "true", "notify.first_wait": "50ms", **more}


def main():
    box = Mailbox()
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    mail_port = free_port()
    Hook.answer = {"/good": [500, 503], "/gone": [410] * 100, "/sms": [429]}
    with harness.temp_folder() as folder:
        document = harness.make_catalog(1)
        catalog = harness.write_json(os.path.join(folder, "catalog.json"), document)
        server = harness.Server(folder, catalog, settings(mail_port, hook.server_address[1]))
        with server:
            staff = harness.token("s", "staff")
            check_bad_contacts(server)
            # the mail server is down, and the process is killed while the mail waits
            booking = book(server, "alice", ["A1", "A2"], email="alice@example.org", phone="+4930123456")
            waiting = lambda: server.request("GET", "/admin/deliveries?state=waiting", bearer=staff)[2]["deliveries"]  # noqa: E731
            wait_for(lambda: any(d["sink"] == "mail" and d["attempts"] > 0 for d in waiting()), "a mail that waits")
            server.kill()
        asked_before = len(calls_of("/gone"))
        controller = Controller(box, hostname="127.0.0.1", port=mail_port)
        controller.start()
        with server:
            check_mails(server, box, booking)
            check_webhooks(booking)
            check_sms(booking)
            book(server, "bob", ["B1"], email="nobody@example.org")
            check_dead(server, asked_before)
            check_person(server, booking)
            log = server.output()
            check("alice@example.org" not in log and "+4930123456" not in log, "no address in any log line")
            users = [f"user{n}@example.org" for n in range(8)]
            for number, address in enumerate(users):
                book(server, f"user{number}", [f"C{number + 1}"], email=address)
            wait_for(lambda: all(box.of(a) for a in users), "everybody's mail")
            check(all(len({m["Message-ID"] for m in box.of(a)}) == 1 for a in users), "one each")
            text = server.request("GET", "/metrics", bearer=staff)[2].decode()
            check('usher_deliveries_total{sink="mail"}' in text, "counted")
            check(server.stop() == 0, "stops")
        # the same hooks are refused where private addresses are not allowed
        Hook.calls.clear()
        server.settings["notify.allow_private"] = "false"
        start = datetime.datetime.fromisoformat(document["shows"][0]["start_time"].replace("Z", "+00:00"))
        left = start - datetime.datetime.now(datetime.timezone.utc)
        server.settings["notify.reminder_before"] = f"{int(left.total_seconds()) - 10}s"  # due in ten seconds
        with server:
            check_reminder(server, box, document)
            staff = harness.token("s", "staff")
            wait_for(lambda: any(d["sink"] == "webhook" and d["attempts"] > 1 for d in
                                 server.request("GET", "/admin/deliveries?state=waiting", bearer=staff)[2]["deliveries"]), "refusals")
            check(not Hook.calls, "nobody inside is called")
            check(server.stop() == 0, "stops")
        controller.stop()
        audit = harness.run_usher("audit", "--data", server.data)
        check(audit.returncode == 0 and "beside the log" in audit.stdout, f"audit: {audit.stdout[-500:]} {audit.stderr[-500:]}")
    hook.shutdown()
    say(f"{len(box.mails)} mails, {len(Hook.calls)} calls")
    harness.finish()


main()
