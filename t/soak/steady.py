# SPDX-License-Identifier: ISC
"""What a daemon holds of the machine - memory, threads, descriptors - and that it stays."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
import machine
from harness import wait

MESSAGES = int(os.environ.get("SOAK_MESSAGES", "200000"))
CONNECTIONS = 8
GROWTH = 1.05
LOOKS = 6
BETWEEN = 1500  # messages: some looks see no segment being sealed
IDLE_SECONDS = 2.5  # a thread without connection ends


class Held:
    """What a daemon holds once nobody is connected to it.

    first: the look at its start, to whose threads and descriptors it is given time to come back: a
    sealed segment is closed a moment later, a thread waits for its next connection. Memory is the
    lowest of some looks with mail of several segments between them: the index of the segment that
    is written is kept until that is sealed.
    """

    def __init__(self, daemon, first=None):
        pid = daemon.child.pid
        self.settle(pid, first)
        for _ in range(LOOKS if first else 0):
            before = self.resident
            machine.load(machine.endpoint(daemon), BETWEEN, 10, CONNECTIONS)
            self.settle(pid, first)
            self.resident = min(self.resident, before)

    def settle(self, pid, first):
        deadline = time.monotonic() + wait.GENEROUS
        while True:
            self.threads, self.descriptors = machine.threads(pid), machine.descriptors(pid)
            if first is None or self.counts() == first.counts() or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        self.resident = machine.resident_kib(pid)

    def counts(self):
        return self.threads, self.descriptors

    def __str__(self):
        counts = (self.resident,) + self.counts()
        return "%d KiB, %d threads, %d descriptors" % counts


def start(engine):
    """millgate-log with small segments, so that many are sealed and some trimmed."""
    daemon = machine.daemon(
        "millgate-log",
        "millgate-log",
        settings='engine = "%s"' % engine,
        events_settings='\tsegment = "4M"\n\tkeep = "64M"',
    )
    # An engine starts its threads with the first connections.
    machine.load(machine.endpoint(daemon), 10, 1, 2)
    time.sleep(IDLE_SECONDS)
    pid = daemon.child.pid
    machine.settled(lambda: (machine.threads(pid), machine.descriptors(pid)))
    return daemon


def mail(daemon, count):
    """Sends messages, one, ten, a hundred on a connection."""
    for each in (1, 10, 100):
        machine.load(machine.endpoint(daemon), max(1, count // 3), each, CONNECTIONS)
