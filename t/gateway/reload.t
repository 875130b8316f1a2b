#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate-log reloaded 100 times under load, once with a bad file."""
import hashlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import tap
from harness.events import get
from harness.gateway import Gateway
from harness.tap import equal, none, true
from harness.traffic import Load, record_faults

RELOADS = 100
BAD = 50
NETWORKS = 'internal_networks = { "127.0.0.1" }\n'


def settings(number):
    """A configuration that can be told from others by the trace ids it makes."""
    return 'gateway = "gateway-%d"\n' % number + NETWORKS


def trace_id(number, queue_id):
    return hashlib.sha256(("gateway-%d\0%s" % (number, queue_id)).encode()).hexdigest()[:32]


def tests(t):
    with Gateway("log", default_action="reject") as gateway:
        daemon = gateway.daemon
        load = Load(gateway.postfix.smtp_port, per_connection=4)
        load.wait_for(1)
        first_loaded = len(daemon.events("config-loaded"))
        for number in range(RELOADS):
            if number == BAD:
                examine_bad_file(t, gateway, load, number)
            else:
                daemon.configure(settings(number))
                daemon.reload()
                daemon.wait_for_events(
                    "config-loaded", first_loaded + number + (0 if number > BAD else 1)
                )
            load.wait_for(1)
        load.wait_for(20)
        load.stop()
        gateway.postfix.wait_until_empty()

        with t.test(
            "In %d reloads under load no message was refused and no connection lost" % RELOADS
        ):
            none([repr(reply) for reply in load.refused] + load.broken)
            true(len(load.accepted) >= RELOADS, "only %d messages were sent" % len(load.accepted))

        with t.test("Each accepted message has exactly one event"):
            none(record_faults(load.accepted, daemon))

        with t.test("After the last reload the last configuration judges"):
            equal(*judged_by(gateway, load.accepted[-1], RELOADS - 1))


def judged_by(gateway, queue_id, number):
    """The trace id of a message, the one that configuration `number` makes, and what they are."""
    event = [
        event
        for event in gateway.daemon.events("message-accepted")
        if get(event, "email.local_id") == queue_id
    ][0]
    return get(event, "trace.id"), trace_id(number, queue_id), "trace.id"


def examine_bad_file(t, gateway, load, number):
    daemon = gateway.daemon
    daemon.configure(settings(number) + 'bad_setting = "yes"\n')
    daemon.reload()

    with t.test("A bad file is refused with its file, line and setting"):
        event = daemon.wait_for_events("config-rejected")[0]
        equal(get(event, "event.outcome"), "failure", "event.outcome")
        equal(get(event, "millgate.config.file"), daemon.configuration, "file")
        told = "\n".join(get(event, "millgate.config.errors"))
        true("bad_setting" in told, "the error is not told: %r" % told)
        true("log.conf:4: " in told, "the line is not told: %r" % told)

    with t.test("After a bad file the old configuration still judges"):
        load.wait_for(20)
        equal(*judged_by(gateway, load.accepted[-1], number - 1))

    with t.test("`-t` finds the same error, and exits 78"):
        result = daemon.check()
        equal(result.returncode, 78, "exit status")
        true(
            b"bad_setting" in result.stdout + result.stderr,
            "output %r" % (result.stdout + result.stderr),
        )


tap.main(tests)
