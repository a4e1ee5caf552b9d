"""The report of tools/bench: budgets are judged right, and the page says what the results say, by itself."""

import argparse
import html.parser
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "bench"), os.path.join(TOP, "tests", "e2e")]
from driver import registry, report, report_html, svg  # noqa: E402
from driver.common import Bench  # noqa: E402
from harness import check, finish  # noqa: E402

CURVE = [[0.0, 100.0], [0.5, 400.0], [0.9, 900.0], [0.99, 2_000.0], [0.999, 9_000.0], [1, 12_000.0]]
DETAILS = {"p50_us": 400.0, "p99_us": 2_000.0, "p999_us": 9_000.0, "curve": CURVE, "timeline": [10, 20, 30, 25], "client_cpu_s": 0.5, "server_cpu_s": 1.5}


def bench(smoke=False):
    return Bench(argparse.Namespace(smoke=smoke, runs=3, seconds=1.0, shows=100), tempfile.gettempdir())


def judged(**how):
    """The `ok` of one result."""
    one = bench()
    arguments = {"name": "x", "unit": "1/s", "floors": [100.0], "ours": [50.0], "budget": 0.5, **how}
    one.add(**arguments)
    return one.results[0]["ok"]


def check_judging():
    check(judged() is True, "a ratio that just meets its budget is ok")
    check(judged(budget=0.51) is False, "a ratio below its budget is missed")
    check(judged(budget=0.4, less_is_better=True) is False, "less is better: a ratio above its budget is missed")
    check(judged(budget=0.5, less_is_better=True) is True, "less is better: a ratio that just meets it is ok")
    check(judged(budget=60, budget_of="value") is False, "a budget of the value, with a floor beside it")
    check(judged(floors=[], budget=50) is True, "without a floor the budget is of the value")
    check(judged(budget=None) is None, "no budget, no verdict")
    medians = bench()
    medians.add("x", "1/s", [10.0, 30.0, 20.0], [5.0, 40.0, 10.0], 0.5)
    result = medians.results[0]
    check((result["value"], result["floor"], result["ratio"], result["spread"]) == (10.0, 20.0, 0.5, 3.5), f"medians and spread: {result}")
    smoke = bench(smoke=True)
    smoke.add("x", "1/s", [1.0], [1.0], 5)
    check(smoke.results[0]["ok"] is None, "a smoke run judges nothing")
    try:
        bench().add("x", "1/s", [1.0], [0.0])
        check(False, "a figure of zero is no figure")
    except RuntimeError:
        check(True, "a figure of zero is no figure")


def sample():
    one = bench()
    one.current = "http_reserve"
    one.add("http_reserve", "201/s", [100_000.0, 90_000.0], [97_000.0, 96_000.0], 0.95, title="durable <reserve>", floor_curve=CURVE, **DETAILS)
    one.add("http_reserve_open_p99", "ms", [], [7.0], 5.0, less_is_better=True, title="open", rate_per_s=20_000, connections=5_000, **DETAILS)
    one.current = "peers"
    one.add("peers_redis_always_hot_64", "201/s", [27_000.0], [60_000.0], 2.5, title="beside Redis", peer="redis_always", workload="hot", clients=64)
    one.current = "engine"
    one.add("engine", "ns", [], [45.0], 50.0, less_is_better=True, title="one decision")
    return one.results


class Page(html.parser.HTMLParser):
    """What the page fetches or runs, and its text."""

    def __init__(self, content):
        super().__init__()
        self.fetched, self.words = [], []
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if tag in ("script", "link", "img", "iframe") or names.get("src") or names.get("href"):
            self.fetched.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def page_of(results, failed=(), smoke=False):
    settings = {"runs": 3, "seconds": 1.0, "shows": 100, "smoke": smoke, "disk": "ext4", "versions": {"Redis": "7.0"}}
    with tempfile.TemporaryDirectory() as folder:
        path = report_html.write(os.path.join(folder, "new", "report.html"),
                                 {"machine": report.machine(), "settings": settings, "results": results, "failed": list(failed)})
        with open(path, encoding="utf-8") as file:
            return file.read()


def check_page():
    content = page_of(sample())
    page = Page(content)
    words = " ".join(page.words)
    check(not page.fetched, f"the page fetches nothing: {page.fetched}")
    check(not re.search(r"url\(|@import", content), "nor does its style")
    check("2 of 4 budgets met" in words, "the heading counts budgets")
    check("durable <reserve>" in words and "<reserve>" not in content, "titles are escaped")
    for heading in ("Budgets", "Beside the floor", "Peers", "Latencies", "Throughput over time", "Everything", "How it was made"):
        check(f"<h2>{heading}</h2>" in content, f"there is a section {heading}")
    charts = re.findall(r"<svg.*?</svg>", content, re.S)
    check(len(charts) >= 7, f"charts: {len(charts)}")
    for chart in charts:
        try:
            xml.etree.ElementTree.fromstring(chart)
            check(True, "a chart is well-formed")
        except xml.etree.ElementTree.ParseError as error:
            check(False, f"a chart is not well-formed: {error}")
    check("prefers-color-scheme: dark" in content and "@media print" in content, "it has a dark side, and it prints")
    check("All 1 budgets met" in " ".join(Page(page_of(sample()[3:])).words), "all met: said so")
    check("1 of the benches failed" in page_of(sample(), ["replay"]), "a failed bench is said first")
    check("nothing was measured" in page_of([], smoke=True), "an empty smoke run has a page too")


def check_charts():
    axis = svg.LogAxis(1.0, 100.0, 0.0, 200.0)
    check(axis.at(10.0) == 100.0 and axis.at(0.1) == 0.0 and axis.at(1e9) == 200.0, "a log axis, clamped at its ends")
    check([svg.nice_step(top) for top in (1.0, 97_000.0, 0.0)] == [0.25, 25_000.0, 1.0], "steps of an axis are round")
    check([svg.si(v) for v in (0.5, 999, 27_000, 1_350_000)] == ["0.5", "999", "27k", "1.35M"], "short numbers")
    check([svg.duration(v) for v in (250, 1_500, 2_000_000)] == ["250 us", "1.5 ms", "2 s"], "durations")


def check_names():
    for name in ("http_reserve", "http_reserve_pipelined", "commands_batch", "engine", "seat_map", "memory", "replay", "peers", "scaling", "journal_cost"):
        check(registry.parts_of(name), f"there is a bench {name}")
    check(registry.parts_of("http_reserve_256")[0][0] == "http_reserve_256", "a part can be asked for alone")
    refused = subprocess.run([sys.executable, os.path.join(TOP, "bench", "run.py"), "http_reserv"], capture_output=True, text=True, check=False)
    check(refused.returncode == 2 and "no such bench: http_reserv" in refused.stderr, "an unknown name is refused")


check_judging()
check_page()
check_charts()
check_names()
finish()
