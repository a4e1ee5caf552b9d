"""What the demand journal costs while it is on: durable reserves at 256 connections with it, beside the same without it."""

import os

from driver.common import WARM_REQUESTS, check_201s, details, harness, typical


def cost(bench):
    runs = []

    def sale(settings):
        with bench.checked_server(settings) as server:
            figure = bench.told(server, WARM_REQUESTS, connections=256)
            metrics = server.request("GET", "/metrics", bearer=harness.token("bench", "staff"))[2].decode()
        check_201s(figure, bench.smoke)
        return figure, metrics

    def with_journal():
        figure, metrics = sale({"wal.demand_journal": os.path.join(bench.folder, f"journal-{len(runs)}")})
        if "\nusher_demand_journal_dropped_total 0\n" not in metrics:
            raise RuntimeError("journal_cost: the journal is off, or had no room for some commands")
        runs.append(figure)
        return figure["rate_201"]

    without, figures = bench.alternate(lambda: sale({})[0]["rate_201"], with_journal)
    bench.add("journal_cost", "201/s", without, figures, 0.95, title="durable reserve, 256 connections, demand journal on",
              floor_is="the same without the journal", **details(typical(runs, "rate_201")))


PARTS = {"journal_cost": cost}
