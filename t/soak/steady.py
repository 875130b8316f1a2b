# SPDX-License-Identifier: ISC
"""What a daemon holds of the machine - memory, threads, descriptors - and that it stays."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
import machine

MESSAGES = int(os.environ.get("SOAK_MESSAGES", "200000"))
CONNECTIONS = 6
GROWTH = 1.05


class Held:
    """A look at a daemon that nobody is connected to."""

    def __init__(self, pid):
        self.threads = machine.settled(lambda: machine.threads(pid))
        self.descriptors = machine.settled(lambda: machine.descriptors(pid))
        self.resident = machine.resident_kib(pid)

    def __str__(self):
        return "%d KiB, %d threads, %d descriptors" % (
            self.resident,
            self.threads,
            self.descriptors,
        )


def start(engine):
    """millgate-log with small segments, so that many are sealed and some trimmed."""
    return machine.daemon(
        "millgate-log",
        "millgate-log",
        settings='engine = "%s"' % engine,
        events_settings='\tsegment = "4M"\n\tkeep = "64M"',
    )


def mail(daemon, count):
    """Sends messages, one, ten, a hundred on a connection."""
    for each in (1, 10, 100):
        machine.load(machine.endpoint(daemon), max(1, count // 3), each, CONNECTIONS)
