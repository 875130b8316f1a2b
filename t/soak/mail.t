#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A day's mail through one daemon, $SOAK_MESSAGES of it, with both engines."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import steady
from harness import tap
from harness.tap import equal, true
from steady import MESSAGES, Held

WARM = min(20000, MESSAGES // 10)


def tests(t):
    for engine in steady.machine.ENGINES:
        test_engine(t, engine)


def test_engine(t, engine):
    daemon = steady.start(engine)
    first = Held(daemon)
    steady.mail(daemon, WARM)
    warm = Held(daemon, first)
    steady.mail(daemon, MESSAGES - WARM)
    last = Held(daemon, first)
    t.diag("%s, at start: %s" % (engine, first))
    t.diag("%s, after %d messages: %s" % (engine, WARM, warm))
    t.diag("%s, after %d messages: %s" % (engine, MESSAGES, last))

    with t.test("%s: memory is within 5 %% of that after %d messages" % (engine, WARM)):
        true(last.resident <= warm.resident * steady.GROWTH, "from %s to %s" % (warm, last))

    with t.test("%s: threads and descriptors are those of the start" % engine):
        equal(last.counts(), first.counts(), "threads, descriptors")

    with t.test("%s: the event log verifies, and the daemon ends with 0" % engine):
        equal(daemon.stop(), 0, "exit status; " + daemon.log()[-1000:])
        verified = daemon.verify()
        equal(verified.returncode, 0, verified.stdout.decode()[-1000:])


tap.main(tests)
