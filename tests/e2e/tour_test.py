"""The tour of the README, run as printed: every ```sh block between <!-- tour --> and <!-- /tour -->, in order, in one
shell, against a fresh server with the demo catalog. The only change is the address, where the README has 127.0.0.1:8080.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check  # noqa: E402

# What somewhere in the output of the tour must be seen, by step.
MARKERS = {
    "a movie": r'"?movie_id"?', "a show": r'"?show_id"?', "seats": r'"?seat_id"?|available', "a reservation": r'"?reservation_id"?|expires_at',
    "a booking": r"confirmed", "a ticket": r"qr_code|valid", "a cancellation": r"refund|cancelled",
}


def tour_blocks(text):
    found = re.search(r"<!-- tour -->(.*?)<!-- /tour -->", text, re.S)
    return re.findall(r"^```sh\n(.*?)^```", found.group(1), re.S | re.M) if found else []


def script_of(blocks):
    """One script that marks the begin of each block, and stops at the first command that fails."""
    parts = ["set -eu", "set -o pipefail"]
    for number, block in enumerate(blocks, 1):
        parts += [f"echo '=== block {number}'", block]
    return "\n".join([*parts, "echo '=== end'"])


def main():
    with open(os.path.join(harness.TOP, "README.md"), encoding="utf-8") as file:
        blocks = tour_blocks(file.read())
    check(len(blocks) >= 5, f"README.md has a tour: {len(blocks)} blocks")
    with harness.temp_folder() as folder:
        catalog = os.path.join(harness.TOP, "tools", "demo", "catalog.json")
        server = harness.Server(folder, catalog)
        del server.settings["identity.hs256_secret"]  # as tools/run: the server makes its own
        with server:
            # The checkout as the tour sees it: its own build folder and data folder.
            os.makedirs(os.path.join(folder, "build"))
            os.symlink(harness.BUILD, os.path.join(folder, "build", "release"))
            for name in ("tools", "README.md"):
                os.symlink(os.path.join(harness.TOP, name), os.path.join(folder, name))
            script = re.sub(r"\b(127\.0\.0\.1|localhost):8080\b", f"127.0.0.1:{server.port}", script_of(blocks))
            done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
            print(done.stdout)
            check(done.returncode == 0, f"the tour ends with {done.returncode}: {done.stderr[-2000:]}")
            check("=== end" in done.stdout, "the tour comes to its end")
            for what, pattern in MARKERS.items():
                check(re.search(pattern, done.stdout), f"the tour shows {what}")
            check(not re.search(r"^(null|)$(?=\n=== )", done.stdout, re.M), "no step ends in null or nothing")
            check(server.stop() == 0, "SIGTERM: exit 0")
    harness.finish()


if __name__ == "__main__":
    main()
