"""kill -9 in front of a waiting room: every place that was answered is there afterwards, in the same order.

People join from four threads while the server is killed at random moments, again and again over one directory. After each
restart every acknowledged place is read: it must be there, with the id, and all must stand in the order of their
arrival; who was let in keeps the admission. 4 rounds, or 40 with USHER_THOROUGH=1; --rounds overrides.
"""

import argparse
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness  # noqa: E402
from harness import check, say  # noqa: E402

SETTINGS = {"server.loops": "2", "server.shards": "4", "wal.checkpoint_interval": "1s"}


class Crowd:
    """Who has a place, by what the server has answered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.places = {}  # user -> place
        self.next_user = 0

    def take_user(self):
        with self.lock:
            self.next_user += 1
            return f"user-{self.next_user}"

    def note(self, user, place):
        with self.lock:
            self.places[user] = place


def join_until(server, crowd, stop):
    try:
        client = harness.Client(server.port, timeout=10)
        while not stop.is_set():
            user = crowd.take_user()
            status, _, place = client.request("POST", "/shows/load-00000/queue", None, harness.token(user))
            if check(status == 201, f"a place: {place}"):
                crowd.note(user, place)
    except OSError:
        pass  # killed: what was not answered may have happened or not


def sequence_of(place):
    high = int(place["queue_id"].replace("-", "")[:16], 16)
    return (high >> 16 & 0xFFFF) << 8 | high >> 4 & 0xFF


def verify(server, crowd):
    client = harness.Client(server.port)
    found = []
    for user, place in list(crowd.places.items()):
        status, _, now = client.request("GET", f"/queue/{place['queue_id']}", None, harness.token(user))
        if not check(status == 200 and now["queue_id"] == place["queue_id"], f"the place of {user} is there: {now}"):
            continue
        check(now["joined_at"] == place["joined_at"], "since the same moment")
        check(now["state"] in ("waiting", "admitted"), f"and goes on: {now['state']}")
        found.append((sequence_of(place), now))
    found.sort(key=lambda pair: pair[0])
    waiting = [now["position"] for _, now in found if now["state"] == "waiting"]
    # one more may be let in between two readings, and then the next one has the position that the one before had
    check(all(a <= b for a, b in zip(waiting, waiting[1:])), "all stand in the order in which they came")
    states = [now["state"] for _, now in found]
    admitted = states.count("admitted")
    check(states[:admitted] == ["admitted"] * admitted, "who is let in stood at the head")
    again = client.request("POST", "/shows/load-00000/queue", None, harness.token(next(iter(crowd.places))))
    check(again[0] == 200, "who joins again has the old place")
    client.close()
    return admitted


def round_of(server, crowd, rng):
    stop = threading.Event()
    threads = [threading.Thread(target=join_until, args=(server, crowd, stop)) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(rng.uniform(0.2, 1.6))
    server.kill()
    stop.set()
    for thread in threads:
        thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40 if harness.THOROUGH else 4)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    say(f"seed {options.seed}")
    crowd = Crowd()
    with harness.temp_folder() as folder:
        catalog = harness.write_json(os.path.join(folder, "catalog.json"), harness.make_catalog(1))
        server = harness.Server(folder, catalog, SETTINGS)
        with server:
            body = {"room_id": "night", "show_ids": ["load-00000"], "rate_per_minute": 60, "admission_ttl": "1h"}
            status, _, opened = server.request("POST", "/admin/rooms", body, harness.token("house", "admin"))
            check(status == 201, f"the room is opened: {opened}")
            admitted_before = 0
            for number in range(options.rounds):
                round_of(server, crowd, rng)
                server.start()
                admitted = verify(server, crowd)
                check(admitted >= admitted_before, "no admission is taken back")
                admitted_before = admitted
                say(f"round {number + 1}: {len(crowd.places)} places, {admitted} let in, none lost")
            check(len(crowd.places) > 20 * options.rounds, f"enough people came: {len(crowd.places)}")
            check(server.stop() == 0, "the server stops cleanly")
        audit = harness.run_usher("audit", "--data", server.data)
        check(audit.returncode == 0, f"the audit is clean: {audit.stdout[-500:]}")
    harness.finish()


if __name__ == "__main__":
    main()
