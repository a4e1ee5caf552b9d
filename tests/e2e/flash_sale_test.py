"""A small flash sale by usher_bench, end to end: on a server of its own, then at a URL, with tokens and with sessions.

What the generator says is compared with what the server says, and a ledger that was tampered with must be found out. Then a sale is
recorded by the demand journal and rehearsed.
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check, say  # noqa: E402

USHER_BENCH = os.path.join(harness.BUILD, "usher_bench")
PEOPLE = "20000" if harness.THOROUGH else "400"
SCALE = "60" if harness.THOROUGH else "600"
# Holds so short that they run out within the test, but not while somebody pays.
SETTINGS = {"policy.reservation_ttl": "4s", "policy.cooldown": "1s"}


def bench(*arguments, timeout=900):
    done = subprocess.run([USHER_BENCH, *arguments], cwd=harness.TOP, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode not in (0, 1):
        say(f"usher_bench {' '.join(arguments)}: {done.returncode}: {done.stderr[-2000:]}")
    return done


def read_ledger(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def own_server(folder):
    """A sale on a server that usher_bench starts: the log is read, too."""
    report, ledger, data = (os.path.join(folder, name) for name in ("report.json", "ledger.jsonl", "data"))
    done = bench("sale", "blockbuster", "--people", PEOPLE, "--time-scale", SCALE, "--connections", "60", "--report", report,
                 "--ledger", ledger, "--data", data, "--set", "policy.reservation_ttl=4s")
    check(done.returncode == 0, f"the sale agrees with the server: {done.stdout[-3000:]}")
    check("everything agrees" in done.stdout, f"it says so: {done.stdout[-500:]}")
    check(" s: " in done.stderr and "seats left" in done.stderr, f"it shows what goes on: {done.stderr[-500:]}")
    with open(report, encoding="utf-8") as file:
        told = json.load(file)
    check(sum(told["outcomes"].values()) == int(PEOPLE), f"everybody's visit ended somehow: {told['outcomes']}")
    check(told["outcomes"]["booked"] > int(PEOPLE) / 20 and told["outcomes"]["failed"] == 0, f"many booked: {told['outcomes']}")
    check(sum(second["arrivals"] for second in told["series"]) == int(PEOPLE), "everybody came in some second")
    reserved = told["calls"]["reserve"]["by_status"]
    check(sum(second["reserved"] for second in told["series"]) == reserved["201"], f"and so did the reservations: {reserved}")
    check(told["calls"]["reserve"]["latency"]["p50_ms"] > 0, "latencies are measured")
    entries = read_ledger(ledger)
    check(sum(entry["told"] == "reserved" for entry in entries) == reserved["201"], "the ledger has every 201")
    check(told["reconciled"]["log"] and told["reconciled"]["bookings"] == told["calls"]["book"]["by_status"]["201"],
          f"every booking was looked up: {told['reconciled']}")
    return ledger, data, entries


def tampering(folder, ledger, data, entries):
    """The same ledger, and with one line less or changed, against the log."""
    done = bench("reconcile", "--ledger", ledger, "--data", data)
    check(done.returncode == 0, f"the ledger agrees with the log: {done.stdout[-2000:]}")
    changed = os.path.join(folder, "changed.jsonl")
    booked = next(at for at, entry in enumerate(entries) if entry["told"] == "booked")
    without = entries[:booked] + entries[booked + 1:]
    moved = json.loads(json.dumps(entries))
    for entry in moved:
        if entry.get("reservation") == entries[booked]["reservation"] and entry["told"] in ("reserved", "booked"):
            entry["seats"] = ["Z99"]
    for what, lines in (("a booking less", without), ("a booking of other seats", moved)):
        with open(changed, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(entry) + "\n" for entry in lines)
        done = bench("reconcile", "--ledger", changed, "--data", data)
        check(done.returncode == 1 and "DIFFERENCE" in done.stdout, f"{what} is found: {done.returncode} {done.stdout[-500:]}")


def at_url(folder):
    """A server that somebody else started: brought shows with tokens, then those that are there with sessions."""
    place = os.path.join(folder, "other")
    os.makedirs(place)
    catalog = harness.write_json(os.path.join(place, "catalog.json"), harness.make_catalog(4, rows=4, row_seats=10))
    with harness.Server(place, catalog, SETTINGS) as server:
        url = f"http://127.0.0.1:{server.port}"
        ledger = os.path.join(place, "ledger.jsonl")
        done = bench("sale", "cancel_wave", "--url", url, "--secret", harness.SECRET, "--import", "--people", "150", "--time-scale",
                     "900", "--connections", "30", "--ledger", ledger)
        check(done.returncode == 0 and "everything agrees" in done.stdout, f"with tokens: {done.stdout[-3000:]} {done.stderr[-500:]}")
        check(any(entry["told"] == "cancelled" for entry in read_ledger(ledger)), "some cancelled")
        done = bench("reconcile", "--ledger", ledger, "--url", url, "--secret", harness.SECRET)
        check(done.returncode == 0, f"the ledger agrees with the running server: {done.stdout[-2000:]}")
        start = server.request("GET", "/shows/load-00000")[2]["start_time"]
        done = bench("sale", "one_hot_show", "--url", url, "--movie", "load-movie", "--city", "berlin", "--date", start[:10],
                     "--people", "80", "--time-scale", "900", "--connections", "20")
        check(done.returncode == 0 and "everything agrees" in done.stdout, f"with sessions: {done.stdout[-3000:]} {done.stderr[-500:]}")
        check(server.stop() == 0, "the server stops in order")


def rehearsal(folder):
    """A sale with the demand journal on, then its commands against a fresh server: as it was, and with other rules."""
    place = os.path.join(folder, "recorded")
    os.makedirs(place)
    catalog = harness.write_json(os.path.join(place, "catalog.json"), harness.make_catalog(2, rows=5, row_seats=10))
    journal, report = os.path.join(place, "journal"), os.path.join(place, "report.json")
    settings = {**SETTINGS, "policy.cooldown_after_abandoned": "0", "wal.demand_journal": journal}
    with harness.Server(place, catalog, settings) as server:
        start = server.request("GET", "/shows/load-00000")[2]["start_time"]
        done = bench("sale", "blockbuster", "--url", f"http://127.0.0.1:{server.port}", "--secret", harness.SECRET, "--movie", "load-movie",
                     "--city", "berlin", "--date", start[:10], "--people", "300", "--time-scale", "900", "--connections", "30",
                     "--report", report)
        check(done.returncode == 0, f"the recorded sale: {done.stdout[-2000:]} {done.stderr[-500:]}")
        metrics = server.request("GET", "/metrics", bearer=harness.token("m", "staff"))[2].decode()
        check("usher_demand_journal_commands_total" in metrics and "usher_demand_journal_dropped_total 0" in metrics,
              "the journal is in the metrics, and nothing was dropped")
        check(server.stop() == 0, "the server stops in order")
    with open(report, encoding="utf-8") as file:
        sale = json.load(file)
    done = bench("rehearse", "--journal", journal, "--catalog", catalog, "--speed", "2", "--report", report)
    check(done.returncode == 0, f"the rehearsal: {done.stdout[-1500:]} {done.stderr[-1500:]}")
    check("Demand is fixed" in done.stdout, "it says what it cannot know")
    with open(report, encoding="utf-8") as file:
        told = json.load(file)
    then, now = told["recorded"], told["rehearsed"]
    asked = {status: count for status, count in sale["calls"]["reserve"]["by_status"].items() if status != "503"}
    check(then["reserves"]["ok"] == asked["201"], f"the recording has every 201: {then} {asked}")
    check(sum(then["reserves"].values()) == sum(asked.values()), f"and every refusal: {then} {asked}")
    check(then["bookings"] == sale["calls"]["book"]["by_status"]["201"], f"every booking: {then}")
    check(sum(now["reserves"].values()) == sum(then["reserves"].values()), f"all of them are asked again: {now} {then}")
    check(told["lost"] == 0 and now["bookings"] > 0.5 * then["bookings"], f"most of it happens again: {now} {then}")
    done = bench("rehearse", "--journal", journal, "--catalog", catalog, "--speed", "4", "--report", report,
                 "--set", "policy.seats_per_reservation=1")
    with open(report, encoding="utf-8") as file:
        told = json.load(file)
    check(done.returncode == 0 and told["rehearsed"]["reserves"].get("too_many_seats", 0) > 0,
          f"another rule, another sale: {done.stderr[-500:]} {told['rehearsed']}")
    check(bench("rehearse", "--journal", place, "--catalog", catalog).returncode == 2, "no journal: told")


def mistakes(folder):
    broken = os.path.join(folder, "broken.toml")
    with open(broken, "w", encoding="utf-8") as file:
        file.write('name = "x"\n[peeple]\nlook = "1s"\n')
    for arguments, told in (
            (("sale", broken), "unknown key peeple"),
            (("sale", "no_such_sale"), "cannot read"),
            (("sale", "blockbuster", "--url", "https://127.0.0.1"), "must be http://HOST"),
            (("sale", "blockbuster", "--url", "http://127.0.0.1:1"), "cannot connect"),
            (("reconcile", "--ledger", "nowhere"), "--url or --data"),
            (("reconcile", "--ledger", "nowhere", "--data", "x"), "cannot read")):
        done = bench(*arguments)
        check(done.returncode == 2 and told in done.stderr + done.stdout, f"{arguments}: {done.returncode} {done.stderr[-300:]}")
    check("--people" in bench("sale", "--help").stdout, "it explains itself")


def main():
    with harness.temp_folder() as folder:
        mistakes(folder)
        say("own server")
        ledger, data, entries = own_server(folder)
        tampering(folder, ledger, data, entries)
        say("at a URL")
        at_url(folder)
        say("rehearsal")
        rehearsal(folder)
    harness.finish()


if __name__ == "__main__":
    main()
