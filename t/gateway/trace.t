#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate trace over real mail: each message through a Postfix, millgate-log and a foreign milter
has its story, as millgate-log and millgate-track have it."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import tap, wait
from harness.foreign import Foreign
from harness.gateway import OUTSIDE, Gateway
from harness.mail import Client, compose
from harness.tap import equal, true
from harness.told import Teller
from harness.track import Tracker

DOWN = "127.0.0.1:9"  # nobody listens there
SLOW = "carl@slow.example.org"  # goes there
ANN, GONE = "ann@example.org", "reply-550@example.org"


class Place(Gateway):
    """log, then a foreign milter; track; the command."""

    def __init__(self):
        super().__init__(
            "log",
            transport_maps="inline:{ { slow.example.org = smtp:[%s]:%s } }"
            % tuple(DOWN.split(":")),
        )
        self.foreign = Foreign(self.postfix)
        self.attach([self.daemon, self.foreign])
        self.tracker = Tracker(self)
        self.teller = Teller(self.daemon.event_directory)

    def __enter__(self):
        super().__enter__()
        self.tracker.start()
        return self

    def __exit__(self, failure, *rest):
        super().__exit__(failure, *rest)
        status = self.tracker.stop() if self.tracker.running() else 0
        self.foreign.stop()
        if failure is None:
            equal(status, 0, "millgate-track")

    def send(self, number, recipients, extra=b""):
        """One message; the last reply."""
        with Client(self.postfix.smtp_port) as client:
            client.ehlo()
            content = compose(number, sender="author@example.org", extra=extra)[1]
            reply, _ = client.message("from@example.org", list(recipients), content)
            client.quit()
        return reply

    def command(self, name, *arguments):
        self.postfix.command(name, "-c", self.postfix.directory, *arguments)

    def until_told(self, key, pattern):
        """What trace prints, once it has this in it."""

        def told():
            text = self.teller.run("trace", key).stdout
            return text if re.search(pattern, text, re.M) else None

        return wait.until(
            told, lambda: "%s: %s" % (pattern, self.teller.run("trace", key).stdout), pause=0.2
        )


def whos(told):
    """The second column of a story."""
    return re.findall(r"^\d\d:\d\d:\d\d(?:\.\d+)? +(\S+)", told, re.M)


def three_recipients(t, place):
    queue_id = place.send("three", [ANN, GONE, SLOW]).queue_id
    told = place.until_told(queue_id, r"^1 bounced, 1 deferred, 1 delivered of 3 recipients")
    with t.test("A message to three: one bounced, one deferred, one delivered"):
        place.teller.told("trace", queue_id, status=2)
        true("postqueue -i " + queue_id in told, told)

    for daemon in place.daemon, place.tracker:
        equal(daemon.stop(), 0, daemon.name)
        daemon.start()
    place.postfix.configure(transport_maps="")
    wait.until(
        lambda: place.command("postqueue", "-f") or not place.postfix.queue(),
        "the message to leave",
        pause=0.5,
    )
    told = place.until_told(queue_id, r"^1 bounced, 2 delivered of 3 recipients$")
    with t.test("With each daemon restarted meanwhile the story is whole"):
        told = place.until_told(queue_id, r"sender told by\s+\w+, delivered \d\d:\d\d:\d\d")
        got = whos(told)
        equal(got[0], "log", "first")
        equal(
            sorted(set(got)), ["bounced", "deferred", "delivered", "log"], "who and what\n" + told
        )
        equal(got.count("delivered"), 2, told)
        true('"550 5.7.1 as the recipient says"' in told, told)
        true("%s for" % ANN not in told and SLOW in told, told)

    with t.test("It is found by Message-ID, recipient, and the queue id of its bounce"):
        bounce = re.search(r"told by\s+(\w+),", told).group(1)
        message_id = re.search(r"<(three@[^>]+)>", told).group(1)
        for key in message_id, "<%s>" % message_id, GONE, SLOW.upper(), bounce:
            equal(place.teller.told("trace", key, status=2), told, key)


def refused_before_a_queue_id(t, place):
    with Client(place.postfix.smtp_port, source=OUTSIDE) as client:
        client.ehlo()
        client.message("dora@example.net", ["far@example.com"], compose("relay")[1])
        key = "%s:%d" % (client.address, client.port)
        client.quit()
    told = place.until_told("dora@example.net", "^Rejected at RCPT, once: ")
    with t.test("A refusal before there is a queue id: exit 2, who and what, by address and client"):
        true("Relay access denied" in re.sub(r"\s+", " ", told), told)
        true("rejected dora@example.net -> far@example.com" in told, told)
        true(", client %s" % key in told, told)
        equal(place.teller.told("trace", key, status=2), told, "by client")


def login_failed(t, place):
    with Client(place.postfix.submission_port) as client:
        client.ehlo()
        client.starttls()
        client.ehlo()
        client.auth("acme-app", "wrong")
        key = "%s:%d" % (client.address, client.port)
        client.quit()
    told = place.until_told(key, "^Log-in failed, once$")
    with t.test("A failed log-in: exit 2"):
        equal(whos(told), ["auth"], told)
        place.teller.told("trace", key, status=2)


def held_then_released(t, place):
    queue_id = place.send("held", [ANN], b"X-Foreign: hold\r\n").queue_id
    told = place.until_told(queue_id, "^Held: ")
    with t.test("A held message: exit 1, and how it is released"):
        true("sudo postsuper -H " + queue_id in told, told)
        place.teller.told("trace", queue_id, status=1)

    place.command("postsuper", "-H", queue_id)
    place.command("postqueue", "-f")
    told = place.until_told(queue_id, "^Delivered: " + ANN)
    with t.test("Held, released, delivered"):
        equal(whos(told), ["log", "held", "released", "delivered"], told)
        place.teller.told("trace", queue_id)


def refused_behind_log(t, place):
    reply = place.send("virus", [ANN, GONE], b"X-Foreign: reject\r\n")
    equal(reply.code, 550, "reply %r" % reply)
    line = place.postfix.log.wait_for("message-id=<virus@")[0]
    queue_id = line.split("]: ", 1)[1].split(":", 1)[0]
    told = place.until_told(queue_id, "^2 rejected of 2 recipients at end of message: ")
    with t.test("Refused by another milter behind millgate-log: accepted, then rejected; exit 2"):
        equal(whos(told), ["log", "milter"], told)
        true("virus found" in told, told)
        place.teller.told("trace", queue_id, status=2)


def list_of_all(t, place):
    with t.test("The sender's messages are a list, the newest first"):
        told = place.teller.told("trace", "from@example.org", status=2)
        states = re.findall(r"(?:bounced|delivered|rejected|held)(?= +from@)", told)
        equal(states, ["rejected", "delivered", "bounced"], told)

    with t.test("events has them all"):
        told = place.teller.told("events", "--since", "1h", "--action", "accepted")
        equal(len(re.findall(r"accepted", told)), 3, told)

    with t.test("Of a rotated log the same is told"):
        for daemon in place.daemon, place.tracker:
            daemon.stop()
        before = place.teller.told("trace", GONE, status=2)
        directory = place.daemon.event_directory
        for name in "log", "track":
            os.rename(
                "%s/%s.jsonl" % (directory, name), "%s/%s-%020d.jsonl" % (directory, name, 1)
            )
        equal(place.teller.told("trace", GONE, status=2), before, "story")
        true(os.path.exists("%s/log-%020d.idx" % (directory, 1)), "index")


def tests(t):
    with Place() as place:
        three_recipients(t, place)
        refused_before_a_queue_id(t, place)
        login_failed(t, place)
        held_then_released(t, place)
        refused_behind_log(t, place)
        list_of_all(t, place)


tap.main(tests)
