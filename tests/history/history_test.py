"""Histories of the real program, killed again and again, judged by usher_history: linearizable, show by show.

4 kills, or 150 with USHER_THOROUGH=1, and then 10,000,000 drawn operations as well; --seed N repeats the clients' choices.
"""

import argparse
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import recorder  # noqa: E402

harness = recorder.harness


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=150 if harness.THOROUGH else 4)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    harness.say(f"{options.kills} kills, seed {options.seed}")
    with harness.temp_folder() as folder:
        crowd = recorder.Crowd(folder, options.seed)
        crowd.server.start()
        for _ in range(options.kills):
            died = crowd.live(crowd.random.uniform(0.3, 2.5), harness.Server.kill)
            crowd.start_again(died)
        crowd.live(0.5, lambda server: harness.check(server.stop() == 0, "SIGTERM: exit 0"))
        counts = crowd.recorder.counts
        for kind in ("reserve", "refused", "release", "book", "cancel", "read", "map"):
            harness.check(counts.get(kind, 0) > 0, f"the history has a {kind}: {counts}")
        unknown = sum(line.endswith("unknown") for line in crowd.recorder.lines)
        harness.check(unknown > 0, "and unknown outcomes")
        crowd.judge()
        crowd.judge_directory()
    if harness.THOROUGH:
        draw = ("draw", "--operations", "10000000", "--shows", "1000", "--seats", "100", "--clients", "256", "--maps", "5", "--unknown", "2")
        done = subprocess.run([recorder.CHECKER, *draw], capture_output=True, text=True, check=False)
        harness.check(done.returncode == 0, f"10,000,000 operations: {done.returncode} {done.stdout}")
        harness.say(done.stdout.strip())
    harness.finish()


if __name__ == "__main__":
    main()
