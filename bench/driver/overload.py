"""Three times the work that the server takes on: how much it still sells, and how soon the others hear that it does not.

`server.work_limit` fixes the capacity, so that the generator needs less than half a core and what is measured is the server's
refusing. Arrivals are an open loop: nobody waits for the answers before them, and latencies count from the intended start.
"""

from driver.common import details, share_201, typical

CAPACITY = 2_000  # reserves a second
CONNECTIONS = 512
CORE_SHARE_MAX = 0.5
REFUSAL_MS_MAX = 50
GOODPUT_MIN = 0.8


def overload(bench):
    capacity = CAPACITY if not bench.smoke else 200
    runs = {1: [], 3: []}

    def measured(times):
        with bench.checked_server({"server.work_limit": str(capacity)}) as server:
            # a little under the limit at once the peak: at the limit itself chance refuses some
            figure = bench.told(server, 0, connections=CONNECTIONS if not bench.smoke else 16, rate=capacity * (0.95 if times == 1 else times))
        figure["checked"] = server.checked
        check_answers(figure, bench.smoke)
        runs[times].append(figure)
        return figure["rate_201"]

    floors, figures = bench.alternate(lambda: measured(1), lambda: measured(3))
    busy, calm = typical(runs[3], "rate_201"), typical(runs[1], "rate_201")
    if not bench.smoke and share_201(calm) < 0.99:
        raise RuntimeError(f"within its capacity the server refused: {calm}")
    bench.add("overload_goodput", "reserves/s", floors, figures, GOODPUT_MIN, title="reserves sold at three times the capacity",
              floor_is="the same server within its capacity", work_limit=capacity, answers=busy["measured"], **details(busy))
    refused_ms = [figure["refusal_us_p99"] / 1e3 for figure in runs[3]]
    bench.add("overload_refusal_p99", "ms", [], refused_ms, REFUSAL_MS_MAX, less_is_better=True, title="a refusal at three times the capacity, p99",
              may_be_zero=bench.smoke, slowest_ms=max(figure["refusal_us_max"] for figure in runs[3]) / 1e3, work_limit=capacity)


def check_answers(figure, smoke):
    """Sold or refused, nothing else; and the generator was not what was measured."""
    if not set(figure["measured"]) <= {"201", "503"}:
        raise RuntimeError(f"something else than 201 and 503: {figure}")
    share = figure["client_cpu_s"] / figure["seconds"]
    if not smoke and share > CORE_SHARE_MAX:
        raise RuntimeError(f"the generator took {share:.0%} of a core: {figure}")


PARTS = {"overload": overload}
