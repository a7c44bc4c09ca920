# SPDX-License-Identifier: MIT
"""What bench-mount has measured: kept as lines of JSON, printed as a table."""
import json
import os
import statistics

import benchlib
import benchmount_cells as cells
from benchmount_systems import BASE

ENOUGH = 5  # rounds for a verdict


class Records:
    """Measurements of this build, those of the file among them."""

    def __init__(self, path, build):
        self.path, self.build = path, build
        self.found = []
        self.images = {}
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                rows = [json.loads(line) for line in f if line.strip()]
            self.found = [r for r in rows if r["build"] == self.build]

    def add(self, record):
        record["build"] = self.build
        self.found.append(record)
        if self.path:
            with open(self.path, "a", encoding="utf-8") as f:
                f.write(json.dumps(record) + "\n")

    def note_image(self, corpus, system, size):
        self.images[corpus, system] = size

    def of_cell(self, cell, system):
        """{round: record}"""
        return {r["round"]: r for r in self.found
                if r["system"] == system and (r["corpus"], r["test"],
                                              r["state"]) == cell[:3]}

    def rounds_of(self, corpus, test, names):
        """Rounds of a test that all of these systems have taken part in."""
        done = None
        for name in names:
            rounds = {r["round"] for r in self.found
                      if (r["corpus"], r["test"], r["system"]) ==
                      (corpus, test, name)}
            done = rounds if done is None else done & rounds
        return len(done or ())


def verdict(cell, ratios, tails):
    """The ratio's and, where there is one, that of the longest reads."""
    if cell.bound is None:
        return ""
    _, low, high = benchlib.confidence(ratios)
    said = benchlib.judge(low, high, cell.bound, cell.fewer_is_better())
    if cell.p99:
        _, low, high = benchlib.confidence(tails)
        said += ", p99 " + benchlib.judge(low, high, cell.p99, True)
    if len(ratios) < ENOUGH:
        said += " (rounds: %d)" % len(ratios)
    return said


def bound_text(cell):
    if cell.bound is None:
        return ""
    text = "%s %g" % ("<=" if cell.fewer_is_better() else ">=", cell.bound)
    if cell.p99:
        text += ", p99 <= %g ms" % cell.p99
    return text


def row(cell, system, title, base, own):
    """base, own: {round: record}"""
    digits = 3 if cell.unit == "s" else 0
    values = [r["value"] for r in own.values()]
    tails = [r["p99"] for r in own.values() if "p99" in r]
    used = [r["cpu"] for r in own.values() if "cpu" in r]
    peaks = [r["peak"] for r in own.values() if r["peak"]]
    ratios = [own[n]["value"] / base[n]["value"] for n in own if n in base]
    judged = system.own and ratios
    return [cell.corpus, title, cell.state, system.name,
            "%s %s" % (benchlib.spread(values, digits), cell.unit),
            "%.2f" % statistics.median(tails) if tails else "",
            "%.2f" % statistics.median(used) if used else "",
            benchlib.interval(ratios) if ratios and base is not own else "",
            bound_text(cell) if system.own else "",
            "%g" % cell.aim if system.own and cell.aim else "",
            verdict(cell, ratios, tails) if judged else "",
            "%.0f" % max(peaks) if peaks else ""]


def rows_of(run):
    rows = []
    for cell in cells.CELLS:
        if (cell.corpus, cell.test) not in run.tests:
            continue
        title = cells.TITLES[cell.test]
        if "%s" in title:
            title %= run.trees[cell.corpus].part
        base = run.records.of_cell(cell, BASE)
        for system in run.systems:
            own = base if system.name == BASE else \
                run.records.of_cell(cell, system.name)
            if own:
                rows.append(row(cell, system, title, base, own))
    return rows


def notes_of(run):
    rounds = {run.records.rounds_of(c, t, [s.name for s in run.systems])
              for c, t in run.tests}
    notes = ["rounds: %s; medians (min..max); ratios with the interval that "
             "holds their median with 93 %%; CPU: of readers and server, "
             "without threads of the kernel" %
             " to ".join(str(n) for n in sorted({min(rounds), max(rounds)}))]
    for system in run.systems:
        sizes = ", ".join("%s: %d bytes" % (corpus, size)
                          for (corpus, name), size
                          in run.records.images.items() if name == system.name)
        notes.append("%s: %s; image by `%s` (%s); `%s`" % (
            system.name, benchlib.version(system.version),
            short(system.make), sizes, short(system.mount)))
    return notes


def short(command):
    """Programs by their names alone."""
    first, _, rest = command.partition(" ")
    return os.path.basename(first) + " " + rest


def print_table(run):
    rows = rows_of(run)
    if rows:
        benchlib.table("Mounted reads", notes_of(run),
                       ["corpus", "test", "state", "file system",
                        "median (min..max)", "p99 ms", "CPU s", "to " + BASE,
                        "bound", "aim", "verdict", "server's peak RSS MiB"],
                       rows)
