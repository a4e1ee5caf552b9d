"""What must not matter: whether everybody wants the same show, and how many shows are loaded; and what loops bring.

Connections alternate reserve and DELETE for two seats each, so that no run eats up the seats of the next.
"""

import os

from driver.common import WARM_REQUESTS, check_alternating, check_201s, details, typical

CONNECTIONS = 100


def alternating(bench, server, shows, hot_shows):
    figure = bench.told(server, connections=CONNECTIONS, mode="hot", shows=shows, hot_shows=hot_shows)
    check_alternating(figure)
    return figure


def hot_show(bench):
    """One hot show beside the same load spread over all shows."""
    runs = []

    def one():
        runs.append(alternating(bench, server, bench.options.shows, 1))
        return runs[-1]["rate"]

    with bench.checked_server() as server:
        many, hot = bench.alternate(lambda: alternating(bench, server, bench.options.shows, bench.options.shows)["rate"], one)
    bench.add("scaling_hot_show", "requests/s", many, hot, 0.90, title="one hot show beside many", floor_is="the same load over all shows",
              **details(typical(runs, "rate")))


def shows_loaded(bench):
    """1,000,000 shows loaded beside 1,000, the load going over all of them."""
    few, many = (1_000, 1_000_000) if not bench.smoke else (100, 2_000)
    runs = []

    def crowded():
        runs.append(alternating(bench, large, many, many))
        return runs[-1]["rate"]

    with bench.checked_server(data=bench.data_with(few)) as small, bench.checked_server(data=bench.data_with(many)) as large:
        floors, figures = bench.alternate(lambda: alternating(bench, small, few, few)["rate"], crowded)
    bench.add("scaling", "requests/s", floors, figures, 0.80, title=f"{many:,} shows loaded", floor_is=f"the same load with {few:,} shows loaded", shows=many,
              **details(typical(runs, "rate")))


def loops(bench):
    """Durable reserve at 256 connections with 1 to as many loops as there are cores; the client takes cores too, so no budget."""
    for count in range(1, (os.cpu_count() or 1) + 1):
        runs = []
        for _ in range(bench.options.runs):
            with bench.checked_server({"server.loops": count}) as server:
                runs.append(bench.told(server, WARM_REQUESTS, connections=256))
            check_201s(runs[-1], bench.smoke)
        bench.add(f"scaling_loops_{count}", "201/s", [], [run["rate_201"] for run in runs],
                  title=f"256 connections, {count} loop" + ("s" if count > 1 else ""), **details(typical(runs, "rate_201")))


PARTS = {"scaling_hot_show": hot_show, "scaling_shows": shows_loaded, "scaling_loops": loops}
