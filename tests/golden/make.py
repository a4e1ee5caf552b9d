"""Makes golden data directories: what this program writes today must open for ever.

    USHER_BUILD=build/release python3 tests/golden/make.py v2

After each change of the stored format, once, into a folder of its own; the folders of older versions are never made again. Two
directories each: `closed`, stopped by SIGTERM, and `killed`, by SIGKILL with the sale still in the write-ahead log. NAME.json says
what must be read from NAME.tar.gz.
"""

import datetime
import io
import json
import os
import sys
import tarfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness  # noqa: E402

SETTINGS = {"policy.reservation_ttl": "2h", "policy.cooldown_after_abandoned": "0", "policy.cooldown_after_refusals": "0",
            "policy.reservations_per_user_and_show": "0", "wal.checkpoint_interval": "1s", "server.shards": "8",
            "tickets.valid_before": "720h"}


def sell(server, first, count):
    """Reserves, releases, books, is declined, cancels, enters and leaves: one of each in turn."""
    door = harness.token("door", "gate")
    client = harness.Client(server.port)
    for number in range(first, first + count):
        bearer = harness.token(f"user-{number}")
        seats = [f"{chr(ord('A') + number % 4)}{1 + (number // 4) * 2 + at}" for at in range(2)]
        status, _, body = client.request("POST", f"/shows/golden-{number % 3:05d}/reserve", {"seat_ids": seats}, bearer,
                                         {"Idempotency-Key": f"reserve-{number}"})
        if not harness.check(status == 201, f"reserve: {status} {body}"):
            continue
        if number % 5 == 0:
            client.request("DELETE", f"/reservations/{body['reservation_id']}", None, bearer)
            continue
        card = "pm_card_chargeDeclined" if number % 5 == 1 else "pm_card_visa"
        status, _, booked = client.request("POST", "/bookings", {"reservation_id": body["reservation_id"], "payment_token": card,
                                                                 "email": f"user-{number}@example.com"}, bearer)
        if number % 5 == 2:
            client.request("POST", f"/bookings/{booked['booking_id']}/cancel", {}, bearer)
        if number % 5 == 3:
            now = datetime.datetime.now(datetime.timezone.utc)
            for minutes, direction in ((3, "in"), (2, "out"), (1, "in"))[:1 + number % 3]:
                scan = {"ticket": booked["tickets"][0]["qr_code"], "gate": "door", "direction": direction,
                        "scanned_at": harness.rfc3339(now - datetime.timedelta(minutes=minutes))}
                status, _, body = client.request("POST", "/checkins", scan, door)
                harness.check(status == 200 and body["result"] == "valid", f"scan: {status} {body}")
    client.close()


def read_state(data):
    """What `usher replay` tells of a directory: the part that must never change."""
    run = harness.run_usher("replay", "--data", data, "--reservations")
    if not harness.check(run.returncode == 0, f"usher replay: {run.returncode} {run.stderr[-500:]}"):
        return {}
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {
        "records": lines[-1]["records"], "digest": lines[-1]["digest"],
        "shows": {line["show_id"]: [line["status"], line["seats"], line["available"], line["reserved"], line["booked"]]
                  for line in lines if "show_number" in line},
        "reservations": {line["reservation_id"]: [line["state"], line["show_id"], line["seat_ids"], line["expires_at"]]
                         for line in lines if "reservation_id" in line},
    }


def pack(folder, name):
    with tarfile.open(name, "w:xz", preset=9) as archive:
        for path, _, files in sorted(os.walk(folder)):
            for file in sorted(files):
                whole = os.path.join(path, file)
                if file in ("ballast", "LOCK", "control.sock") or file.startswith("LOG"):
                    continue
                info = tarfile.TarInfo(os.path.relpath(whole, folder))
                with open(whole, "rb") as content:
                    data = content.read()
                info.size, info.mode, info.mtime = len(data), 0o600, 0
                archive.addfile(info, io.BytesIO(data))


def make(version, name):
    with harness.temp_folder() as folder:
        catalog = harness.write_json(os.path.join(folder, "catalog.json"), harness.make_catalog(3, 4, 20, prefix="golden-"))
        server = harness.Server(folder, catalog, SETTINGS)
        server.start()
        gate = {"gate_id": "door", "screen_id": "golden-screen-0"}
        harness.check(server.request("POST", "/admin/gates", gate, harness.token("root", "admin"))[0] == 201, "a gate")
        sell(server, 0, 20)
        harness.check(server.stop() == 0, "SIGTERM: exit 0")
        server.start()
        sell(server, 20, 10)
        if name == "closed":
            harness.check(server.stop() == 0, "SIGTERM: exit 0")
        else:
            began = time.monotonic()
            while time.monotonic() < began + 0.3:  # the anchor follows within 10 ms
                server.request("GET", "/healthz")
            server.kill()
        here = os.path.join(os.path.dirname(os.path.abspath(__file__)), version)
        os.makedirs(here, exist_ok=True)
        pack(server.data, os.path.join(here, f"{name}.tar.xz"))
        with open(os.path.join(here, f"{name}.json"), "w", encoding="utf-8") as file:
            json.dump(read_state(server.data), file, indent=1, sort_keys=True)
            file.write("\n")


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if "--help" in sys.argv else 2)
    for name in ("closed", "killed"):
        make(sys.argv[1], name)
    harness.finish()


if __name__ == "__main__":
    main()
