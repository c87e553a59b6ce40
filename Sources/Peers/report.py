"""What a run found: ratios and floors, as text, as a Markdown table and as JSON."""

import os
import platform
import statistics
import subprocess
from dataclasses import dataclass

from floors import EVERYONE, groups
from rows import Row


TITLES = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
          "RTNeural": "RTNeural"}


@dataclass(frozen=True)
class Result:
    """The figures of one row, a list of one a round for each participant, ours among them, and their libraries."""

    row: Row
    threads: int
    figures: dict
    libraries: dict

    def median(self, name):
        return statistics.median(self.figures[name])

    def spread(self, name):
        """From the least to the most, relative to the median."""
        return (max(self.figures[name]) - min(self.figures[name])) / self.median(name)

    def best(self, libraries, carried_over=True):
        """The name of the fastest of these libraries, with or without the forms that have our table of tokens."""
        names = [name for name, library in self.libraries.items()
                 if library in libraries and (carried_over or not name.endswith("table"))]
        return max(names, key=lambda name: self.row.ratio(self.median(name), 1), default=None)

    @property
    def ours(self):
        """The name of the fastest of ours."""
        return self.best(("ours",))

    def ratio(self, libraries, carried_over=True):
        """How many times as fast as the fastest peer ours is."""
        peer = self.best(libraries, carried_over)
        return self.row.ratio(self.median(self.ours), self.median(peer)) if peer and self.ours else None


def text(results, about):
    """Every row by the lines of the table of floors: ours, the best peer, the ratio, the floor, then all peers."""
    lines, shown = list(about), set()
    found = {(result.row, result.threads): result for result in results}
    for group in groups():
        for threads in sorted({result.threads for result in results}):
            # A row of several groups has no line in those whose peers were not measured.
            selected = [(floor, found[row, threads]) for floor in group.floors for row in floor.rows
                        if (row, threads) in found
                        and (found[row, threads].best(group.against) or (row, threads) not in shown)]
            if selected:
                lines += ["", f"{group.work}, {threads} thread{'s' if threads > 1 else ''}"]
            for floor, result in selected:
                lines.append(line(result, group, floor.least if threads == group.threads else None))
                if (result.row, threads) not in shown:
                    lines += details(result)
                    shown.add((result.row, threads))
    return "\n".join(lines)


def line(result, group, least):
    """id | ours | best peer | ratio to it | the floor, with the ratio it is for where that is another peer's."""
    best, against = result.best(EVERYONE), result.best(group.against)
    parts = [f"  {result.row.id:38}"]
    if ours := result.ours:
        parts.append(f"{ours} {figure(result, ours):>{23 - len(ours)}}")
    if best:
        parts.append(f"best {figure(result, best):>19}  {best:26}")
    if result.ratio(EVERYONE) is not None:
        parts.append(f"{times(result.ratio(EVERYONE)):>7}")
    ratio = result.ratio(group.against)
    if ratio is not None and least is not None:
        if against != best:
            parts.append(f"{times(ratio)} against {against}")
        parts.append(f"floor {least:g}x {'reached' if ratio >= least else 'MISSED'}")
    return "  ".join(parts)


def details(result):
    peers = [f"{name} {figure(result, name)}" for name in result.figures if name != result.ours]
    return ["      " + "; ".join(peers[i:i + 4]) for i in range(0, len(peers), 4)]


def figure(result, name):
    value = result.median(name)
    digits = 0 if value >= 1000 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {result.row.unit} ±{50 * result.spread(name):.0f}%"


def times(ratio):
    return f"{ratio:.3g}x" if ratio < 1000 else f"{ratio:.0f}x"


def markdown(results, about):
    """The table of the article Performance, a line a group: the lowest ratio of each floor's rows, bold where it is below
    the floor; then the same without the peers' forms that have our table of tokens, where that changes anything; the fastest peers."""
    found = {(result.row, result.threads): result for result in results}
    lines = ["| work | at least | reached | without our token table in theirs | the fastest peer |",
             "| --- | --- | --- | --- | --- |"]
    for group in groups():
        reached = []
        for floor in group.floors:
            pairs = [tuple(found[row, group.threads].ratio(group.against, carried) for carried in (True, False))
                     for row in floor.rows if (row, group.threads) in found]
            pairs = [pair for pair in pairs if None not in pair]
            if pairs:
                reached.append((floor, *map(min, zip(*pairs)), fastest(
                    [found[row, group.threads] for row in floor.rows if (row, group.threads) in found], group.against)))
        if reached:
            labels = " / ".join(floor.label.removeprefix("R = ") for floor, *_ in reached)
            unit = "R = " if reached[0][0].label.startswith("R = ") else ""
            floors = " / ".join(f"{floor.least:g}x" for floor, *_ in reached)
            with_table, without = (
                " / ".join(times(r) if r >= floor.least else f"**{times(r)}**" for floor, r in column)
                for column in ([(floor, a) for floor, a, *_ in reached], [(floor, b) for floor, _, b, _ in reached]))
            winners = [winner for *_, winner in reached]
            lines.append(f"| {group.work}, {unit}{labels} | {floors} | {with_table} | "
                         + (without if without != with_table else "") + " | "
                         + " / ".join(winners if len(set(winners)) > 1 else winners[:1]) + " |")
    return "\n".join(list(about) + [""] + lines) + "\n"


def fastest(results, libraries):
    """The library of the fastest peer, or where rows have others, those."""
    winners = [result.libraries[result.best(libraries)] for result in results if result.best(libraries)]
    return " and ".join(TITLES[library] for library in dict.fromkeys(winners))


def as_json(results, machine, measurement):
    rows = []
    for result in results:
        figures = {name: {"median": result.median(name), "least": min(values), "most": max(values),
                          "spread": result.spread(name), "repeats": values}
                   for name, values in result.figures.items()}
        floors = [{"work": group.work, "least": floor.least, "against": group.against,
                   "ratio": result.ratio(group.against)}
                  for group in groups() for floor in group.floors
                  if result.row in floor.rows and group.threads == result.threads]
        rows.append({"id": result.row.id, "threads": result.threads, "unit": result.row.unit,
                     "ours": result.ours, "best": result.best(EVERYONE), "ratio": result.ratio(EVERYONE),
                     "floors": floors, "figures": figures})
    return {"machine": machine, "versions": measurement.versions, "absent": measurement.absent,
            "failures": measurement.failures, "rows": rows}


def machine():
    """Processor, cores and the instruction sets that matter here."""
    try:
        with open("/proc/cpuinfo") as file:
            fields = dict(map(str.strip, line.split(":", 1)) for line in file if ":" in line)
        name, flags = fields.get("model name", platform.machine()), fields.get("flags", "").split()
    except OSError:
        query = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        name, flags = query.stdout.strip() or platform.machine(), []
    return {"processor": name, "cores": os.cpu_count(), "system": platform.system(), "machine": platform.machine(),
            "flags": [title for flag, title in (("avx2", "AVX2"), ("avx512f", "AVX-512")) if flag in flags]}
