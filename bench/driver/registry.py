"""Which benches there are: name -> its parts, each a function of one Bench. A bench runs its parts in order; a part can be run alone.

A new bench is one file with a `PARTS` dict and one line here.
"""

from driver import commands_batch, engine, feed_fanout, flash_sale, http_reserve, http_reserve_pipelined, journal_cost, memory, overload, peers, replay, scaling, seat_map

BENCHES = {
    "http_reserve": http_reserve.PARTS,
    "http_reserve_pipelined": http_reserve_pipelined.PARTS,
    "commands_batch": commands_batch.PARTS,
    "engine": engine.PARTS,
    "seat_map": seat_map.PARTS,
    "feed_fanout": feed_fanout.PARTS,
    "overload": overload.PARTS,
    "memory": memory.PARTS,
    "replay": replay.PARTS,
    "flash_sale": flash_sale.PARTS,
    "peers": peers.PARTS,
    "scaling": scaling.PARTS,
    "journal_cost": journal_cost.PARTS,
}


def parts_of(name):
    """Returns the parts, as (name, function) pairs, that a NAME of the command line means; none when there is no such name."""
    if name in BENCHES:
        return list(BENCHES[name].items())
    return [(part, function) for parts in BENCHES.values() for part, function in parts.items() if part == name]


def bench_of(part):
    """The bench that a part belongs to."""
    return next(bench for bench, parts in BENCHES.items() if part in parts)


def all_names():
    return list(BENCHES) + [part for parts in BENCHES.values() for part in parts if part not in BENCHES]
