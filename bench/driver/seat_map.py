"""The map of 200 seats, beside a responder that sends a body of the same size."""

from driver.common import Floor, details, typical


def seat_map(bench):
    with bench.server() as server:
        body = int(server.request("GET", "/shows/load-00000/seats")[1]["Content-Length"])

    def floor():
        with Floor("usher_floor_http", "--body", str(body)) as responder:
            return bench.load(responder.port, connections=64, mode="seats")["rate"]

    def ours():
        with bench.server() as server:
            figure = bench.load(server.port, connections=64, mode="seats")
        if set(figure["measured"]) != {"200"}:
            raise RuntimeError(f"not all answers are seat maps: {figure}")
        runs.append(figure)
        return figure["rate"]

    runs = []
    floors, figures = bench.alternate(floor, ours)
    bench.add("seat_map", "maps/s", floors, figures, 0.80, title="seat map of 200 seats", body_bytes=body, **details(typical(runs, "rate")))


PARTS = {"seat_map": seat_map}
