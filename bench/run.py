"""The program behind tools/bench: runs the benches that were asked for and writes the report. The benches are in bench/driver/.

Every figure is a ratio against a bare limit measured in the same run (DESIGN 10). Exit code 1 when a budget is missed, or when a
bench failed; the others run all the same. Standard library only.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver import registry, report, report_html  # noqa: E402
from driver.common import TOP, Bench, say  # noqa: E402


def parse_options():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(registry.all_names())}; none: all")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: shows that everything runs, measures nothing")
    parser.add_argument("--runs", type=int, default=5, help="of floor and ours each (default 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="measured per run (default 2)")
    parser.add_argument("--shows", type=int, default=15_000, help="of 200 seats (default 15,000)")
    parser.add_argument("--filter", default="", help="of the micro benches in `engine`, a regular expression")
    parser.add_argument("--report", default=os.path.join(TOP, "build", "bench", "report.json"))
    options = parser.parse_args()
    options.warmup = 0.2
    if options.smoke:
        options.runs, options.seconds, options.shows, options.warmup = 1, 0.2, 1_000, 0.02
    options.parts = {}
    for name in options.names or registry.BENCHES:
        parts = registry.parts_of(name)
        if not parts:
            parser.error(f"no such bench: {name}; there are {', '.join(registry.all_names())}")
        options.parts.update(parts)
    return options


def run_parts(bench, parts):
    """Returns the names of the parts that failed; one that fails does not stop the others."""
    failed = []
    for at, (name, part) in enumerate(parts.items(), 1):
        say(f"{name} ({at} of {len(parts)})")
        try:
            bench.current = registry.bench_of(name)
            part(bench)
        except Exception as error:  # whatever a bench meets is its own failure  # noqa: BLE001
            failed.append(name)
            say(f"{name} FAILED: {error}")
    return failed


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C: what was started is ended, what was made is removed
    whole = {"machine": report.machine(), "settings": report.settings(options), "results": []}
    folder = tempfile.mkdtemp(prefix="usher-bench.")
    try:
        bench = Bench(options, folder)
        whole["failed"] = run_parts(bench, options.parts)
        whole["results"] = bench.results
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.write_json(options.report, whole)
    page = report_html.write(os.path.splitext(options.report)[0] + ".html", whole)
    print("\n" + report.summary(bench.results))
    if whole["failed"]:
        print(f"failed: {', '.join(whole['failed'])}")
    print(f"\nreport: {os.path.relpath(options.report)}, {os.path.relpath(page)}")
    missed = any(result["ok"] is False for result in bench.results)
    return 1 if missed or whole["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
