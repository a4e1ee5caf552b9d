"""What must not matter: how many shows are loaded, and whether everybody wants the same one."""

from driver.common import Floor


def hot_show(bench):
    """One hot show: 100 connections alternate reserve and DELETE for two seats each."""
    def floor():
        with Floor("usher_floor_http") as responder:
            return bench.load(responder.port, connections=100)["rate"]

    def ours():
        return bench.sale(connections=100, mode="hot")["rate"]

    floors, figures = bench.alternate(floor, ours)
    bench.add("scaling_hot_show", "requests/s", floors, figures)


PARTS = {"scaling_hot_show": hot_show}
