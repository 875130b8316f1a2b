#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate-log killed 200 times under load: what a client saw accepted is recorded, and the log
stays whole."""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import events, tap
from harness.events import get
from harness.gateway import Gateway
from harness.tap import equal, none, true
from harness.traffic import Load, record_faults

KILLS = 200


def torn_bytes(gateway):
    """(number of starts that found a torn record, bytes they cut off)"""
    opened = [
        get(event, "millgate.log.torn_bytes", 0) for event in gateway.daemon.events("log-opened")
    ]
    return sum(1 for count in opened if count), sum(opened)


def torn_file(gateway):
    path = gateway.daemon.event_directory + "/log.torn"
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def tests(t):
    with Gateway("log", descriptor="fd") as gateway:
        load = Load(gateway.postfix.smtp_port)
        kill_under_load(gateway, load)
        load.wait_for(1)
        load.stop()
        gateway.postfix.wait_until_empty()

        with t.test(
            "After %d kills under load each message that a client saw accepted has its one event"
            % KILLS
        ):
            true(
                len(load.accepted) >= KILLS, "only %d messages were accepted" % len(load.accepted)
            )
            # An event may be there whose message was not: the daemon died between record and
            # answer.
            none(
                [
                    fault
                    for fault in record_faults(load.accepted, gateway.daemon)
                    if "was accepted" in fault
                ]
            )

        with t.test(
            "Clients that were not served were told to try again, none was refused for good"
        ):
            none([repr(reply) for reply in load.refused if not 400 <= reply.code < 500])
            none(load.broken)

        with t.test("Each start is recorded, and at most one torn record a kill was cut off"):
            equal(len(gateway.daemon.events("log-opened")), KILLS + 1, "starts")
            true(torn_bytes(gateway)[0] <= KILLS, "more torn records than kills")

        with t.test("Torn bytes are kept in NAME.torn and their number told by the next start"):
            before = torn_bytes(gateway)[1]
            gateway.daemon.kill()
            half = b'{"@timestamp":"2026-11-24T11:49:20.541392Z","ecs":{"vers'
            with open(gateway.daemon.event_directory + "/log.jsonl", "ab") as file:
                file.write(half)
            gateway.daemon.start()
            equal(torn_bytes(gateway)[1], before + len(half), "torn bytes told")
            true(half in torn_file(gateway), "the half record is not in log.torn")

        with t.test("The chain of hashes and the sequence hold over all starts"):
            gateway.daemon.events()
            result = gateway.daemon.verify()
            equal(result.returncode, 0, result.stdout.decode()[-1000:])

        with t.test("jq reads every file of the log"):
            for path in events.files(gateway.daemon.event_directory, "log"):
                result = subprocess.run(
                    ["jq", "-e", "-c", ".event.sequence", path],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
                equal(result.returncode, 0, "%s: %s" % (path, result.stderr.decode()))


def kill_under_load(gateway, load):
    """Kills and starts again; every time mail was accepted since the last start, the moment is
    random."""
    chooser = random.Random(4711)
    for _ in range(KILLS):
        load.wait_for(1)
        time.sleep(chooser.uniform(0, 0.02))
        gateway.daemon.kill()
        gateway.daemon.start()


tap.main(tests)
