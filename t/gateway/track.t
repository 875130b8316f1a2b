#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The story of each message: a filter that holds, millgate-dkim, millgate-log and a foreign milter
before a Postfix, and millgate-track behind it."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import events, milter, tap, wait
from harness.events import get
from harness.foreign import Foreign
from harness.gateway import OUTSIDE, SETTINGS, SOURCE, Gateway, schema
from harness.mail import Client, compose
from harness.signing import Signing
from harness.tap import equal, none, true
from harness.track import Tracker

CHECKS = "regexp:" + SOURCE + "/etc/hold.regexp"
DOWN = "127.0.0.1:9"  # nobody listens there
SLOW = "carl@slow.example.org"  # goes there
LOG_SETTINGS = 'on_error = "accept"\n'
OWN = 'expect = { "dkim", "log" }\nexpect_within = "2s"\noverdue = "%s"\n'
PASSED = ["message-passed", "message-signed", "message-accepted"]  # probe, dkim, log
HOLD = b"X-Probe: hold test-code\r\n"  # what the test filter does with a message that says so


class Place(Signing):
    """probe, dkim, log, foreign; track. Events are in one directory; track takes the test filter for
    dlp."""

    def __init__(self, overdue="1h", **postfix):
        super().__init__(
            transport_maps="inline:{ { slow.example.org = smtp:[%s]:%s } }"
            % tuple(DOWN.split(":")),
            milter_header_checks=CHECKS,
            default_destination_rate_delay="0s",
            **postfix
        )
        self.probe = self._filter("probe", 'hold = "header"\n')
        self.log = self._filter("log", LOG_SETTINGS)
        self.foreign = Foreign(self.postfix)
        self.filters = [self.probe, self.daemon, self.log]
        self.attach(self.filters + [self.foreign])
        self.tracker = Tracker(self, own=OWN % overdue)

    def _filter(self, name, settings):
        directory = self.directory + "/" + name
        os.mkdir(directory)
        return milter.Daemon(
            "millgate-" + name,
            self.postfix,
            directory,
            SETTINGS + settings,
            event_directory=self.daemon.event_directory,
        )

    def __enter__(self):
        self.probe.start()
        self.probe.wait_for_events("log-opened")
        directory = self.daemon.event_directory
        os.link(directory + "/probe.jsonl", directory + "/dlp.jsonl")
        self.log.start()
        super().__enter__()
        self.tracker.start()
        return self

    def __exit__(self, failure, *rest):
        super().__exit__(failure, *rest)
        others = [self.probe, self.log, self.tracker]
        statuses = [daemon.stop() for daemon in others if daemon.running()]
        self.foreign.stop()
        if failure is None:
            equal(statuses, [0] * len(statuses), "exit statuses")

    def daemons(self):
        return self.filters + [self.tracker]

    def restart(self):
        """Each daemon ends and starts again."""
        for daemon in self.daemons():
            equal(daemon.stop(), 0, daemon.name)
            daemon.start()

    def send(self, number, recipients=("ann@example.org",), extra=b"", sender="from@example.org"):
        """One message; the last reply, which has the queue id."""
        with Client(self.postfix.smtp_port) as client:
            client.ehlo()
            reply, _ = client.message(
                sender,
                list(recipients),
                compose(number, sender="author@example.org", extra=extra)[1],
            )
            client.quit()
        return reply

    def queue_id_of(self, number):
        """Of a message that was refused: from Postfix's log."""
        line = self.postfix.log.wait_for("message-id=<%s@" % number)[0]
        return line.split("]: ", 1)[1].split(":", 1)[0]

    def flush(self):
        self.postfix.command("postqueue", "-c", self.postfix.directory, "-f")

    def story(self, trace_id):
        """Events of all daemons, in the order of their time: Postfix's log has seconds."""
        return [
            event
            for daemons in (self.filters, [self.tracker])
            for event in sorted(
                (event for daemon in daemons for event in daemon.events()),
                key=lambda event: event["@timestamp"],
            )
            if get(event, "trace.id") == trace_id
        ]

    def trace_of(self, queue_id):
        for event in self.log.events("message-accepted"):
            if get(event, "email.local_id") == queue_id:
                return get(event, "trace.id")
        raise AssertionError("log has no event of " + queue_id)

    def wait_for(self, action, queue_id, count=1):
        """Events of track of that action and queue id."""

        def found():
            return [
                event
                for event in self.tracker.events(action)
                if get(event, "email.local_id") == queue_id
            ]

        wait.until(
            lambda: len(found()) >= count,
            lambda: "%d %s of %s; %s" % (count, action, queue_id, self.tracker.log()[-1000:]),
        )
        return found()


class Chained(Place):
    """dkim and log in one millgate-chain."""

    def __enter__(self):
        directory = self.directory + "/chain"
        os.mkdir(directory)
        self.daemon = milter.Chain(
            "millgate-chain",
            self.postfix,
            directory,
            {"dkim": self.own_settings, "log": LOG_SETTINGS},
            SETTINGS,
        )
        self.log = self.daemon.of("log")
        self.filters = [self.daemon.of("dkim"), self.log]
        self.attach([self.daemon, self.foreign])
        self.tracker = Tracker(self, own=OWN % "1h")
        Gateway.__enter__(self)
        self.tracker.start()
        return self

    def __exit__(self, failure, *rest):
        Signing.__exit__(self, failure, *rest)
        self.tracker.stop()
        self.foreign.stop()

    def daemons(self):
        return [self.daemon, self.tracker]


def actions(story):
    return [event["event"]["action"] for event in story]


def delivery(event):
    """Action, recipient, status, attempt."""
    return (
        event["event"]["action"],
        get(event, "millgate.delivery.recipient"),
        get(event, "millgate.delivery.status"),
        get(event, "millgate.delivery.attempt"),
    )


def linked(place, trace_id):
    return [
        event
        for event in place.tracker.events("session-linked")
        if trace_id in get(event, "millgate.session.traces", [])
    ]


# --- three recipients ---


def three_recipients(t, place):
    recipients = ["ann@example.org", "reply-550@example.org", SLOW]
    queue_id = place.send("three", recipients).queue_id
    place.wait_for("delivery-deferred", queue_id)
    place.wait_for("notification-sent", queue_id)
    place.restart()
    place.postfix.configure(transport_maps="")
    wait.until(
        lambda: place.flush() or not place.postfix.queue(), "the message to leave", pause=0.5
    )
    place.wait_for("delivery-succeeded", queue_id, 2)
    trace_id = place.trace_of(queue_id)
    told = place.wait_for("notification-sent", queue_id)[0]
    child = get(told, "millgate.link.child")
    place.wait_for("delivery-succeeded", child)
    story = place.story(trace_id)

    with t.test("A message to three recipients has one story, though each daemon was restarted"):
        equal(
            sorted({action for action in actions(story)} - {"message-passed"}),
            [
                "delivery-deferred",
                "delivery-failed",
                "delivery-succeeded",
                "message-accepted",
                "message-signed",
                "notification-sent",
            ],
            "actions",
        )
        ends = [event for event in story if get(event, "millgate.delivery.final")]
        equal(
            sorted(delivery(event)[:3] for event in ends),
            [
                ("delivery-failed", "reply-550@example.org", "bounced"),
                ("delivery-succeeded", "ann@example.org", "delivered"),
                ("delivery-succeeded", SLOW, "delivered"),
                ("delivery-succeeded", "from@example.org", "delivered"),
            ],
            "ends",
        )

    with t.test("Attempts are counted over the restart"):
        tries = [
            delivery(event)
            for event in place.tracker.events()
            if get(event, "email.local_id") == queue_id
            and get(event, "millgate.delivery.recipient") == SLOW
        ]
        equal([row[3] for row in tries], list(range(1, len(tries) + 1)), "attempts")
        equal(tries[-1][2], "delivered", "last")

    with t.test("The bounce is a child of the message"):
        sent = place.wait_for("delivery-succeeded", child)[0]
        equal(
            (
                get(sent, "trace.id"),
                get(sent, "millgate.link.relation"),
                get(sent, "millgate.link.parent"),
                get(sent, "millgate.smtp.from"),
            ),
            (trace_id, "bounce", queue_id, ""),
            "trace, relation, parent, sender",
        )
        equal(get(told, "millgate.link.relation"), "bounce", "relation of the notification")

    with t.test("Its session is linked to it"):
        sessions = linked(place, trace_id)
        equal(len(sessions), 1, "session-linked")
        accepted = [event for event in story if event["event"]["action"] == "message-accepted"]
        equal(
            get(sessions[0], "millgate.session.key"),
            get(accepted[0], "millgate.session.key"),
            "session key",
        )

    with t.test("What the next hop said is told, and who it was"):
        failed = place.wait_for("delivery-failed", queue_id)[0]
        equal(
            (
                get(failed, "millgate.delivery.reply.code"),
                get(failed, "millgate.delivery.reply.enhanced_code"),
                get(failed, "millgate.delivery.reply.text"),
                get(failed, "millgate.delivery.reply.command"),
                get(failed, "destination.ip"),
                get(failed, "destination.port"),
            ),
            (
                550,
                "5.7.1",
                "550 5.7.1 as the recipient says",
                "RCPT TO",
                place.sink.address,
                place.sink.port,
            ),
            "reply",
        )


# --- what does not pass ---


def refused_before_a_queue_id(t, place):
    with Client(place.postfix.smtp_port, source=OUTSIDE) as client:
        client.ehlo()
        client.message("dora@example.net", ["ann@example.com"], compose("relay")[1])
        key = "%s:%d" % (client.address, client.port)
        client.quit()
    place.tracker.wait_for_events("message-rejected")
    with t.test("A refusal of Postfix itself is told, with its session"):
        event = place.tracker.events("message-rejected")[0]
        equal(
            (
                get(event, "millgate.by"),
                get(event, "millgate.smtp.stage"),
                get(event, "millgate.session.key"),
                get(event, "email.sender.address"),
                get(event, "email.to.address"),
                get(event, "millgate.smtp.reply.code"),
            ),
            ("postfix", "rcpt", key, "dora@example.net", ["ann@example.com"], 554),
            "the refusal",
        )
        sessions = wait.until(
            lambda: [
                event
                for event in place.tracker.events("session-linked")
                if get(event, "millgate.session.key") == key
            ],
            "session-linked",
        )
        equal(get(sessions[0], "millgate.session.refusals"), 1, "refusals")


def login_failed(t, place):
    with Client(place.postfix.submission_port) as client:
        client.ehlo()
        client.starttls()
        client.ehlo()
        reply = client.auth("acme-app", "wrong")
        key = "%s:%d" % (client.address, client.port)
        client.quit()
    equal(reply.code, 535, "reply %r" % reply)
    with t.test("A failed login is told: from where, by which method, over which TLS"):
        event = place.tracker.wait_for_events("auth-failed")[0]
        equal(
            (
                get(event, "millgate.session.key"),
                get(event, "millgate.smtp.auth_method"),
                get(event, "tls.established"),
                get(event, "millgate.postfix.program"),
                event["event"]["outcome"],
            ),
            (key, "PLAIN", True, "submission/smtpd", "failure"),
            "the login",
        )


def refused_behind_log(t, place):
    reply = place.send("virus", ["ann@example.org", "bob@example.org"], b"X-Foreign: reject\r\n")
    equal(reply.code, 550, "reply %r" % reply)
    queue_id = place.queue_id_of("virus")
    place.wait_for("message-rejected", queue_id)
    with t.test("A message that a later milter refused after log has its story, and no open end"):
        story = place.story(place.trace_of(queue_id))
        equal(actions(story), PASSED + ["message-rejected"], "actions")
        equal(
            (
                get(story[-1], "millgate.by"),
                get(story[-1], "email.to.address"),
                get(story[-1], "millgate.smtp.reply.text"),
            ),
            ("milter", ["ann@example.org", "bob@example.org"], "virus found"),
            "the refusal",
        )


def lost_in_its_content(t, place):
    with Client(place.postfix.smtp_port) as client:
        client.ehlo()
        client.envelope("from@example.org", ["ann@example.org"])
        client.command("DATA")
        client.send(compose("lost")[1])  # and goes away without the final dot
        key = "%s:%d" % (client.address, client.port)
    with t.test("A client that is lost in its content leaves a message that was never queued"):
        unqueued = place.tracker.wait_for_events("message-unqueued")[0]
        equal(get(unqueued, "millgate.session.key"), key, "session key")
        equal(
            [
                get(event, "millgate.smtp.stage")
                for event in place.tracker.events("connection-lost")
                if get(event, "millgate.session.key") == key
            ],
            ["data"],
            "connection-lost",
        )


# --- holds ---


def release(place, queue_id):
    place.postfix.command("postsuper", "-c", place.postfix.directory, "-H", queue_id)
    place.flush()
    place.wait_for("delivery-succeeded", queue_id)


def held_by_a_filter_of_ours(t, place):
    queue_id = place.send("held", extra=HOLD).queue_id
    place.postfix.log.wait_for("%s: milter-header-hold" % queue_id)
    release(place, queue_id)
    with t.test("A message that a filter held is released and delivered, and told once"):
        story = place.story(place.trace_of(queue_id))
        equal(
            actions(story),
            ["message-held"] + PASSED[1:] + ["message-released", "delivery-succeeded"],
            "actions",
        )
        equal(get(story[-2], "millgate.hold.code"), "test-code", "code")
        equal(get(story[-2], "millgate.by"), "operator", "released by")


def held_by_a_foreign_milter(t, place):
    queue_id = place.send("quarantine", extra=b"X-Foreign: hold\r\n").queue_id
    place.wait_for("message-held", queue_id)
    release(place, queue_id)
    with t.test("A message that a foreign milter held is told, too, and its release"):
        story = place.story(place.trace_of(queue_id))
        equal(
            actions(story),
            PASSED + ["message-held", "message-released", "delivery-succeeded"],
            "actions",
        )
        equal(get(story[3], "millgate.by"), "milter", "held by")


def hold_missed(t, place):
    place.postfix.configure(milter_header_checks="")

    def sent():
        """Postfix's processes read the setting when they are started anew."""
        queue_id = place.send("missed-%f" % os.times().elapsed, extra=HOLD).queue_id
        return None if place.postfix.log.find(queue_id + ": milter-header-hold") else queue_id

    queue_id = wait.until(sent, "a message that is not held", pause=0.2)
    event = place.wait_for("hold-missed", queue_id)[0]
    with t.test("With the check taken out of main.cf a hold that did not hold is an alert"):
        equal(
            (
                event["event"]["kind"],
                get(event, "millgate.by"),
                get(event, "millgate.hold.code"),
                get(event, "trace.id"),
            ),
            ("alert", "dlp", "test-code", place.trace_of(queue_id)),
            "hold-missed",
        )
    place.postfix.configure(milter_header_checks=CHECKS)


def discarded(t, place):
    queue_id = place.send("discard", extra=b"X-Foreign: discard\r\n").queue_id
    place.wait_for("message-discarded", queue_id)
    with t.test("A message that a milter discarded is told"):
        story = place.story(place.trace_of(queue_id))
        equal(actions(story), PASSED + ["message-discarded"], "actions")


# --- what did not happen ---


def filter_missed(t, place):
    place.attach([place.probe, place.daemon], "accept")
    found = []

    def sent():
        """Until processes of Postfix are those of the new setting."""
        queue_id = place.send("unseen-%f" % os.times().elapsed).queue_id
        place.postfix.log.wait_for("%s: removed" % queue_id)
        seen = [get(event, "email.local_id") for event in place.log.events("message-accepted")]
        found.append(queue_id)
        return queue_id not in seen

    wait.until(sent, "a message that log does not see", pause=0.2)
    with t.test("A message that came into the queue without an event of log is an alert"):
        event = place.wait_for("filter-missed", found[-1])[0]
        equal(
            (event["event"]["kind"], get(event, "millgate.filters.missing")),
            ("alert", ["log"]),
            "filter-missed",
        )


def overdue(t):
    with Place(overdue="2s") as place:
        queue_id = place.send("overdue", ["ann@example.org", SLOW]).queue_id
        event = place.wait_for("delivery-overdue", queue_id)[0]
        with t.test("A recipient without an end in time is an alert, and who has one is not"):
            equal(
                (
                    event["event"]["kind"],
                    get(event, "millgate.delivery.recipient"),
                    get(event, "millgate.delivery.status"),
                    len(place.tracker.events("delivery-overdue")),
                ),
                ("alert", SLOW, "overdue", 1),
                "delivery-overdue",
            )
        place.postfix.command("postsuper", "-c", place.postfix.directory, "-d", queue_id)
        with t.test("What the operator takes out of the queue is told"):
            event = place.wait_for("message-removed", queue_id)[0]
            equal(
                (get(event, "millgate.by"), get(event, "email.to.address")),
                ("operator", [SLOW]),
                "message-removed",
            )


def valid(t, place):
    with t.test("Each event has fields of the table alone, and the log's chain holds"):
        fields = schema()
        none(
            [
                "%s: %s" % (event["event"]["action"], fault)
                for event in place.tracker.events()
                for fault in events.faults(event, fields)
            ]
        )
        true(len(place.tracker.events()) > 30, "too few events")

    with t.test("No line was not understood"):
        none([get(event, "millgate.line") for event in place.tracker.events("line-unknown")])

    with t.test("No event is there twice"):
        ids = [event["event"]["id"] for event in place.tracker.events()]
        equal(len(ids), len(set(ids)), "ids")


def tests(t):
    with Place() as place:
        three_recipients(t, place)
        refused_before_a_queue_id(t, place)
        login_failed(t, place)
        refused_behind_log(t, place)
        lost_in_its_content(t, place)
        held_by_a_filter_of_ours(t, place)
        held_by_a_foreign_milter(t, place)
        hold_missed(t, place)
        discarded(t, place)
        filter_missed(t, place)
        valid(t, place)
    overdue(t)
    with Chained() as place:
        three_recipients(t, place)


tap.main(tests)
