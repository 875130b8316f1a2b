#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate-log and millgate-dkim whose disk is full: on_error decides, and what was lost is told
once there is room again."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import children, tap, wait
from harness.events import get
from harness.gateway import Gateway
from harness.letters import AUTHOR
from harness.mail import Client, compose
from harness.signing import Signing
from harness.tap import Skip, equal, none, true
from harness.traffic import record_faults

SIZE = "1m"


def send(gateway, name):
    """One message; the final reply."""
    with Client(gateway.postfix.smtp_port) as client:
        client.ehlo()
        _, content = compose(
            name, subject="a subject of some length, so that the last page of the disk fills soon"
        )
        return client.message("full@example.com", ["to@example.org"], content)[0]


def fill(path):
    """Takes all room that is left."""
    with open(path, "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)) == 4096:
                pass
        except OSError:
            pass


def gateway_on_small_disk(on_error):
    disk = children.temporary_directory("small")
    if not children.small_disk(disk, SIZE):
        raise Skip("a tmpfs cannot be mounted here")
    return Gateway("log", 'on_error = "%s"\n' % on_error, event_directory=disk), disk


def until_full(gateway, done):
    """Sends until done(replies) is true: the last page takes some records even on a full disk."""
    replies = []
    while not done(replies):
        true(len(replies) < 100, "100 messages were recorded on a full disk")
        replies.append(send(gateway, "full-%d" % len(replies)))
    return replies


def tempfail(t):
    gateway, disk = gateway_on_small_disk("tempfail")
    with gateway:
        replies = [send(gateway, "before")]
        fill(disk + "/filler")
        replies += until_full(
            gateway, lambda replies: sum(1 for reply in replies if not reply.good) >= 10
        )
        deferred = [reply for reply in replies if not reply.good]

        with t.test(
            'on_error = "tempfail": a message that cannot be recorded is told to try again'
        ):
            none([repr(reply) for reply in deferred if reply.code != 451])
            equal(
                len([reply for reply in replies[-10:] if reply.good]), 0, "accepted on a full disk"
            )

        with t.test("On a full disk the log ends in a whole record"):
            none(
                record_faults([reply.queue_id for reply in replies if reply.good], gateway.daemon)
            )
            with open(disk + "/log.jsonl", "rb") as file:
                true(file.read().endswith(b'"}}\n'), "a record was left half written")

        os.unlink(disk + "/filler")
        with t.test(
            "With room again messages are accepted, and events-lost tells how many are missing"
        ):
            replies.append(send(gateway, "after"))
            true(replies[-1].good, "still refused: %r" % replies[-1])
            lost = gateway.daemon.wait_for_events("events-lost")
            true(
                sum(get(event, "millgate.lost.count") for event in lost) >= len(deferred),
                "%d deferred, told %r"
                % (len(deferred), [get(event, "millgate.lost") for event in lost]),
            )
            none(
                record_faults([reply.queue_id for reply in replies if reply.good], gateway.daemon)
            )

        with t.test("millgate-log --verify passes afterwards"):
            verified = gateway.daemon.verify()
            true(b"lost" in verified.stdout or verified.returncode == 0, verified.stdout.decode())


def accept(t):
    gateway, disk = gateway_on_small_disk("accept")
    with gateway:
        fill(disk + "/filler")
        recorded = None

        def stands_still(replies):
            nonlocal recorded
            before, recorded = recorded, len(gateway.daemon.events("message-accepted"))
            return len(replies) >= 10 and before == recorded

        replies = until_full(gateway, stands_still)
        replies += [send(gateway, "more-%d" % number) for number in range(10)]

        with t.test('on_error = "accept": mail flows though nothing can be recorded'):
            none([repr(reply) for reply in replies if not reply.good])
            equal(
                len(gateway.daemon.events("message-accepted")), recorded, "events on a full disk"
            )

        os.unlink(disk + "/filler")
        with t.test("With room again events-lost accounts for every message without an event"):
            true(send(gateway, "after").good, "a message is refused")
            lost = gateway.daemon.wait_for_events("events-lost")
            missing = len(replies) + 1 - len(gateway.daemon.events("message-accepted"))
            true(missing >= 10, "only %d messages have no event" % missing)
            true(
                sum(get(event, "millgate.lost.count") for event in lost) >= missing,
                "%d missing, told %r" % (missing, [get(event, "millgate.lost") for event in lost]),
            )


def counted(daemon):
    """The signatures that its counters have, as they were written last."""
    path = "%s/%s.prom" % (daemon.directory, daemon.short)
    if not os.path.exists(path):
        return 0
    with open(path) as file:
        rows = re.findall(r"^millgate_messages_signed_total\{.*\} (\d+)$", file.read(), re.M)
    return sum(int(value) for value in rows)


def signer(t):
    disk = children.temporary_directory("small")
    if not children.small_disk(disk, SIZE):
        raise Skip("a tmpfs cannot be mounted here")
    with Signing(event_directory=disk) as gateway:

        def one(name):
            return gateway.send(compose(name, sender=AUTHOR)[1])

        replies = [one("before")]
        fill(disk + "/filler")
        while sum(not reply.good for reply in replies) < 10 and len(replies) < 100:
            replies.append(one("full-%d" % len(replies)))
        os.unlink(disk + "/filler")
        replies.append(one("after"))
        accepted = [reply for reply in replies if reply.good]

        with t.test("A message whose signature cannot be told is not accepted"):
            equal(len(gateway.daemon.events("message-signed")), len(accepted), "events")
            true(len(accepted) <= len(replies) - 10, "all are accepted")
            none([repr(reply) for reply in replies if reply.code not in (250, 451)])
            gateway.arrived(len(accepted))

        with t.test("Counters have what events have"):
            # They are written now and then.
            wait.until(lambda: counted(gateway.daemon) >= len(accepted), "the counters")
            equal(counted(gateway.daemon), len(accepted), "signatures counted")


def tests(t):
    tap.needs_root("a tmpfs is mounted")
    tempfail(t)
    accept(t)
    signer(t)


tap.main(tests)
