"""`POST /commands`: batches of 1,000 reserves, durable, beside RocksDB syncing blobs of 64 kB with 1,000 records each."""

from driver.common import check_seats_left, details, typical

RECORDS_PER_S_MIN = 1_000_000


def commands_batch(bench):
    runs = []

    def ours():
        figure = bench.sale(connections=4, mode="commands", batch=1_000 if not bench.smoke else 50)
        check_seats_left(figure, bench.smoke)
        runs.append(figure)
        return figure["lines_201_rate"]

    floors, figures = bench.alternate(lambda: bench.log_floor(65_536, 1_000)["records_per_s"], ours)
    bench.add("commands_batch", "201/s", floors, figures, 0.60, title="batches of 1,000 commands, durable", **details(typical(runs, "lines_201_rate")))
    bench.add("commands_batch_absolute", "201/s", floors, figures, RECORDS_PER_S_MIN, budget_of="value",
              title="the same, as such")


PARTS = {"commands_batch": commands_batch}
