#!/usr/bin/env python3
"""How cost grows, drawn: reads what `peers --csv` and `load --csv` have measured and writes SVG beside it. Nothing to install.

    plot.py docs/performance     # encoder.csv -> length.svg, batch.svg; service.csv -> connections.svg
"""
import csv, math, os, sys
from html import escape

WIDTH, HEIGHT, TOP, LEFT, RIGHT, BOTTOM = 860, 340, 64, 64, 96, 48
PAPER, LINE, GRID, TEXT, MUTED = "#ffffff", "#d5dae1", "#e4e8ed", "#1f2933", "#616e7c"
# People who don't tell red from green tell these apart; the words at the lines' ends tell them all.
COLOURS = {"int8": "#1f7a8c", "f32": "#c4432b", "bf16": "#8a5a00", "portable": "#6b4fa0", "candle-bert": "#8c959f", "peer": "#1f2933",
           "answers": "#1f7a8c", "p50": "#1f7a8c", "p99": "#c4432b"}


def number(value):
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


class Axis:
    """From values to places between `start` and `end`; ticks at the values given, or at powers of ten and round steps."""

    def __init__(self, values, start, end, log, ticks=None):
        self.start, self.end, self.log = start, end, log
        if log:
            low, high = min(values), max(values)
            self.ticks = ticks or [m * 10.0 ** e for e in range(-3, 7) for m in (1, 2, 5) if low / 1.3 <= m * 10.0 ** e <= high * 1.3]
            self.low, self.high = math.log(min(low, self.ticks[0])), math.log(max(high, self.ticks[-1]))
        else:
            step = next(s for e in range(-3, 8) for s in (10.0 ** e, 2 * 10.0 ** e, 5 * 10.0 ** e) if s * 6 >= max(values))
            self.ticks = [step * i for i in range(math.ceil(max(values) / step) + 1)]
            self.low, self.high = 0.0, self.ticks[-1]

    def place(self, value):
        value = math.log(value) if self.log else value
        return self.start + (value - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start)


def text(x, y, words, anchor="start", fill=MUTED, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}"{more}>{escape(words)}</text>'


def panel(left, right, series, labels, log_y):
    """One diagram; `series` is {name: [(x, y)]}, `labels` what stands under x and above y."""
    everything = [point for points in series.values() for point in points]
    xs = sorted({x for x, _ in everything})
    x_axis = Axis(xs, left, right, True, xs)
    y_axis = Axis([y for _, y in everything], HEIGHT - BOTTOM, TOP + 24, log_y)
    out = [text(left, TOP + 4, labels[1], more=' font-weight="600"')]
    for tick in y_axis.ticks:
        y = y_axis.place(tick)
        out.append(f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{GRID}"/>' + text(left - 8, y + 4, number(tick), "end"))
    out += [text(x_axis.place(x), HEIGHT - BOTTOM + 18, number(x), "middle") for x in xs]
    out.append(text((left + right) / 2, HEIGHT - 12, labels[0], "middle"))
    below = -math.inf
    for name, points in sorted(series.items(), key=lambda item: -item[1][-1][1]):
        colour = COLOURS.get(name, TEXT)
        places = [(x_axis.place(x), y_axis.place(y)) for x, y in points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        # The names stand in the order of the lines' ends, none on another.
        below = max(places[-1][1] + 4, below + 14)
        out.append(text(right + 8, below, name, fill=colour, more=' font-weight="600"'))
    return out


def write(path, title, subtitle, panels):
    """`panels` is a list of (series, labels, log_y), drawn side by side."""
    share = WIDTH / len(panels)
    body = [line for i, parts in enumerate(panels) for line in panel(i * share + LEFT, (i + 1) * share - RIGHT, *parts)]
    with open(path, "w") as file:
        file.write("\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
            "font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"12\">",
            f"<title>{escape(title)}</title>", f"<desc>{escape(subtitle)}</desc>",
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8" fill="{PAPER}" stroke="{LINE}"/>',
            text(24, 28, title, fill=TEXT, more=' font-size="16" font-weight="600"'), text(24, 46, subtitle), *body, "</svg>", ""]))
    print("wrote", path)


def rows(folder, name):
    path = os.path.join(folder, name)
    with open(path, newline="") as file:
        return [{key: value if key == "engine" else float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def series(table, name, x, y):
    found = {}
    for row in table:
        found.setdefault(name(row), []).append((row[x], y(row)))
    return {name: sorted(points) for name, points in found.items()}


def draw_encoder(folder):
    table = rows(folder, "encoder.csv")
    threads = f"all-MiniLM-L6-v2's shape, {number(table[0]['threads'])} thread(s), medians"
    engine = lambda row: row["engine"]
    alone = series([row for row in table if row["batch"] == 1], engine, "tokens", lambda row: row["median_ms"])
    write(os.path.join(folder, "length.svg"), "One sequence, by its length", f"{threads}; both axes logarithmic",
          [(alone, ("tokens", "milliseconds"), True)])
    batches = series([row for row in table if row["tokens"] == 64], engine, "batch", lambda row: row["tokens_per_second"])
    write(os.path.join(folder, "batch.svg"), "Sequences of 64 tokens, by how many are computed together", threads,
          [(batches, ("sequences in a batch", "tokens a second"), False)])


def draw_service(folder):
    table = [row for row in rows(folder, "service.csv") if row["status"] == 200]
    if not table:
        sys.exit("service.csv has no answer with status 200: was there a service?")
    answers = series(table, lambda _: "answers", "connections", lambda row: row["per_second"])
    waits = {name: sorted((row["connections"], row[name + "_ms"]) for row in table) for name in ("p50", "p99")}
    write(os.path.join(folder, "connections.svg"), "The service, by connections that send at once",
          "benches/mix.toml; service and client on the same machine; latencies on a logarithmic axis",
          [(answers, ("connections", "answers a second"), False), (waits, ("connections", "milliseconds"), True)])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    draw_encoder(sys.argv[1])
    draw_service(sys.argv[1])
