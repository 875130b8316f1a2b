#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Two filters in one millgate-chain against the same two as daemons of their own: the same mail
through both."""
import collections
import json
import os
import re
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import milter, tap, wait
from harness.events import get
from harness.gateway import SETTINGS, SOURCE, Gateway
from harness.mail import Client, compose
from harness.tap import equal, none, true
from harness.traffic import Load, record_faults

MESSAGES = 1000
PER_CONNECTION = 10
CHECKS = "regexp:" + SOURCE + "/etc/hold.regexp"
LONG_LINE = b"x" * 900 + b"\r\n"

# What the test filter does with a message that says so, for each kind.
COMMANDS = {
    "plain": [],
    "insert": ["insert 0 X-Top one", "insert 1 X-First two", "insert 99 X-Last three"],
    "folded": ["insert-folded X-Folded"],
    "change": ["change Subject 1 changed", "change X-Twice 2 the second"],
    "delete": ["delete X-Twice 1", "change X-Twice 2 left"],
    "delete-all": ["delete-all X-Twice e"],
    "recipients": ["add-recipient added@example.org", "delete-recipient one@example.org"],
    "sender": ["sender other@example.com"],
    "body": ["body a new body", "insert 1 X-New-Body yes"],
    "hold": ["hold test-code"],
    "hold-edited": ["insert 1 X-Held yes", "hold edited", "body held"],
    "reject": ["reject 550 5.7.1 No"],
    "reject-held": ["hold never", "reject"],
    "tempfail": ["tempfail 451 4.7.1 Later"],
    "discard": ["insert 1 X-Gone yes", "discard"],
    "error": ["error this cannot be judged"],
    "fail": ["fail at a field"],
    "accept": ["insert 1 X-Accepted yes", "accept"],
    "broken-edit": ["insert-broken X-Broken"],
    "no-such-field": ["delete X-None 1"],
    "forged-hold": [],
}
DEFERRED = ("tempfail", "error", "fail", "no-such-field")
EXTRA = {"forged-hold": b"X-Millgate-Hold: forged\r\n"}
BODIES = [
    b"Hello.\r\n",
    b"",
    b"No line end",
    b"\r\n\r\n.\r\n..dots\r\n\r\n",
    "Grüße.\r\n".encode(),
    LONG_LINE * 100,
]
# Senders and recipients that it judges by themselves.
ENVELOPES = [
    ("reject-mail", ["one@example.org"]),
    ("tempfail-mail", ["one@example.org"]),
    ("accept-mail", ["one@example.org"]),
    ("hold-mail", ["one@example.org"]),
    ("error-mail", ["one@example.org"]),
    ("discard-mail", ["one@example.org"]),
    ("some", ["reject-rcpt@example.org", "one@example.org", "tempfail-rcpt@example.org"]),
    ("none", ["reject-rcpt@example.org"]),
    ("all", ["one@example.org", "two@example.org"]),
]


class Letter:
    """One message, the same for both: submitted by sendmail(1), or spoken."""

    def __init__(self, number):
        kinds = list(COMMANDS)
        kind = kinds[number % len(kinds)]
        # What is deferred there Postfix tries again without end.
        self.local = number % 25 == 24 and kind not in DEFERRED
        envelope = "all", ["one@example.org", "two@example.org"]
        if number % 3 == 2 and not self.local:
            envelope = ENVELOPES[number // 3 % len(ENVELOPES)]
        self.sender = "%s-%d@example.com" % (envelope[0], number)
        self.recipients = envelope[1]
        if self.local and number % 50 == 24:
            self.sender = ""
        extra = b"X-Twice: one\r\nX-Twice: two,\r\n\tfolded\r\n" + EXTRA.get(kind, b"")
        for command in COMMANDS[kind]:
            extra += b"X-Probe: %s\r\n" % command.encode()
        self.message_id, self.content = compose(
            "%s-%d" % (kind, number), kind, body=BODIES[number % len(BODIES)], extra=extra
        )

    def send(self, gateway, client):
        """What the client is answered."""
        if self.local:
            gateway.postfix.sendmail(
                self.content.replace(b"\r\n", b"\n"), self.recipients, self.sender
            )
            return "local"
        reply, taken = client.message(self.sender, self.recipients, self.content)
        client.command("RSET")
        return "%s %s" % (re.sub(r" as \w+|[0-9a-f]{8}\]", "", repr(reply)), taken)


def send_all(gateway, letters, answers):
    for start in range(0, len(letters), PER_CONNECTION):
        with Client(gateway.postfix.smtp_port) as client:
            client.ehlo()
            answers.extend(
                letter.send(gateway, client) for letter in letters[start : start + PER_CONNECTION]
            )
            client.quit()


def daemons(way, settings=""):
    """millgate-probe and millgate-log."""
    gateway = Gateway("log", milter_header_checks=CHECKS)
    os.mkdir(gateway.directory + "/probe")
    gateway.probe = milter.Daemon(
        "millgate-probe",
        gateway.postfix,
        gateway.directory + "/probe",
        SETTINGS + way + settings,
    )
    gateway.attach([gateway.probe, gateway.daemon])
    gateway.probe.start()
    return gateway


def chain(way, settings="", descriptor=None):
    """The two in one."""
    gateway = Gateway("log", milter_header_checks=CHECKS)
    os.mkdir(gateway.directory + "/chain")
    gateway.daemon = milter.Chain(
        "millgate-probe-chain",
        gateway.postfix,
        gateway.directory + "/chain",
        {"probe": way + settings, "log": 'on_error = "accept"\non_bound = "accept"\n'},
        SETTINGS,
        descriptor,
    )
    gateway.attach([gateway.daemon])
    gateway.probe, gateway.log = gateway.daemon.of("probe"), gateway.daemon.of("log")
    return gateway


# --- what is compared ---


def delivered(gateway):
    """What arrived: envelope and bytes, but for the fields Received."""
    return collections.Counter(
        (
            message.sender,
            tuple(sorted(message.recipients)),
            re.sub(
                rb"(?m)^Received: (.*\r\n[ \t])*.*\r\n|[0-9A-Za-z]+\.\d+/mx\.example\.org|^\tid .*$"
                rb"|^(Date|Message-Id|X-Postfix-Queue-ID|Arrival-Date):.*$|\d+\.\d+/mx[\w.]*"
                rb"|[0-9a-f]{8}\]",
                b"",
                message.content,
            ),
        )
        for message in gateway.sink.messages()
    )


def held(gateway):
    return collections.Counter(
        (
            entry["sender"],
            tuple(sorted(recipient["address"] for recipient in entry["recipients"])),
        )
        for entry in gateway.postfix.queue()
        if entry["queue_name"] == "hold"
    )


GONE = {
    "@timestamp": None,
    "event": ("id", "hash", "sequence", "duration", "created", "start", "end"),
    "trace": None,
    "email": ("local_id",),
    "source": ("port",),
}


def told(daemon):
    """The events of messages, but for ids, times and ports."""
    found = []
    for event in daemon.events():
        if event["event"]["action"].startswith("config-"):
            continue
        for name, members in GONE.items():
            if members is None:
                event.pop(name, None)
            for member in members or ():
                event.get(name, {}).pop(member, None)
        found.append(re.sub(r"127\.0\.0\.1:\d+", "", json.dumps(event, sort_keys=True)))
    return collections.Counter(found)


def differences(one, other):
    """What only one of them has, as sentences."""
    return ["only two daemons: %s x %d" % (key, count) for key, count in (one - other).items()] + [
        "only the chain: %s x %d" % (key, count) for key, count in (other - one).items()
    ]


def release(gateway):
    directory = gateway.postfix.directory
    gateway.postfix.command("postsuper", "-c", directory, "-H", "ALL")
    gateway.postfix.command("postqueue", "-c", directory, "-f")
    wait.until(lambda: not gateway.postfix.queue(), "the released messages to be gone")


def through_both(letters, two, one):
    answers = [], []
    threads = [
        threading.Thread(target=send_all, args=(gateway, letters, list_of))
        for gateway, list_of in zip((two, one), answers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for gateway in two, one:
        gateway.postfix.wait_until_empty()
    return answers


def compare(t):
    letters = [Letter(number) for number in range(MESSAGES)]
    way = 'hold = "header"\n'
    with daemons(way) as two, chain(way) as one:
        answers = through_both(letters, two, one)

        with t.test("Two filters in a chain answer %d messages as two daemons do" % MESSAGES):
            equal([len(each) for each in answers], [MESSAGES] * 2, "answers")
            none(
                [
                    "%s: %s, chain %s" % (letter.message_id, *pair)
                    for letter, *pair in zip(letters, *answers)
                    if pair[0] != pair[1]
                ]
            )

        with t.test("The same messages are held"):
            equal(held(one), held(two), "hold queue")
            true(sum(held(one).values()) > MESSAGES // 20, "held: %r" % held(one))

        with t.test("The same bytes are delivered, the held ones after release"):
            release(two)
            release(one)
            none(differences(delivered(two), delivered(one)))
            true(len(delivered(one)) > MESSAGES // 3, "%d delivered" % len(delivered(one)))

        with t.test("The first filter tells the same of each message"):
            none(differences(told(two.probe), told(one.probe)))

        with t.test("The second filter tells the same of each message"):
            none(differences(told(two.daemon), told(one.log)))
            true(len(told(one.log)) > MESSAGES // 3, "%d events" % len(told(one.log)))

        with t.test("--verify finds both event logs of the chain whole"):
            result = one.daemon.verify()
            equal(result.returncode, 0, "exit status; %r" % result.stdout)
            for name in (b"probe", b"log"):
                true(name + b": " in result.stdout, "output %r" % result.stdout)
        two.probe.stop()


def quarantine(t):
    with chain('hold = "quarantine"\n') as gateway:
        with Client(gateway.postfix.smtp_port) as client:
            client.ehlo()
            _, content = compose("held", extra=b"X-Probe: hold test-code\r\n")
            reply, _ = client.message("from@example.com", ["to@example.org"], content)

        with t.test("Held by quarantine, a message is seen by the filters behind in the chain"):
            queue = gateway.postfix.queue()
            equal([entry["queue_name"] for entry in queue], ["hold"], "queue")
            event = gateway.log.wait_for_events("message-accepted")[0]
            equal(get(event, "email.local_id"), reply.queue_id, "queue id")


def dry_run(t):
    with chain("", "dry_run = yes\n") as gateway:
        with Client(gateway.postfix.smtp_port) as client:
            client.ehlo()
            extra = b"X-Probe: change Subject 1 changed\r\nX-Probe: body new\r\nX-Probe: reject\r\n"
            _, content = compose("dry", subject="as it was", extra=extra)
            reply, _ = client.message("from@example.com", ["to@example.org"], content)

        with t.test("A dry run of one filter is dry, and not of the next one, which sees no edit"):
            equal(reply.code, 250, "reply %r" % reply)
            event = gateway.log.wait_for_events("message-accepted")[0]
            equal(get(event, "email.subject"), "as it was", "subject")
            equal(get(event, "millgate.dry_run"), None, "dry run of log")
            equal(get(gateway.probe.events()[-1], "millgate.dry_run"), True, "dry run of probe")


def life(t):
    with chain("", descriptor="systemd") as gateway:
        daemon = gateway.daemon
        load = Load(gateway.postfix.smtp_port, per_connection=4)
        load.wait_for(5)

        with t.test("A mistake in one filter's file refuses the whole reload, in each log"):
            daemon.filters["probe"] = 'tga = "x"\n'
            daemon.configure()
            daemon.reload()
            for filter_ in (gateway.probe, gateway.log):
                event = filter_.wait_for_events("config-rejected")[0]
                true("probe.conf:1: " in get(event, "millgate.config.errors")[0], repr(event))
            result = daemon.check()
            equal(result.returncode, 78, "exit status of -t")
            true(b"nearest: tag" in result.stderr, "output %r" % result.stderr)

        with t.test("A reload reaches each filter"):
            daemon.filters["probe"] = 'tag = "second"\n'
            daemon.configure()
            equal(daemon.check().returncode, 0, "exit status of -t")
            daemon.reload()
            for filter_ in (gateway.probe, gateway.log):
                filter_.wait_for_events("config-loaded", 2)
            # What began before ends with the settings it began with.
            wait.until(
                lambda: get(gateway.probe.events("message-passed")[-1], "event.code") == "second",
                "a message that the new settings judged",
            )

        for _ in range(5):
            load.wait_for(5)
            status = daemon.stop()
            daemon.start()
            equal(status, 0, "exit status")
        load.wait_for(5)
        load.stop()
        gateway.postfix.wait_until_empty()

        with t.test("In reloads and restarts on an inherited socket no message is refused"):
            none([repr(reply) for reply in load.refused] + load.broken)

        with t.test("Each accepted message has exactly one event of the last filter"):
            none(record_faults(load.accepted, gateway.log))


def mistakes(t):
    with chain("") as gateway:
        daemon = gateway.daemon

        def errors(text):
            daemon.configure(raw=text)
            result = daemon.check()
            equal(result.returncode, 78, "exit status of -t; %r" % result.stderr)
            return result.stderr.decode()

        with t.test("A filter that is not built in is an error with the nearest name"):
            text = errors('filters = { "porbe", "log" }\n')
            true('conf:1: filters "porbe"; ' in text and "nearest: probe" in text, text)

        with t.test("No filter, or one twice, is an error"):
            true("empty" in errors("filters = { }\n"), "an empty list")
            true("twice" in errors('filters = { "log", "log" }\n'), "a filter twice")

        with t.test("A setting of each filter is an error in the file of the process"):
            text = errors('filters = { "log" }\non_error = "reject"\n')
            true("conf:2: on_error: " in text, text)
        daemon.configure()

        with t.test("-T prints each file below its name"):
            text = daemon.print()
            for name in (daemon.configuration, "/probe.conf\n", "/log.conf\n"):
                true(name in text, "%s is not in %s" % (name, text))


def tests(t):
    compare(t)
    quarantine(t)
    dry_run(t)
    life(t)
    mistakes(t)


tap.main(tests)
