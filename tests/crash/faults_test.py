"""The sale while the machine misbehaves: each fault in lives of one server on which clients fight, judged by usher_history.

- a failing disk (libfiu): writes and syncs fail at random: the server ends with an error of its own, never with an answer that
  a restart takes back;
- stalls (SIGSTOP, SIGCONT): nothing expires early, nothing is revived, nobody is lost;
- a clock that jumps (libfaketime) while it runs: the log's time never goes back;
- a full disk: a small loop image that fills up: refused in time, still readable, started again when there is room;
- a disk that becomes read-only, as ext4 makes itself after an error: the server ends, and what it acknowledged is there afterwards.

What this machine cannot do (no mount, no fiu-run, no faketime) is said and left out. One or two lives of each, many with
USHER_THOROUGH=1; --only NAME picks, --seed N repeats the clients' choices.
"""

import argparse
import contextlib
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "history"))
import recorder  # noqa: E402

harness = recorder.harness
LIVES = 20 if harness.THOROUGH else 1
FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


def wait_until_dead(server, within):
    """Waits for the server to end by itself, else kills it. Returns its exit code."""
    try:
        return server.process.wait(within)
    except subprocess.TimeoutExpired:
        server.kill()
        return None


def finish(crowd):
    """A last healthy life, then the verdict."""
    crowd.live(0.5, lambda server: harness.check(server.stop() == 0, "SIGTERM: exit 0"))
    harness.check(len(crowd.recorder.lines) > 100, f"a sale worth the name: {len(crowd.recorder.lines)} operations")
    crowd.judge(canary=False)
    crowd.judge_directory()


def failing_disk(folder, seed):
    """Each life runs under fiu-run, which makes one call in some hundreds or thousands fail with an I/O error."""
    if shutil.which("fiu-run") is None:
        return harness.say("no fiu-run here: a failing disk is not tried")
    dice = random.Random(seed)
    crowd = recorder.Crowd(folder, seed)
    crowd.server.start()
    died = crowd.live(0.3, harness.Server.kill)
    codes = []
    for life in range(2 * LIVES + 1):
        calls = (("posix/io/sync/fdatasync", 0.05), ("posix/io/rw/write", 0.003), ("posix/io/sync/fsync", 0.1), ("posix/io/rw/pwrite", 0.01))
        call, rate = calls[0] if life == 0 else dice.choice(calls)
        crowd.server.wrapper = ["fiu-run", "-x", "-c", f"enable_random name={call},probability={rate}"]
        begin = os.path.getsize(crowd.server.log)
        try:
            crowd.start_again(died)
            died = crowd.live(1.5, lambda server: codes.append(wait_until_dead(server, 1)))
        except (RuntimeError, OSError):  # it met its fault while it started, or while the requests in flight were sent again
            codes.append(wait_until_dead(crowd.server, 5))
            died = recorder.now_us()
            for customer in crowd.customers:
                if customer.pending is not None and customer.pending.invoked:
                    request, customer.pending = customer.pending, None
                    customer.leave(request, died)
        said = crowd.server.output(begin)
        harness.check(codes[-1] != 0, f"a failing {call} is no clean end: {codes[-1]} {said[-500:]}")
    crowd.server.wrapper = []
    crowd.start_again(died)
    ended = [code for code in codes if code is not None]
    harness.check(ended, f"some server met its fault and ended: {codes}")
    harness.say(f"failing disk: exit codes {codes}")
    finish(crowd)


def stalls(folder, seed):
    """The server stands still, for less and for longer than reservations live."""
    crowd = recorder.Crowd(folder, seed)
    crowd.server.start()
    lengths = [0.1, 1.0, 2.5] + ([random.Random(seed).uniform(0.1, 5) for _ in range(97)] + [60, 60, 60] if harness.THOROUGH else [])

    def stand_still(server):
        for length in lengths:
            begin = recorder.now_us()
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(length)
            server.process.send_signal(signal.SIGCONT)
            crowd.recorder.downs.append([begin, recorder.now_us()])
            time.sleep(0.3)
        server.kill()

    # `live` counts all of the end as time in which nothing ran; only the stalls are that
    died = crowd.live(0.3, stand_still)
    crowd.recorder.downs.pop()
    crowd.start_again(died)
    finish(crowd)


def jumping_clock(folder, seed):
    """The wall clock jumps by up to two minutes while the server runs (within the five minutes in which it starts again)."""
    if FAKETIME is None:
        return harness.say("no libfaketime here: a jumping clock is not tried")
    dice = random.Random(seed)
    offsets = os.path.join(folder, "faketime")
    crowd = recorder.Crowd(folder, seed)

    def set_clock(seconds):
        with open(offsets, "w", encoding="utf-8") as file:
            file.write(f"{seconds:+d}s\n")

    set_clock(0)
    # the monotonic clock stays what it is, as it does when an administrator sets the time
    crowd.server.environment = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": offsets, "FAKETIME_NO_CACHE": "1",
                                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    crowd.server.start()

    def jump_and_die(server):
        for _ in range(4):
            set_clock(dice.randint(-120, 120))
            time.sleep(0.4)
        # over the restart the clock stands where the log's time may follow it without skipping a deadline
        set_clock(0)
        server.kill()

    for _ in range(LIVES):
        died = crowd.live(0.3, jump_and_die)
        crowd.recorder.downs.pop()
        crowd.start_again(died)
    finish(crowd)


@contextlib.contextmanager
def small_disk(folder, mebibytes):
    """A folder on a loop image of its own, or None where mounting is not allowed."""
    image, at = os.path.join(folder, "image"), os.path.join(folder, "disk")
    os.makedirs(at)
    with open(image, "wb") as file:
        file.truncate(mebibytes << 20)
    steps = (["mkfs.ext4", "-q", "-m", "0", image], ["mount", "-o", "loop", image, at])
    try:
        mounted = os.geteuid() == 0 and all(subprocess.run(step, capture_output=True, check=False).returncode == 0 for step in steps)
    except FileNotFoundError:
        mounted = False
    if not mounted:
        harness.say("mounting is not allowed here: full and read-only disks are not tried")
        yield None
        return
    try:
        yield at
    finally:
        subprocess.run(["umount", at], capture_output=True, check=False)


def full_disk(folder, seed):
    """Somebody else fills the disk: below the high-water mark nothing new is sold, and all goes on when there is room."""
    with small_disk(folder, 400) as disk:
        if disk is None:
            return
        crowd = recorder.Crowd(disk, seed, {"disk.high_water": "120MiB", "disk.low_water": "40MiB"})
        crowd.server.start()
        filler, show = os.path.join(disk, "filler"), recorder.show_name(0)
        refused = []

        def fill(server):
            with open(filler, "wb") as file:  # bytes, not a hole
                left = shutil.disk_usage(disk).free - (80 << 20)
                os.posix_fallocate(file.fileno(), 0, max(left, 1))
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not refused:
                invoked = recorder.now_us()
                status, _, body = server.request("POST", f"/shows/{show}/reserve", {"seat_ids": ["A1"]}, harness.token("filler"))
                if status == 201:
                    returned, made = recorder.now_us(), body["reservation_id"]
                    crowd.recorder.note(invoked, returned, "filler", show, f"reserve {made} 0 ok")
                    crowd.recorder.note_deadline(made, show, invoked, returned)
                refused.extend([body["code"]] if status == 503 else [])
                time.sleep(0.1)
            harness.check(refused, "a reserve is refused with 503 while the disk is full")
            status, _, _ = server.request("GET", f"/shows/{show}/seats")
            harness.check(status == 200, f"and the seats are still to be seen: {status}")
            with open(filler, "ab") as file:  # to the last byte
                with contextlib.suppress(OSError):
                    os.posix_fallocate(file.fileno(), file.tell(), shutil.disk_usage(disk).free)
            harness.say(f"full disk: {refused[:1]}, then {wait_until_dead(server, 2)}")

        died = crowd.live(0.5, fill)
        os.remove(filler)
        crowd.start_again(died)
        finish(crowd)


def read_only(folder, seed):
    """The disk becomes read-only under the running server, as a file system does that met an error."""
    with small_disk(folder, 400) as disk:
        if disk is None:
            return
        crowd = recorder.Crowd(disk, seed, {"disk.high_water": "120MiB", "disk.low_water": "40MiB"})
        # what is not synced is lost with the journal: only the data directory lies on that disk
        crowd.server.catalog = shutil.copy(crowd.server.catalog, folder)
        crowd.server.log = os.path.join(folder, "usher.log")
        crowd.folder = folder
        crowd.server.start()

        def remount(server):
            # as ext4 does it to itself after an error of its journal; a mere `ro` is refused while files are open for writing
            done = subprocess.run(["mount", "-o", "remount,abort", disk], capture_output=True, text=True, check=False)
            code = wait_until_dead(server, 5)
            harness.say(f"read-only: mount {done.returncode} {done.stderr.strip()}, server {code}")
            harness.check(done.returncode == 0 and code not in (0, None), f"a server whose log cannot be written ends with an error: {code}")

        died = crowd.live(0.5, remount)
        image = os.path.join(folder, "image")
        for step in (["umount", disk], ["e2fsck", "-fy", image], ["mount", "-o", "loop", image, disk]):
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            harness.check(done.returncode in (0, 1), f"{step}: {done.returncode} {done.stdout} {done.stderr}")  # 1: e2fsck mended it
        crowd.start_again(died)
        finish(crowd)


FAULTS = {"failing_disk": failing_disk, "stalls": stalls, "jumping_clock": jumping_clock, "full_disk": full_disk, "read_only": read_only}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=FAULTS)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    for name in [options.only] if options.only else FAULTS:
        harness.say(f"{name}, seed {options.seed}")
        with harness.temp_folder() as folder:
            FAULTS[name](folder, options.seed)
    harness.finish()


if __name__ == "__main__":
    main()
