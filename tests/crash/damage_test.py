"""Damage to the log of a killed server: what was synced is missed and named, what was not is cut and reported.

The sale's directory is copied for each kind of damage. Bits flipped in the middle, a log cut in half, a log file deleted: start
must refuse with a reason and no signal, and `usher audit` must find it. Rubbish behind the end, as a torn write leaves it:
start must serve everything that was acknowledged.
"""

import glob
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness  # noqa: E402
from harness import check, say  # noqa: E402

SHOWS = 20
SETTINGS = {"policy.reservation_ttl": "2h", "policy.reservations_per_user_and_show": "0"}


def sell(server, count):
    """Returns the reservations of `count` answered requests, by user."""
    sold = {}
    client = harness.Client(server.port)
    for number in range(count):
        user = f"user-{number}"
        seats = [f"{chr(ord('A') + number // SHOWS % 10)}{number // SHOWS // 10 + 1}"]
        status, _, body = client.request("POST", f"/shows/load-{number % SHOWS:05d}/reserve", {"seat_ids": seats}, harness.token(user))
        if check(status == 201, f"a sale before the damage: {status} {body}"):
            sold[user] = body["reservation_id"]
    began = time.monotonic()
    while time.monotonic() < began + 0.2:  # the anchor follows within 10 ms
        client.request("GET", "/healthz")
    client.close()
    return sold


def live_log(data):
    """The write-ahead file that holds most of the sale."""
    return max(glob.glob(os.path.join(data, "log", "**", "*.log"), recursive=True), key=os.path.getsize)


def flip(where):
    def damage(data):
        path = live_log(data)
        with open(path, "r+b") as file:
            file.seek(int(os.path.getsize(path) * where))
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 0x10]))
    return damage


def cut(data):
    path = live_log(data)
    os.truncate(path, os.path.getsize(path) // 2)


def delete(data):
    os.remove(live_log(data))


def append_rubbish(data):
    with open(live_log(data), "ab") as file:
        file.write(bytes(range(256)) * 3)


def check_refused(folder, data, what, damage):
    place = os.path.join(folder, "damaged")
    shutil.copytree(data, os.path.join(place, "data"))
    damage(os.path.join(place, "data"))
    audit = harness.run_usher("audit", "--data", os.path.join(place, "data"))
    check(audit.returncode > 0, f"{what}: usher audit finds it: {audit.returncode} {audit.stdout[-300:]} {audit.stderr[-300:]}")
    server = harness.Server(place, settings=SETTINGS)
    try:
        server.start()
        check(False, f"{what}: the server must not start")
        server.kill()
    except RuntimeError:
        said = server.output()
        code = server.process.returncode
        check(code is not None and code > 0, f"{what}: it ends by itself, without a signal: {code}")
        reason = [line for line in said.splitlines() if line.startswith("usher: ")]
        check(reason, f"{what}: it says what is wrong: {said[-600:]}")
        say(f"{what}: {reason[-1][:220] if reason else said[-200:]}")
    shutil.rmtree(place)


def check_served(folder, data, sold):
    place = os.path.join(folder, "torn")
    shutil.copytree(data, os.path.join(place, "data"))
    append_rubbish(os.path.join(place, "data"))
    with harness.Server(place, settings=SETTINGS) as server:
        client = harness.Client(server.port)
        lost = [user for user, reservation in sold.items()
                if client.request("GET", f"/reservations/{reservation}", bearer=harness.token(user))[0] != 200]
        client.close()
        check(not lost, f"a torn tail: {len(lost)} of {len(sold)} acknowledged reservations are lost")
        check(server.stop() == 0, "a torn tail: SIGTERM, exit 0")
    audit = harness.run_usher("audit", "--data", os.path.join(place, "data"))
    check(audit.returncode == 0, f"a torn tail: afterwards audit is content: {audit.stdout[-300:]}")


def main():
    with harness.temp_folder() as folder:
        catalog = harness.write_json(os.path.join(folder, "catalog.json"), harness.make_catalog(SHOWS))
        server = harness.Server(folder, catalog, SETTINGS)
        with server:
            sold = sell(server, 600)
            server.kill()
        check_served(folder, server.data, sold)
        for where in (0.3, 0.5, 0.7):
            check_refused(folder, server.data, f"a bit flipped at {where:.0%} of the log", flip(where))
        check_refused(folder, server.data, "a log cut in half", cut)
        check_refused(folder, server.data, "a log file deleted", delete)
    harness.finish()


if __name__ == "__main__":
    main()
