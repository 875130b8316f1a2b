#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A thousand reloads while mail flows, with both engines."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import steady
from harness import tap, wait
from harness.tap import equal, true
from steady import Held, machine

RELOADS = 1000
WARM = 100
WARM_MESSAGES = 15000
BURST = 5000  # messages of one run of load


def tests(t):
    for engine in machine.ENGINES:
        test_engine(t, engine)


class Mail:
    """Mail that does not end before it is told to."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.child = None
        self.bursts = 0

    def flow(self):
        """Called often: starts the next burst when one is over."""
        if self.child is None or self.child.poll() is not None:
            self.end()
            where = machine.endpoint(self.daemon)
            self.child = machine.loading(where, BURST, 10, steady.CONNECTIONS)
            self.bursts += 1

    def end(self):
        if self.child is not None:
            _, trouble = self.child.communicate()
            equal(self.child.returncode, 0, "load: " + trouble.decode())
        self.child = None


def loaded(daemon):
    return daemon.log().count("\n")


def reload(daemon, mail, count):
    """Reloads one after the other: a signal that waits takes no second one."""
    for _ in range(count):
        mail.flow()
        before = loaded(daemon)
        daemon.reload()
        wait.until(lambda: loaded(daemon) > before, "a line about the reload", pause=0.002)


def test_engine(t, engine):
    daemon = steady.start(engine)
    mail = Mail(daemon)
    first = Held(daemon)
    steady.mail(daemon, WARM_MESSAGES)
    reload(daemon, mail, WARM)
    mail.end()
    warm = Held(daemon, first)
    reload(daemon, mail, RELOADS - WARM)
    mail.end()
    last = Held(daemon, first)
    t.diag("%s, at start: %s" % (engine, first))
    t.diag("%s, after %d reloads: %s" % (engine, WARM, warm))
    t.diag("%s, after %d reloads, %d messages: %s" % (engine, RELOADS, mail.bursts * BURST, last))

    with t.test("%s: memory is within 5 %% of that after %d reloads" % (engine, WARM)):
        true(last.resident <= warm.resident * steady.GROWTH, "from %s to %s" % (warm, last))

    with t.test("%s: threads and descriptors are those of the start" % engine):
        equal(last.counts(), first.counts(), "threads, descriptors")

    with t.test("%s: the event log verifies, and the daemon ends with 0" % engine):
        equal(daemon.stop(), 0, "exit status; " + daemon.log()[-1000:])
        verified = daemon.verify()
        equal(verified.returncode, 0, verified.stdout.decode()[-1000:])


tap.main(tests)
