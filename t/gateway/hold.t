#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A message that a filter holds is in Postfix's hold queue, in both ways of holding."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import milter, tap, wait
from harness.events import get
from harness.gateway import SETTINGS, SOURCE, Gateway
from harness.mail import Client, compose
from harness.tap import equal, none, true

CODE = "test-code"
PROBE = (
    "X-Probe: hold %s\r\n" % CODE
).encode()  # what the test filter does with a message that says so
FIELD = "X-Millgate-Hold"


def send(gateway, name, extra=b""):
    """One message; its queue id and what was sent."""
    message_id, content = compose("hold-" + name, body=b"The whole body.\r\n" * 20, extra=extra)
    with Client(gateway.postfix.smtp_port) as client:
        client.ehlo()
        reply, _ = client.message("from@example.com", ["to@example.org"], content)
        equal(reply.code, 250, "reply %r" % reply)
    return reply.queue_id, content


def held(gateway):
    return [
        entry["queue_id"] for entry in gateway.postfix.queue() if entry["queue_name"] == "hold"
    ]


def two_filters(way, **postfix):
    """millgate-probe, which holds, and after it millgate-log."""
    gateway = Gateway("log", **postfix)
    directory = gateway.directory + "/probe"
    os.mkdir(directory)
    gateway.probe = milter.Daemon(
        "millgate-probe", gateway.postfix, directory, SETTINGS + 'hold = "%s"\n' % way
    )
    gateway.attach([gateway.probe, gateway.daemon])
    gateway.probe.start()
    return gateway


def body(content):
    return content.split(b"\r\n\r\n", 1)[1]


def by_quarantine(t):
    with two_filters("quarantine") as gateway:
        queue_id, _ = send(gateway, "quarantine", PROBE)
        passed, _ = send(gateway, "passed")

        with t.test(
            "Held by quarantine, a message is in the hold queue without any setting in main.cf"
        ):
            equal(held(gateway), [queue_id], "hold queue")

        with t.test("The filter that held says so, with its code and the queue id"):
            event = gateway.probe.wait_for_events("message-held")[0]
            equal(
                (get(event, "email.local_id"), get(event, "millgate.hold.code")),
                (queue_id, CODE),
                "queue id, code",
            )

        with t.test("After a quarantine no later filter sees the message, and other mail goes on"):
            gateway.postfix.wait_until_empty()
            recorded = gateway.daemon.wait_for_events("message-accepted")
            equal(
                [get(event, "email.local_id") for event in recorded],
                [passed],
                "recorded by millgate-log",
            )
        gateway.probe.stop()


def by_header(t):
    checks = "regexp:" + SOURCE + "/etc/hold.regexp"
    with two_filters("header", milter_header_checks=checks) as gateway:
        queue_id, content = send(gateway, "header", PROBE)

        with t.test("Held by header, a message is in the hold queue, and the log tells the code"):
            equal(held(gateway), [queue_id], "hold queue")
            true(
                gateway.postfix.log.find(
                    r"%s: milter-header-hold: .*millgate %s" % (queue_id, CODE)
                ),
                gateway.postfix.log.tail(),
            )

        with t.test("The next filter still sees a held message whole"):
            event = gateway.daemon.wait_for_events("message-accepted")[0]
            equal(get(event, "email.local_id"), queue_id, "queue id")
            true(
                get(event, "millgate.smtp.size") >= len(content),
                "size %r" % get(event, "millgate.smtp.size"),
            )

        with t.test("Released, it arrives whole and without the field that held it"):
            gateway.postfix.command("postsuper", "-c", gateway.postfix.directory, "-H", queue_id)
            gateway.postfix.command("postqueue", "-c", gateway.postfix.directory, "-f")
            arrived = wait.until(gateway.sink.messages, "the released message at the sink")[0]
            equal(body(arrived.content), body(content), "body")
            equal(arrived.header(FIELD), [], FIELD)

        with t.test("A client that sends the field itself holds nothing"):
            queue_id, _ = send(gateway, "forged", b"X-Millgate-Hold: test-code\r\n")
            gateway.postfix.wait_until_empty()
            none(held(gateway))
            true(gateway.postfix.log.find(queue_id + ": removed"), gateway.postfix.log.tail())
        gateway.probe.stop()


def tests(t):
    by_quarantine(t)
    by_header(t)


tap.main(tests)
