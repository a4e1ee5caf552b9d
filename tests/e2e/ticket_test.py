"""Tickets over HTTP, judged by what nobody here wrote: zbar reads the QR codes out of PNG and PDF, Python's own
arithmetic checks the signatures, and `usher verify-ticket` does so without a server.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ed25519  # noqa: E402
import harness  # noqa: E402
from harness import check, say  # noqa: E402

SHOW = "load-00000"


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read_qr(picture):
    done = subprocess.run(["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def verify_by_the_book(code, document):
    """The grammar of server/tickets/README.md, without the server's code. Returns the payload's fields, or None."""
    raw = unbase64url(code.removeprefix("UT1."))
    payload, signature = raw[:-64], raw[-64:]
    key = payload[1:5].hex()
    jwk = next((k for k in document["keys"] if k["kid"] == key), None)
    if not code.startswith("UT1.") or jwk is None or not ed25519.verify(unbase64url(jwk["x"]), payload, signature):
        return None
    return {"version": payload[0], "ticket": payload[5:21].hex(), "from": int.from_bytes(payload[21:25], "big"),
            "until": int.from_bytes(payload[25:29], "big"), "seat": payload[30:30 + payload[29]].decode()}


def book(server, user, seats, show=SHOW):
    bearer = harness.token(user)
    _, _, reservation = server.request("POST", f"/shows/{show}/reserve", {"seat_ids": seats}, bearer)
    status, _, booking = server.request("POST", "/bookings", {"reservation_id": reservation["reservation_id"],
                                                              "payment_token": "pm_card_visa"}, bearer)
    check(status == 201, f"booked: {booking}")
    return booking


def check_pictures(folder, server, booking, bearer):
    for ticket in booking["tickets"]:
        base = f"/bookings/{booking['booking_id']}/tickets/{ticket['ticket_id']}"
        status, head, png = server.request("GET", f"{base}.png", bearer=bearer)
        check(status == 200 and head["Content-Type"] == "image/png", f"png: {status}")
        path = harness_write(folder, "ticket.png", png)
        check(read_qr(path) == ticket["qr_code"], "zbar reads from the PNG what the booking says")
        status, head, svg = server.request("GET", f"{base}.svg", bearer=bearer)
        check(status == 200 and head["Content-Type"] == "image/svg+xml" and b"<svg" in svg, f"svg: {status}")
        status, head, pdf = server.request("GET", f"{base}.pdf", bearer=bearer)
        check(status == 200 and pdf.startswith(b"%PDF"), f"pdf: {status}")
        path = harness_write(folder, "ticket.pdf", pdf)
        subprocess.run(["pdftoppm", "-r", "80", "-png", "-singlefile", path, path[:-4]], stderr=subprocess.DEVNULL, check=True)
        check(read_qr(path[:-4] + ".png") == ticket["qr_code"], "and from the PDF")
        words = subprocess.run(["pdftotext", path, "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
        check(f"Seat {ticket['seat_id']}" in words and "The Load" in words and "15.00 USD" in words, f"a person reads: {words}")


def harness_write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def verify_ticket(keys, *arguments):
    done = harness.run_usher("verify-ticket", "--keys", keys, *arguments)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def check_signatures(folder, server, booking):
    _, _, document = server.request("GET", "/.well-known/usher-keys.json")
    keys = harness.write_json(os.path.join(folder, "keys.json"), document)
    for ticket in booking["tickets"]:
        facts = verify_by_the_book(ticket["qr_code"], document)
        check(facts and facts["version"] == 1 and facts["seat"] == ticket["seat_id"], f"signed: {facts}")
        check(facts["ticket"] == ticket["ticket_id"].replace("-", ""), "names its ticket")
        code, lines = verify_ticket(keys, ticket["qr_code"], "--at", "2020-01-01T00:00:00Z")
        check(code == 1 and lines[0]["result"] == "too_early" and lines[0]["seat_id"] == ticket["seat_id"], f"{lines}")
    good = booking["tickets"][0]["qr_code"]
    facts = verify_by_the_book(good, document)
    inside = subprocess.run(["date", "-u", "-d", f"@{facts['from']}", "+%FT%TZ"], capture_output=True, text=True, check=True).stdout.strip()
    code, lines = verify_ticket(keys, good, "--at", inside)
    check(code == 0 and lines[0]["result"] == "valid", f"valid from its first second: {lines}")
    forged = good[:-1] + ("A" if good[-1] != "A" else "E")
    code, lines = verify_ticket(keys, forged, good[:60], "--at", inside)
    check(code == 1 and [line["result"] for line in lines] == ["bad_signature"] * 2, f"forged: {lines}")
    check(verify_by_the_book(forged, document) is None, "the judge agrees")
    return keys, good


def check_vector(folder):
    """What is published is what the judge and the program find."""
    with open(os.path.join(harness.TOP, "server", "tickets", "README.md"), encoding="utf-8") as file:
        text = file.read()
    document = {"keys": [json.loads(re.search(r'public key \| `({.*?})`', text).group(1))]}
    code = re.search(r"code \| `(UT1\.\S+)`", text).group(1)
    facts = verify_by_the_book(code, document)
    check(facts and facts["seat"] == "F12" and facts["ticket"] == "000000070000801" + "89a3b1c2d3e4f5a6b", f"the vector: {facts}")
    keys = harness.write_json(os.path.join(folder, "vector.json"), document)
    check(verify_ticket(keys, code, "--at", "2026-11-24T22:00:00Z")[0] == 0, "and the program agrees, to the last second")
    check(verify_ticket(keys, code, "--at", "2026-11-24T22:00:01Z")[1][0]["result"] == "too_late", "and not one longer")


def check_rotation(server, booking, keys, good, bearer):
    admin = harness.token("root", "admin")
    status, _, _ = server.request("POST", "/admin/ticket-keys", bearer=bearer)
    check(status == 403, "customers make no keys")
    status, _, problem = server.request("POST", "/admin/ticket-keys", {"active_from": "tomorrow morning !!!!"}, admin)
    check(status == 400 and "active_from" in problem["detail"], f"{problem}")
    status, _, added = server.request("POST", "/admin/ticket-keys", {"active_from": "2020-01-01T00:00:00Z"}, admin)
    check(status == 201, f"{added}")
    path = f"/bookings/{booking['booking_id']}"
    fresh = server.request("GET", path, bearer=bearer)[2]["tickets"][0]["qr_code"]
    check(fresh != good, "the new key signs")
    check(verify_ticket(keys, fresh)[1][0]["result"] == "unknown_key", "who has not fetched the new key says so")
    old = unbase64url(good.removeprefix("UT1."))[1:5].hex()
    check(server.request("DELETE", f"/admin/ticket-keys/{old}", bearer=admin)[0] == 204, "retired")
    check(server.request("DELETE", f"/admin/ticket-keys/{old}", bearer=admin)[0] == 404, "once")
    status, _, problem = server.request("DELETE", f"/admin/ticket-keys/{added['kid']}", bearer=admin)
    check(status == 409 and problem["code"] == "key_refused", f"the last one stays: {problem}")
    return fresh


def check_refusals(server, booking, bearer):
    base = f"/bookings/{booking['booking_id']}/tickets/"
    ticket = booking["tickets"][0]["ticket_id"]
    check(server.request("GET", f"{base}{ticket}.png")[0] == 401, "needs somebody")
    check(server.request("GET", f"{base}{ticket}.png", bearer=harness.token("mallory"))[2]["code"] == "not_owner", "needs its owner")
    check(server.request("GET", f"{base}{ticket}.png", bearer=harness.token("s", "staff"))[0] == 200, "or staff")
    other = ticket[:-1] + ("0" if ticket[-1] != "0" else "1")
    check(server.request("GET", f"{base}{other}.png", bearer=bearer)[2]["code"] == "unknown_ticket", "a wrong id")
    check(server.request("GET", f"{base}hello.png", bearer=bearer)[2]["code"] == "unknown_ticket", "no id at all")
    check(server.request("GET", f"{base}{ticket}.gif", bearer=bearer)[0] == 404, "no such kind")


def check_calendar(server, booking, bearer):
    path = f"/bookings/{booking['booking_id']}/calendar.ics"
    status, head, before = server.request("GET", path, bearer=bearer)
    check(status == 200 and head["Content-Type"].startswith("text/calendar"), f"{status}")
    uid = re.search(rb"UID:(\S+)", before).group(1)
    check(b"STATUS:CONFIRMED" in before and b"SEQUENCE:0" in before, "an event")
    one = booking["tickets"][0]
    server.request("POST", f"/bookings/{booking['booking_id']}/cancel", {"seat_ids": [one["seat_id"]]}, bearer)
    after = server.request("GET", path, bearer=bearer)[2]
    check(uid in after and b"SEQUENCE:1" in after and b"STATUS:CONFIRMED" in after, "updated")
    base = f"/bookings/{booking['booking_id']}/tickets/{one['ticket_id']}"
    check(server.request("GET", f"{base}.svg", bearer=bearer)[2]["code"] == "already_cancelled", "no picture of a cancelled ticket")
    check(server.request("GET", f"{base}.pdf", bearer=bearer)[0] == 200, "the print says that it is cancelled")
    server.request("POST", f"/bookings/{booking['booking_id']}/cancel", bearer=bearer)
    after = server.request("GET", path, bearer=bearer)[2]
    check(uid in after and b"METHOD:CANCEL" in after and b"STATUS:CANCELLED" in after, "cancelled, under the same UID")


def main():
    check(shutil.which("zbarimg") is not None, "zbar is installed")
    with harness.temp_folder() as folder:
        catalog = harness.write_json(os.path.join(folder, "catalog.json"), harness.make_catalog(1))
        server = harness.Server(folder, catalog)
        with server:
            bearer = harness.token("alice")
            booking = book(server, "alice", ["A1", "A2"])
            check_pictures(folder, server, booking, bearer)
            keys, good = check_signatures(folder, server, booking)
            check_refusals(server, booking, bearer)
            check_vector(folder)
            fresh = check_rotation(server, booking, keys, good, bearer)
            server.kill()
        with server:
            again = server.request("GET", f"/bookings/{booking['booking_id']}", bearer=bearer)[2]
            check(again["tickets"][0]["qr_code"] == fresh, "after a kill the same key signs the same code")
            check_calendar(server, booking, bearer)
            check(server.stop() == 0, "stops")
    say("done")
    harness.finish()


main()
