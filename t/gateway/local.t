#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Mail by sendmail(1) before a filter that refuses: Postfix never gets an answer that it would
retry for ever."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import tap, wait
from harness.gateway import Gateway
from harness.mail import compose
from harness.tap import equal, none

SENDER = "cron@example.org"
REFUSED = "reject-rcpt@example.net"  # what millgate-probe does when it sees this recipient
GOOD = "good@example.net"


def submit(gateway, name, recipients, sender=SENDER, probe=None):
    """Submits one message, waits until Postfix is done with it; returns what arrived since:
    (message id, delivered)."""
    count = gateway.sink.count()
    message_id, content = compose(
        name, extra=b"X-Probe: %s\r\n" % probe.encode() if probe else b""
    )
    gateway.postfix.sendmail(content.replace(b"\r\n", b"\n"), recipients, sender)
    wait.until(
        lambda: gateway.sink.count() > count,
        lambda: "mail at the sink; " + gateway.postfix.log.tail(),
    )
    gateway.postfix.wait_until_empty()
    return message_id, gateway.sink.messages()[count:]


def bounced(t, sentence, gateway, *message, **options):
    with t.test(sentence):
        message_id, arrived = submit(gateway, *message, **options)
        equal(
            [(each.sender, each.recipients) for each in arrived], [("", [SENDER])], "what arrived"
        )
        none(
            []
            if message_id.encode() in arrived[0].content
            else ["the bounce does not contain the message"]
        )


def delivered(t, sentence, gateway, *message, to, **options):
    with t.test(sentence):
        message_id, arrived = submit(gateway, *message, **options)
        equal([each.recipients for each in arrived], [to], "what arrived")
        equal(arrived[0].header("Message-ID"), ["<%s>" % message_id], "Message-ID")


def tests(t):
    with Gateway("probe") as gateway:
        delivered(
            t,
            "A recipient that is refused is left out, the others get the message",
            gateway,
            "one-refused",
            [REFUSED, GOOD],
            to=[GOOD],
        )
        bounced(
            t,
            "With every recipient refused the message is refused as a whole, and the sender told",
            gateway,
            "all-refused",
            [REFUSED],
        )
        bounced(
            t,
            "A message that is refused becomes a bounce",
            gateway,
            "refused",
            [GOOD],
            probe="reject",
        )
        for command in ("reject", "tempfail", "discard"):
            delivered(
                t,
                "With the null sender a message is delivered though a filter says " + command,
                gateway,
                "null-" + command,
                [GOOD],
                sender="",
                probe=command,
                to=[GOOD],
            )
        delivered(
            t,
            "With the null sender a refused recipient is kept when there is no other",
            gateway,
            "null-rcpt",
            [REFUSED],
            sender="",
            to=[REFUSED],
        )

        with t.test("Postfix found no fault with the filter and retried nothing"):
            none(
                gateway.postfix.log.find(
                    r"warning: .*milter|configuration error|milter-reject: (CONNECT|EHLO|MAIL|RCPT)"
                )
            )


tap.main(tests)
