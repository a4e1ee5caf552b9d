"""The report as one page: no script, nothing fetched, light and dark by the reader's setting, and it prints.

What is drawn is what the results carry: a `curve` becomes a line among the latencies, a `timeline` a small chart, a `peer` a bar.
"""

import os

from driver.common import TOP
from driver.svg import bars, bullet, duration, escape, figure, latency_curves, si, timeline

TIMELINE_STEP_S = 0.1
HEADINGS = {
    "http_reserve": "Durable reserve over HTTP", "http_reserve_pipelined": "Pipelined", "commands_batch": "Batches for partners",
    "engine": "The engine alone", "seat_map": "Seat maps", "feed_fanout": "Live feed", "overload": "Overload", "memory": "Memory", "replay": "Replay",
    "flash_sale": "Flash sale", "peers": "Peers", "scaling": "Scaling", "journal_cost": "Demand journal",
}
CONTENDERS = [("ours", "ours", "Usher"), ("redis_always", "redis", "Redis, AOF always"), ("redis_everysec", "redis faint-bar", "Redis, AOF everysec"),
              ("postgres_locks", "postgres", "PostgreSQL, row locks"), ("postgres_versions", "postgres faint-bar", "PostgreSQL, versions")]


def write(path, report):
    """Writes the page. Returns its path."""
    with open(os.path.join(TOP, "bench", "driver", "report.css"), encoding="utf-8") as file:
        style = file.read()
    results = report["results"]
    sections = [hero(report), budgets(results), floors(results), peers(results), latencies(results), over_time(results),
                everything(results), made(report)]
    page = (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>Usher: the bench of {escape(report['machine']['at'][:10])}</title><style>{style}</style></head>"
            f"<body><main>{''.join(sections)}</main></body></html>")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)
    return path


def section(heading, lead, *content):
    """A part of the page; none when it has nothing to show."""
    inner = "".join(content)
    return f"<section><h2>{escape(heading)}</h2><p class=\"lead\">{lead}</p>{inner}</section>" if inner else ""


def hero(report):
    machine, results = report["machine"], report["results"]
    judged = [result for result in results if result["ok"] is not None]
    missed = [result for result in judged if not result["ok"]]
    failed = report.get("failed", [])
    if report.get("settings", {}).get("smoke"):
        verdict, tone = "A smoke run: everything ran, nothing was measured", "quiet"
    elif failed:
        verdict, tone = f"{len(failed)} of the benches failed", "bad"
    elif not judged:
        verdict, tone = f"{len(results)} figures, none of which has a budget", "quiet"
    elif missed:
        verdict, tone = f"{len(judged) - len(missed)} of {len(judged)} budgets met", "bad"
    else:
        verdict, tone = f"All {len(judged)} budgets met", "good"
    cells = "".join(f'<i class="{"met" if result["ok"] else "missed"}" title="{escape(result["title"])}"></i>' for result in judged)
    chips = "".join(f'<span class="chip missed">{escape(result["title"])}</span>' for result in missed)
    chips += "".join(f'<span class="chip missed">{escape(name)} failed</span>' for name in failed)
    where = f"{machine['cores']} cores, {machine['cpu']}, {machine['memory_gib']} GiB, Linux {machine['kernel']}"
    return (f'<header><div class="eyebrow">Usher &middot; tools/bench &middot; {escape(machine["at"][:16].replace("T", " "))} UTC &middot; '
            f'commit {escape(machine["commit"])}</div><h1 class="{tone}">{escape(verdict)}</h1><div class="strip">{cells}</div>'
            f'<p class="where">{escape(where)}</p><div class="chips">{chips}</div>{tiles(results)}</header>')


def tiles(results):
    """The handful of figures that most people come for."""
    wanted = [("http_reserve", "sold per second, durable, 1,024 connections"), ("http_reserve_open_p99", "p99 at 20,000 arrivals/s"),
              ("commands_batch", "durable commands per second in batches"), ("engine", "one decision"), ("memory", "one idle show"),
              ("replay", "records replayed per second and core")]
    by_name = {result["name"]: result for result in results}
    cells = []
    for name, words in wanted:
        if name in by_name:
            result = by_name[name]
            unit = "" if result["unit"].endswith("/s") else " B" if "bytes" in result["unit"] else f" {result['unit']}"
            cells.append(f'<div class="tile"><b>{escape(si(result["value"]) + unit)}</b><span>{escape(words)}</span></div>')
    return f'<div class="tiles">{"".join(cells)}</div>' if cells else ""


def score_of(result, value):
    """How a value stands to the budget: 1 just meets it, more is better."""
    measured = value / result["floor"] if result["budget_of"] == "ratio" else value
    if result["less_is_better"]:
        return result["budget"] / measured if measured else 1.0  # a budget of zero is met just so or not at all
    return measured / result["budget"]


def budget_text(result):
    sign = "&le;" if result["less_is_better"] else "&ge;"
    return f"{sign} {figure(result['budget'])}" + (" of the floor" if result["budget_of"] == "ratio" else f" {escape(result['unit'])}")


def budgets(results):
    rows, last = [], None
    for result in results:
        if result["ok"] is None:
            continue
        if result["bench"] != last:
            last = result["bench"]
            rows.append(f'<tr class="band"><th colspan="7">{escape(HEADINGS.get(last, last))}</th></tr>')
        values = result.get("values") or [result["value"]]
        scores = sorted(score_of(result, value) for value in values)
        chart = bullet(score_of(result, result["value"]), scores[0], scores[-1], result["ok"])
        floor = figure(result["floor"]) if result["floor"] else ""
        ratio = f"{result['ratio']:.2f}" if result["ratio"] else ""
        verdict = '<td class="met">met</td>' if result["ok"] else '<td class="missed">missed</td>'
        rows.append(f'<tr><td>{escape(result["title"])}</td><td class="n">{figure(result["value"])} <small>{escape(result["unit"])}</small></td>'
                    f'<td class="n" title="{escape(result.get("floor_is", "the floor"))}">{floor}</td><td class="n">{ratio}</td>'
                    f'<td class="n">{budget_text(result)}</td><td class="bullet">{chart}</td>{verdict}</tr>')
    if not rows:
        return ""
    head = "<tr><th>what</th><th>ours</th><th>floor</th><th>ratio</th><th>budget</th><th>missed &larr; budget &rarr; met</th><th></th></tr>"
    return section("Budgets", "The dot is the median, the bar reaches over all runs; the line is the budget and every tick doubles. A floor is "
                   "the bare limit of this machine, measured in turn with ours.", f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>")


def floors(results):
    """Throughput beside its floor, for what is measured per second."""
    groups = []
    for result in results:
        if result["floor"] and result["unit"].endswith("/s") and result["bench"] not in ("peers", "scaling", "replay", "journal_cost") and not result["name"].endswith("_absolute"):
            note = f"/s, {result['ratio']:.2f} of it"
            groups.append((result["title"], [(result.get("floor_is", "the floor"), "floor", result["floor"], "/s"), ("ours", "ours", result["value"], note)]))
    charts = []
    for heading, keep in (("", lambda top: top < 400_000), ("", lambda top: top >= 400_000)):
        some = [group for group in groups if keep(group[1][0][2])]
        if some:
            charts.append(f'<figure>{bars(some, "per second", label="ours beside the floor")}</figure>')
    return section("Beside the floor", "What is possible at all on these cores with the same requests, and what we reach while looking at each of "
                   "them, deciding, and making it durable before the answer.", f'<div class="grid two">{"".join(charts)}</div>' if charts else "")


def peers(results):
    mine = [result for result in results if result.get("peer")]
    charts = []
    for clients in sorted({result["clients"] for result in mine}):
        for workload, words in (("spread", "over all shows"), ("hot", "one hot show")):
            by_peer = {result["peer"]: result for result in mine if result["clients"] == clients and result["workload"] == workload}
            if not by_peer:
                continue
            ours = next(iter(by_peer.values()))["value"]
            rows = [("Usher", "ours", ours, "/s")]
            for peer, classes, name in CONTENDERS[1:]:
                if peer in by_peer:
                    rows.append((name, classes, by_peer[peer]["floor"], f", we {by_peer[peer]['ratio']:.1f}x"))
            charts.append(f'<figure><figcaption>{clients} clients, {words}</figcaption>{bars([("", rows)], "reserves/s", left=160, label="peers")}</figure>')
    return section("Peers", "The same two seats or none, the same clients in a closed loop. Redis and PostgreSQL are driven natively, without HTTP, "
                   "JSON or users in front of them, which favours them; <i>AOF everysec</i> may lose a second of what it answered. What else favours "
                   "whom stands in bench/README.md.", f'<div class="grid two">{"".join(charts)}</div>' if charts else "")


def latencies(results):
    drawn = [r for r in results if r.get("curve") and r["bench"] in ("http_reserve", "http_reserve_pipelined") and "rate_per_s" not in r]
    closed = [(short(result), f"s{number % 8}", result["curve"]) for number, result in enumerate(drawn)]
    closed += [("", f"s{number % 8} dashed", result["floor_curve"]) for number, result in enumerate(drawn) if result.get("floor_curve")]
    sales = [(result["name"].replace("flash_sale_", "").replace("_", " "), f"s{number % 8}", result["curve"])
             for number, result in enumerate(r for r in results if r.get("curve") and r["bench"] == "flash_sale")]
    opened = [r for r in results if r.get("curve") and r.get("rate_per_s")]
    charts = []
    if closed:
        charts.append(f'<figure><figcaption>Closed loop, by connections; dashed: the floor</figcaption>{latency_curves(closed)}</figure>')
    for result in opened:
        marks = [(f"budget {r['budget']:g} ms", q, r["budget"] * 1e3) for r, q in
                 ((r, {"p99": 0.99, "p999": 0.999}[r["name"].rsplit("_", 1)[1]]) for r in results
                  if r["name"].startswith("http_reserve_open_") and r["budget"])]
        charts.append(f'<figure><figcaption>Open loop: {result["rate_per_s"]:,} arrivals/s, {result["connections"]:,} connections'
                      f'</figcaption>{latency_curves([("reserve", "s0", result["curve"])], marks)}</figure>')
    if sales:
        charts.append(f'<figure><figcaption>Reserve in a flash sale, by scenario</figcaption>{latency_curves(sales)}</figure>')
    return section("Latencies", "Both axes are logarithmic: each nine takes the same room, as in HDR histograms. In the open loop a latency counts from the moment somebody meant to ask. From the run whose figure is the median.",
                   f'<div class="grid two">{"".join(charts)}</div>' if charts else "")


def short(result):
    return result["title"].replace("durable reserve, ", "").replace(" connections", "").replace(" pipelined", " deep").replace("a lone client, median", "a lone client")


def over_time(results):
    charts = []
    for result in results:
        if result["bench"] != "peers" and len(result.get("timeline", ())) > 2 and result["name"] != "http_reserve_open_p999":
            charts.append(f'<figure><figcaption>{escape(result["title"])}</figcaption>'
                          f'{timeline(result["timeline"], TIMELINE_STEP_S, "ours", result["title"])}</figure>')
    return section("Throughput over time", "Successes per second in steps of a tenth of a second, from the typical run. A dent is a checkpoint, a "
                   "flush, or a neighbour on the machine.", f'<div class="grid three">{"".join(charts)}</div>' if charts else "")


def everything(results):
    rows = []
    for result in results:
        latency = f"{duration(result['p50_us'])} / {duration(result['p99_us'])}" if "p99_us" in result else ""
        cpu = f"{result['client_cpu_s']:.1f} / {result.get('server_cpu_s', 0):.1f}" if "client_cpu_s" in result else ""
        spread = f"{result['spread']:.0%}" if result["spread"] is not None and result["runs"] > 1 else ""
        floor = figure(result["floor"]) if result["floor"] else ""
        agreed = result.get("checked") or {}
        told = agreed.get("told", agreed.get("reservations"))  # a sale with people counts what it was told by kind
        checked = f"{told:,}" if told is not None else ""
        rows.append(f'<tr><td><code>{escape(result["name"])}</code></td><td class="n">{figure(result["value"])} <small>{escape(result["unit"])}</small></td>'
                    f'<td class="n">{spread}</td><td class="n">{floor}</td><td class="n">{latency}</td><td class="n">{cpu}</td><td class="n">{checked}</td></tr>')
    head = ("<tr><th>result</th><th>median</th><th>spread</th><th>floor</th><th>p50 / p99</th><th>CPU s, client / server</th>"
            "<th>checked in the log</th></tr>")
    return section("Everything", "All results as they stand in report.json. The spread is largest minus smallest, as a share of the median.",
                   f'<table class="dense"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>' if rows else "")


def made(report):
    machine, settings = report["machine"], report.get("settings", {})
    facts = {
        "cores": f"{machine['cores']} x {machine['cpu']}", "memory": f"{machine['memory_gib']} GiB", "kernel": machine["kernel"],
        "disk of the log": settings.get("disk", ""), "load when it began": f"{machine['load_average_at_start']:.2f}",
        "runs of each, floor and ours in turn": settings.get("runs", ""), "seconds measured per run": settings.get("seconds", ""),
        "shows of 200 seats": f"{settings.get('shows', 0):,}", "commit": machine["commit"],
        **{name: version for name, version in settings.get("versions", {}).items()},
    }
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    notes = "".join(f"<li>{note}</li>" for note in (
        "Durable means: synced to the disk before the answer leaves, in every figure that does not say otherwise.",
        "Only 201s count, and a run counts only after its log was audited and replayed: everything the client was told is there with its "
        "seats, nothing else is, and no seat is held twice. The server is ended by <code>kill -9</code> before.",
        "The client runs on the same machine and takes its share of the cores; its CPU seconds stand beside the server's.",
        "A figure means something only beside the floor of the same run. Figures of another machine, or of a busy one, are other figures."))
    return section("How it was made", "Machine and settings; the whole method stands in bench/README.md.",
                   f'<div class="grid two"><table class="facts">{rows}</table><ul class="notes">{notes}</ul></div>')
