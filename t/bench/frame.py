# SPDX-License-Identifier: ISC
"""The frame of all benches: what is compared is run in turns, round after round, so that what the
machine does besides falls on all alike; a figure is the median of its rounds."""
import os
import platform
import shutil
import statistics
import time


class Bench:
    """One bench: its measures, its goals, and peers that were not there."""

    def __init__(self, name, title, rounds=5):
        self.name = name
        self.title = title
        self.rounds = rounds
        self.measures = []
        self.goals = []
        self.missing = []

    def peer(self, program):
        """Path of a program to compare with, or None, which the table tells."""
        path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if path is None and program not in self.missing:
            self.missing.append(program)
        return path

    def measure(self, title, unit, variants, limit=None, rounds=None):
        """variants: name to function, which runs once and returns a number. limit: the name of the
        variant that is the bare operation. Returns name to median."""
        values = {name: [] for name in variants}
        for _ in range(rounds or self.rounds):
            for name, run in variants.items():
                values[name].append(run())
        self.measures.append({"title": title, "unit": unit, "limit": limit, "rounds": values})
        return {name: statistics.median(each) for name, each in values.items()}

    def goal(self, title, value, at_most=None, at_least=None):
        met = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
        self.goals.append(
            {"title": title, "value": value, "at_most": at_most, "at_least": at_least, "met": met}
        )

    # --- what it found ---

    def lines(self):
        yield "%s: %s" % (self.name, self.title)
        for measure in self.measures:
            yield ""
            yield from measure_lines(measure)
        if self.goals:
            yield ""
            yield "%-50s %8s %s" % ("", "found", "wanted")
        for goal in self.goals:
            yield from goal_lines(goal)
        if self.missing:
            yield "not installed, so not compared: %s (./bootstrap bench)" % ", ".join(self.missing)

    def record(self):
        measures = [
            dict(
                measure,
                medians={name: statistics.median(each) for name, each in measure["rounds"].items()},
            )
            for measure in self.measures
        ]
        return {
            "name": self.name,
            "title": self.title,
            "measures": measures,
            "goals": self.goals,
            "missing": self.missing,
        }


def measure_lines(measure):
    """A table: median, lowest, highest, and how many times the limit."""
    rounds, limit = measure["rounds"], measure["limit"]
    yield "%-41s %9s %9s %9s %8s" % (
        "%s (%s)" % (measure["title"], measure["unit"]),
        "median",
        "lowest",
        "highest",
        "x limit" if limit else "",
    )
    for name, each in rounds.items():
        ratio = ""
        if limit and statistics.median(rounds[limit]) > 0:
            ratio = "%.2f" % (statistics.median(each) / statistics.median(rounds[limit]))
        figures = (number(statistics.median(each)), number(min(each)), number(max(each)))
        yield ("  %-39s %9s %9s %9s %8s" % ((name,) + figures + (ratio,))).rstrip()


def goal_lines(goal):
    if goal["at_most"] is not None:
        bound = "<= " + number(goal["at_most"])
    else:
        bound = ">= " + number(goal["at_least"])
    verdict = "met" if goal["met"] else "not met"
    yield "%-50s %8s %-10s %s" % (goal["title"], number(goal["value"]), bound, verdict)


def number(value):
    """Three digits that count."""
    if value >= 100:
        return "%.0f" % value
    return "%.1f" % value if value >= 10 else "%.2f" % value


def machine():
    """What the figures were taken on."""
    with open("/proc/loadavg") as file:
        load = file.read().split()[0]
    return {
        "system": platform.release(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "load": float(load),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
