"""Small charts as inline SVG. Colours are the page's CSS classes, so that dark mode and print need nothing here.

A chart is a function from data to text; sizes are in pixels of the viewBox and scale with the page.
"""

import html
import math


def escape(text):
    return html.escape(str(text), quote=True)


def si(value):
    """A number short enough for an axis: 1.5M, 27k, 0.35."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.3g}"


def figure(value):
    """A number for a table: thousands with commas, small ones with three digits or so."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def duration(us):
    """Microseconds as people say them."""
    if us >= 1e6:
        return f"{us / 1e6:.3g} s"
    return f"{us / 1e3:.3g} ms" if us >= 1e3 else f"{us:.3g} us"


def text(x, y, content, classes="", anchor="start", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{classes}" text-anchor="{anchor}" {more}>{escape(content)}</text>'


def line(x1, y1, x2, y2, classes):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{classes}"/>'


def svg(width, height, parts, label):
    return (f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}" xmlns="http://www.w3.org/2000/svg">'
            + "".join(parts) + "</svg>")


def nice_step(top, ticks=4):
    """A round step that takes an axis to `top` in about so many ticks."""
    if top <= 0:
        return 1.0
    raw = top / ticks
    power = 10 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= raw)


class LogAxis:
    """Maps low..high to a range of pixels, logarithmically."""

    def __init__(self, low, high, begin, end):
        self.low, self.high, self.begin, self.end = low, high, begin, end

    def at(self, value):
        value = min(max(value, self.low), self.high)
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)

    def decades(self):
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [10.0 ** power for power in range(first, last + 1)]


def latency_curves(series, budgets=(), width=540, height=380):
    """Latency by percentile: `series` is [(label, class, [[quantile, us], ...])], `budgets` is [(label, quantile, us)].

    The horizontal axis is log of 1 / (1 - quantile), as HDR histograms are drawn: each nine takes the same room.
    """
    left, right, top, bottom = 58, 96, 12, 42
    points = [(q, us) for _, _, curve in series for q, us in curve if us > 0] + [(q, us) for _, q, us in budgets]
    if not points:
        return ""
    deepest = max([q for q, _ in points if q < 1] + [0.9])
    x = LogAxis(1.0, max(1 / (1 - deepest), 1_000.0), left, width - right)
    low = 10 ** math.floor(math.log10(min(us for _, us in points)))
    high = 10 ** math.ceil(math.log10(max(us for _, us in points)))
    y = LogAxis(low, max(high, low * 10), height - bottom, top)
    parts = []
    for decade in y.decades():
        parts.append(line(left, y.at(decade), width - right, y.at(decade), "grid"))
        parts.append(text(left - 8, y.at(decade) + 4, duration(decade), "tick", "end"))
        for minor in range(2, 10):
            if decade * minor < y.high:
                parts.append(line(left, y.at(decade * minor), width - right, y.at(decade * minor), "grid faint"))
    for quantile in (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999):
        if 1 / (1 - quantile) > x.high * 1.001:
            continue
        at = x.at(1 / (1 - quantile))
        parts.append(line(at, top, at, height - bottom, "grid"))
        parts.append(text(at, height - bottom + 18, f"{quantile * 100:g} %" if quantile else "0", "tick", "middle"))
    parts.append(text((left + width - right) / 2, height - 6, "of requests are answered within", "axis", "middle"))
    for label, quantile, us in budgets:
        at, up = x.at(1 / (1 - quantile)), y.at(us)
        parts.append(line(at - 26, up, at + 26, up, "budget"))
        parts.append(text(at + 30, up + 4, label, "tick budget-text"))
    ends = []
    for label, classes, curve in series:
        path = [(x.at(1 / (1 - q)) if q < 1 else x.end, y.at(max(us, low))) for q, us in curve if q < 1]
        if not path:
            continue
        steps = " ".join(f"{px:.1f},{py:.1f}" for px, py in path)
        parts.append(f'<polyline points="{steps}" class="curve {classes}"><title>{escape(label)}</title></polyline>')
        for (q, us), (px, py) in zip(curve, path):
            if label and any(abs(q - mark) < 1e-9 for mark in (0.5, 0.9, 0.99, 0.999, 0.9999)):
                parts.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.2" class="dot {classes}">'
                             f"<title>{escape(label)}: {q * 100:g} % within {duration(us)}</title></circle>")
        if label:
            ends.append([path[-1][1], path[-1][0], label, classes])
    parts += end_labels(ends)
    return svg(width, height, parts, "latency by percentile, both axes logarithmic")


def end_labels(ends, gap=15):
    """Labels at the ends of curves, pushed apart where they would lie over each other."""
    parts, last = [], -1e9
    for y, x, label, classes in sorted(ends):
        at = max(y, last + gap)
        last = at
        parts.append(text(x + 10, at + 4, label, f"label {classes}"))
    return parts


def timeline(values, step_s, classes, label, width=340, height=110):
    """Successes per second over time, from counts per step; the last, broken step is left out."""
    left, right, top, bottom = 44, 8, 10, 22
    rates = [value / step_s for value in (values[:-1] if len(values) > 2 else values)]
    if not rates:
        return ""
    step = nice_step(max(rates), 2)
    high = math.ceil(max(rates) / step) * step or 1
    def x(index):
        return left + (width - left - right) * index / max(len(rates) - 1, 1)
    def y(value):
        return height - bottom - (height - top - bottom) * value / high
    parts = []
    for tick in range(int(high / step + 0.5) + 1):
        parts.append(line(left, y(tick * step), width - right, y(tick * step), "grid"))
        parts.append(text(left - 6, y(tick * step) + 4, si(tick * step), "tick", "end"))
    points = " ".join(f"{x(i):.1f},{y(rate):.1f}" for i, rate in enumerate(rates))
    parts.append(f'<polygon points="{left},{y(0):.1f} {points} {x(len(rates) - 1):.1f},{y(0):.1f}" class="area {classes}"/>')
    parts.append(f'<polyline points="{points}" class="curve {classes}"/>')
    seconds = step_s * len(rates)
    parts.append(text(left, height - 6, "0 s", "tick"))
    parts.append(text(width - right, height - 6, f"{seconds:.1f} s", "tick", "end"))
    return svg(width, height, parts, label)


def bars(groups, unit, width=500, left=72, row=20, label="bars"):
    """Horizontal bars: `groups` is [(title, [(name, class, value, note)])], all on one linear axis from zero."""
    right, gap = 168, 12
    top_value = max(value for _, rows in groups for _, _, value, _ in rows)
    scale = (width - left - right) / top_value
    parts, y = [], 4
    for title, rows in groups:
        if title:
            parts.append(text(0, y + 14, title, "group"))
            y += 24
        for name, classes, value, note in rows:
            parts.append(text(left - 10, y + row * 0.68, name, "tick", "end"))
            parts.append(f'<rect x="{left}" y="{y:.1f}" width="{max(value * scale, 1):.1f}" height="{row - 5}" rx="2" class="bar {classes}">'
                         f"<title>{escape(name)}: {value:,.0f} {escape(unit)}</title></rect>")
            parts.append(text(left + value * scale + 8, y + row * 0.68, f"{si(value)}{note}", "value"))
            y += row
        y += gap
    return svg(width, y, parts, label)


def bullet(score, low, high, ok, width=220, height=26):
    """How far a figure lies from its budget: the budget in the middle, what is better to its right; each tick doubles."""
    axis = LogAxis(0.25, 4.0, 10, width - 10)
    middle = height / 2
    parts = [f'<rect x="{axis.at(1):.1f}" y="4" width="{axis.end - axis.at(1):.1f}" height="{height - 8}" class="good-zone"/>',
             line(axis.begin, middle, axis.end, middle, "grid")]
    parts += [line(axis.at(tick), middle - 3, axis.at(tick), middle + 3, "grid") for tick in (0.25, 0.5, 2, 4)]
    parts.append(line(axis.at(1), 3, axis.at(1), height - 3, "budget"))
    parts.append(line(axis.at(low), middle, axis.at(high), middle, f"whisker {'met' if ok else 'missed'}"))
    parts.append(f'<circle cx="{axis.at(score):.1f}" cy="{middle}" r="5" class="dot {"met" if ok else "missed"}">'
                 f"<title>{score:.2f} of the budget, runs from {low:.2f} to {high:.2f}</title></circle>")
    return svg(width, height, parts, f"{score:.2f} of the budget")
