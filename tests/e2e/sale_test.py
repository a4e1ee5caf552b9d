"""A sale over HTTP, driven by wrk, h2load and curl, none of which this project wrote.

64 and 1,024 connections reserve N times over many shows and race for every seat of one hot show. Afterwards every 201 is
in the replayed state exactly once, no seat is held twice, and `usher audit` agrees. N is 4,000, or 200,000 with
USHER_THOROUGH=1; --reserves overrides.
"""

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check, say  # noqa: E402

ROWS, ROW_SEATS = 10, 20
SEATS_PER_SHOW = ROWS * ROW_SEATS
SETTINGS = {"policy.reservation_ttl": "2h", "policy.cooldown_after_refusals": "0"}


def quoted(seats):
    return ",".join(f'"{seat}"' for seat in seats)


class Sale:
    """The server under test, and every 201 that any tool was answered."""

    def __init__(self, folder, server):
        self.folder = folder
        self.server = server
        self.sold = {}  # reservation_id -> (show, seats)
        self.tokens = {}

    def token(self, user):
        if user not in self.tokens:
            self.tokens[user] = harness.token(user)
        return self.tokens[user]

    def note(self, body, show=None):
        reservation = body.get("reservation_id")
        check(reservation and reservation not in self.sold, f"a reservation id of its own: {body}")
        check(show is None or body["show_id"] == show, f"the show asked for: {body}")
        self.sold[reservation] = (body["show_id"], tuple(body["seat_ids"]))

    def wrk(self, name, connections, requests, threads=2):
        """Sends (show, user, seats) once each. Returns the count of answers by status."""
        paths = [os.path.join(self.folder, f"{name}.{kind}") for kind in ("requests", "log")]
        for number in range(threads):
            with open(f"{paths[0]}.{number}", "w", encoding="utf-8") as file:
                file.writelines(f"{show} {self.token(user)} {quoted(seats)}\n" for show, user, seats in requests[number::threads])
        command = ["wrk", f"-t{threads}", f"-c{connections}", "-d1200", "--timeout", "60", "-s",
                   os.path.join(harness.TOP, "tests", "e2e", "sale.lua"), f"http://127.0.0.1:{self.server.port}", "--", *paths]
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while process.poll() is None and not all(os.path.exists(f"{paths[1]}.{n}.done") for n in range(threads)):
            if time.monotonic() > began + 1_000:
                break
            time.sleep(0.02)
        took = time.monotonic() - began
        process.send_signal(signal.SIGINT)
        said = process.communicate()[0]
        check("Socket errors" not in said, f"wrk {name}: {said}")
        counts = collections.Counter()
        for number in range(threads):
            with open(f"{paths[1]}.{number}", encoding="utf-8") as file:
                for line in file:
                    status, body = line.split(" ", 1)
                    counts[int(status)] += 1
                    if status == "201":
                        self.note(json.loads(body))
        check(sum(counts.values()) == len(requests), f"wrk {name}: {sum(counts.values())} of {len(requests)} were answered: {said}")
        say(f"wrk {name}, {connections} connections: {dict(counts)} in {took:.1f} s")
        return counts

    def h2load(self, shows):
        """One user asks for the same two seats of each show, from several connections: one 201 per show."""
        uris = os.path.join(self.folder, "uris.txt")
        with open(uris, "w", encoding="utf-8") as file:
            file.writelines(f"http://127.0.0.1:{self.server.port}/shows/{show}/reserve\n" for show in shows)
        body = harness.write_json(os.path.join(self.folder, "body.json"), {"seat_ids": ["J19", "J20"]})
        log = os.path.join(self.folder, "h2load.log")
        command = ["h2load", "--h1", "-c", "8", "-n", str(8 * len(shows)), "-i", uris, "-d", body, "--log-file", log,
                   "-H", f"authorization: Bearer {self.token('h2load')}", "-H", "content-type: application/json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        with open(log, encoding="utf-8") as file:
            counts = collections.Counter(line.split()[1] for line in file)
        check(counts["201"] == len(shows), f"h2load: one 201 per show: {dict(counts)}, {done.stdout[-500:]}")
        check(set(counts) <= {"201", "409", "429"}, f"h2load: 201, or refused: {dict(counts)}")
        say(f"h2load over {len(shows)} shows: {dict(counts)}")

    def curl(self, shows):
        """One curl process reserves one seat on each show, on one connection."""
        command = ["curl", "-sS"]
        for number, show in enumerate(shows):
            command += ["--next"] if number else []
            command += ["-sS", "-H", f"Authorization: Bearer {self.token('curl')}", "-H", "Content-Type: application/json",
                        "-d", '{"seat_ids":["I20"]}', "-w", "\n%{http_code}\n",
                        f"http://127.0.0.1:{self.server.port}/shows/{show}/reserve"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        lines = [line for line in done.stdout.splitlines() if line]
        answers = list(zip(lines[::2], lines[1::2]))
        check(len(answers) == len(shows) and all(code == "201" for _, code in answers), f"curl: {done.stdout[-500:]} {done.stderr[-500:]}")
        for show, (body, code) in zip(shows, answers):
            if code == "201":
                self.note(json.loads(body), show)

    def race(self, show, connections, tries, dice):
        """`tries` users at once, each after one or two seats of one show; then one after another for what is left."""
        everything = harness.seat_names(ROWS, ROW_SEATS)
        requests = []
        for number in range(tries):
            first = dice.randrange(SEATS_PER_SHOW)
            pair = dice.random() < 0.5 and (first + 1) % ROW_SEATS != 0
            requests.append((show, f"racer-{number}", everything[first:first + (2 if pair else 1)]))
        counts = self.wrk("race", connections, requests)
        check(set(counts) <= {201, 409}, f"the race: 201 or 409: {dict(counts)}")
        check(counts[409] > 0, "the race: somebody came too late")
        taken = collections.Counter(seat for sold, seats in self.sold.values() if sold == show for seat in seats)
        check(all(count == 1 for count in taken.values()), "the race: no seat sold twice")
        left = [seat for seat in everything if not taken[seat]]
        if left:
            counts = self.wrk("leftovers", min(connections, len(left)), [(show, f"late-{seat}", [seat]) for seat in left],
                              threads=1 if len(left) < 4 else 2)
            check(counts[201] == len(left), f"the race: what was left is sold: {dict(counts)}")
        counts = self.wrk("too-late", 8, [(show, f"too-late-{n}", [everything[n]]) for n in range(SEATS_PER_SHOW)])
        check(counts == {409: SEATS_PER_SHOW}, f"the race: then every seat is gone: {dict(counts)}")


def walk(shows, reserves, user_prefix):
    """`reserves` requests for two seats side by side, over all shows; rows A to H; no user twice on one show."""
    pairs = [(f"{chr(ord('A') + row)}{n}", f"{chr(ord('A') + row)}{n + 1}") for row in range(8) for n in range(1, ROW_SEATS, 2)]
    for number in range(reserves):
        group, show = divmod(number, len(shows))
        yield shows[show], f"{user_prefix}-{(show * 31 + group * 25) % 2_000}", pairs[group]


def check_seat_maps(sale, shows):
    """The maps show exactly what was sold as reserved. h2load's two seats per show are known by the tool's own counts."""
    sold = collections.defaultdict(set)
    for show, seats in sale.sold.values():
        sold[show].update(seats)
    wrong = []
    client = harness.Client(sale.server.port)
    for show in shows:
        body = client.request("GET", f"/shows/{show}/seats")[2]
        taken = {seat["seat_id"] for seat in body["seats"] if seat["status"] != "available"}
        expected = sold[show] | {"J19", "J20"}
        if taken != expected:
            wrong.append(f"{show}: {sorted(taken ^ expected)[:6]}")
    client.close()
    check(not wrong, f"{len(wrong)} seat maps differ from what was sold: {wrong[:3]}")


def check_replay(sale, data):
    """`usher replay` on the stopped directory, and the same again: every 201 once, no seat twice."""
    dumps = [harness.run_usher("replay", "--data", data, "--reservations") for _ in range(2)]
    check(dumps[0].returncode == 0, f"usher replay: {dumps[0].returncode} {dumps[0].stderr[-500:]}")
    check(dumps[0].stdout == dumps[1].stdout, "usher replay says the same twice")
    held, found = collections.Counter(), {}
    for line in dumps[0].stdout.splitlines():
        entry = json.loads(line)
        if "reservation_id" not in entry:
            continue
        check(entry["reservation_id"] not in found, f"once in the replayed state: {entry}")
        found[entry["reservation_id"]] = (entry["show_id"], tuple(entry["seat_ids"]))
        held.update((entry["show_id"], seat) for seat in entry["seat_ids"])
    check(all(count == 1 for count in held.values()), "no seat is held twice in the replayed state")
    missing = [r for r, what in sale.sold.items() if found.get(r) != what]
    check(not missing, f"{len(missing)} of {len(sale.sold)} 201s are missing or different in the replayed state: {missing[:3]}")
    say(f"replay: {len(found)} reservations, {len(sale.sold)} of them by known ids, all {'there' if not missing else 'NOT there'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reserves", type=int, default=200_000 if harness.THOROUGH else 4_000)
    options = parser.parse_args()
    shows = [f"load-{n:05d}" for n in range(max(60, options.reserves // 70))]
    hot = "hot-show"
    with harness.temp_folder() as folder:
        document = harness.make_catalog(len(shows), ROWS, ROW_SEATS, extra_shows=[("hot", {"show_id": hot})])
        server = harness.Server(folder, harness.write_json(os.path.join(folder, "catalog.json"), document), SETTINGS)
        with server:
            sale = Sale(folder, server)
            half = list(walk(shows, options.reserves, "u"))
            for connections, part in ((64, half[:len(half) // 2]), (1_024, half[len(half) // 2:])):
                counts = sale.wrk(f"spread{connections}", connections, part)
                check(counts == {201: len(part)}, f"{len(part)} reserves from {connections} connections are all 201: {dict(counts)}")
            sale.h2load(shows)
            sale.curl(shows[:50])
            sale.race(hot, 1_024 if harness.THOROUGH else 64, 20_000 if harness.THOROUGH else 1_500, random.Random(2))
            # curl's seat is in sale.sold; the hot show is sold out
            check_seat_maps(sale, shows)
            check(server.stop() == 0, "SIGTERM: exit 0")
        check_replay(sale, server.data)
        audit = harness.run_usher("audit", "--data", server.data)
        check(audit.returncode == 0, f"usher audit: {audit.returncode} {audit.stdout[-1000:]} {audit.stderr[-500:]}")
    harness.finish()


if __name__ == "__main__":
    main()
