#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate trace and millgate events, over event logs that the test writes: what is found, how it
is told, how it ends."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import children, tap, wait
from harness.tap import equal, true
from harness.told import DAY, Message, Teller, event

ANN, BOB, CARL = "ann@example.com", "bob@example.com", "carl@example.net"
BOUNCE = "4jYh184tWVz1bkdW"

STORY = """\
1 bounced, 1 deferred, 1 delivered of 3 recipients; next try is due

Message  <4jyh153qzyz1bkdk@acme.example>  "Invoice 2026-118"  45.8 KB
Sender   bounce+7@acme.example            author billing@acme.example
Client   203.0.113.5:39204 app1.acme.example, user acme-app, TLS 1.3
         outbound, tenant acme

%s +01:00
12:49:20.536  dlp        accepted, 2 parts, nothing found            1.2 ms
12:49:20.539  dkim       signed acme.example/s2026 rsa-sha256        0.3 ms
12:49:20.541  log        accepted, 3 recipients, q3.pdf 64 KB
12:49:21      delivered  ann@example.com at mx.example.com[198.51.100.9] TLS 1.3
                         "250 2.0.0 Ok: queued as 4jYh176Sfnz1bkdT"  1.9 s
12:49:21      bounced    bob@example.com at mx.example.com[198.51.100.9]
                         "550 5.1.1 user unknown"; sender told by
                         4jYh184tWVz1bkdW, delivered 12:49:23
12:49:23      deferred   carl@example.net at mx.example.com[198.51.100.9], try 1
                         "450 4.2.0 try again later"
Mend   millgate events --since 1d --action delivery-failed --host mx.example.com
       postqueue -i 4jYh153qZyz1bkdK
""" % DAY


def flat(told):
    """Lines that were broken are one."""
    return re.sub(r"\n {25}", " ", told)


def whole_story(message):
    """A message to three: delivered, bounced, deferred. Not in the order of time."""
    bounce = Message(BOUNCE)
    bounce.trace_id = message.trace_id
    return [
        message.delivery(
            "delivery-succeeded",
            ANN,
            reply="250 2.0.0 Ok: queued as 4jYh176Sfnz1bkdT",
            millgate__delivery__delay_s=1.9,
            millgate__delivery__tls_version="1.3",
        ),
        message.delivery("delivery-failed", BOB, reply="550 5.1.1 user unknown"),
        message.of_track(
            "notification-sent", millgate__link__child=BOUNCE, millgate__link__relation="bounce"
        ),
        bounce.delivery(
            "delivery-succeeded",
            "bounce+7@acme.example",
            "11:49:23",
            millgate__link__parent=message.queue_id,
            millgate__link__relation="bounce",
        ),
        message.delivery(
            "delivery-deferred",
            CARL,
            "11:49:23",
            reply="450 4.2.0 try again later",
            millgate__delivery__attempt=1,
        ),
        event(
            "track",
            "session-linked",
            "11:49:24",
            millgate__session__key="203.0.113.5:39204",
            millgate__session__traces=[message.trace_id],
            event__start=DAY + "T11:49:19Z",
            event__end=DAY + "T11:49:24Z",
        ),
        message.accepted(
            email__subject="Invoice 2026-118",
            millgate__smtp__size=46899,
            email__attachments=[{"file": {"name": "q3.pdf", "size": 65536}}],
        ),
        message.of_filter(
            "dkim",
            "message-signed",
            "11:49:20.539",
            event__duration=310000,
            millgate__dkim__domain="acme.example",
            millgate__dkim__selector="s2026",
            millgate__dkim__algorithm="rsa-sha256",
        ),
        message.of_filter(
            "dlp",
            "message-passed",
            event__duration=1200000,
            event__reason="2 parts, nothing found",
        ),
    ]


def of_one_message(t, teller):
    message = Message(recipients=[ANN, BOB, CARL])
    refs = teller.write(*whole_story(message))

    with t.test("A message's story: what became of it, what it is, who did what when, what to do"):
        equal(teller.told("trace", message.queue_id, status=2), STORY, "story")

    keys = {
        "its trace id": message.trace_id,
        "its Message-ID": message.fields["email__message_id"],
        "its Message-ID in angle brackets": "<%s>" % message.fields["email__message_id"],
        "the queue id of its bounce": BOUNCE,
        "a recipient": CARL,
        "a recipient in other letters": "Ann@Example.COM",
        "its sender": "bounce+7@acme.example",
        "its author": "billing@acme.example",
        "its client": "203.0.113.5:39204",
        "the REF of an event": refs[7],
        "the code and REF of a reply": "[some-code %s]" % refs[7],
    }
    for name, key in keys.items():
        with t.test("It is found by %s" % name):
            equal(teller.told("trace", key, status=2), STORY, key)

    with t.test("--utc tells the same in UTC"):
        told = teller.told("trace", BOUNCE, "--utc", status=2)
        true("%s +00:00\n11:49:20.536  dlp" % DAY in told, told)

    with t.test("--events gives the events as they stand in the logs, in order of time"):
        lines = teller.told("trace", message.queue_id, "--events", status=2).splitlines()
        equal(len(lines), 9, "events")
        times = [json.loads(line)["@timestamp"] for line in lines]
        equal(times[:3] + times[3:], sorted(times), "order")

    with t.test("--json has states, recipients and events"):
        told = json.loads(teller.told("trace", message.queue_id, "--json", status=2))
        (found,) = told["messages"]
        equal(found["status"], "bounced", "status")
        equal(found["trace"]["id"], message.trace_id, "trace.id")
        equal(
            [(r["millgate"]["delivery"]["recipient"], r["status"]) for r in found["recipients"]],
            [(ANN, "delivered"), (BOB, "bounced"), (CARL, "deferred")],
            "recipients",
        )
        equal((len(found["events"]), told["more"]), (9, False), "events")

    with t.test("What is older than --since is not found"):
        told = teller.told("trace", message.queue_id, "--since", "1s", status=3)
        true(told.startswith('Nothing known of "4jYh153qZyz1bkdK" since '), told)
        equal(
            json.loads(teller.told("trace", "no@where", "--json", status=3)),
            {"messages": [], "more": False},
            "--json",
        )

    with t.test("Events that stand twice in a log are told once"):
        teller.write(*whole_story(message))
        equal(teller.told("trace", message.queue_id, status=2), STORY, "story")


# What track tells of a message to ann: the first line, and the exit code.
ENDS = {
    "delivered": (["delivery-succeeded"], "Delivered: ann@example.com", 0),
    "bounced": (["delivery-failed"], "Bounced: ann@example.com", 2),
    "deferred": (["delivery-deferred"], "Deferred: ann@example.com; next try is due", 1),
    "deferred, then delivered": (
        ["delivery-deferred", "delivery-succeeded"],
        "Delivered: ann@example.com",
        0,
    ),
    "deferred, then expired": (
        ["delivery-deferred", "delivery-expired"],
        "Expired: ann@example.com",
        2,
    ),
    "overdue": (
        ["delivery-deferred", "delivery-overdue"],
        "Overdue: ann@example.com; next try is due",
        1,
    ),
    "held": (["message-held"], "Held: ann@example.com", 1),
    "held and released": (["message-held", "message-released"], "Waiting: ann@example.com", 1),
    "held, released, delivered": (
        ["message-held", "message-released", "delivery-succeeded"],
        "Delivered: ann@example.com",
        0,
    ),
    "held and removed": (["message-held", "message-removed"], "Removed: ann@example.com", 2),
    "delivered, whatever is removed then": (
        ["delivery-succeeded", "message-removed"],
        "Delivered: ann@example.com",
        0,
    ),
    "discarded": (["message-discarded"], "Discarded: ann@example.com", 2),
    "never queued": (["message-unqueued"], "Not queued: ann@example.com", 2),
    "held by a filter, and not by Postfix": (
        ["hold-missed", "delivery-succeeded"],
        "Not held, as a filter wanted: Delivered: ann@example.com",
        2,
    ),
    "past a filter": (
        ["filter-missed", "delivery-succeeded"],
        "Delivered: ann@example.com; a filter did not see it",
        1,
    ),
    "waiting": (["connection-lost"], "Waiting: ann@example.com", 1),
}


def of_ends(t, teller):
    for name, (actions, line, status) in ENDS.items():
        with t.test("A message that is %s is told so" % name):
            teller.clear()
            message = Message()
            teller.write(
                message.accepted(),
                *[
                    message.delivery(action, ANN, "11:49:%02d" % (21 + number), millgate__by="x")
                    if action.startswith("delivery")
                    else message.of_track(action, "11:49:%02d" % (21 + number), millgate__by="x")
                    for number, action in enumerate(actions)
                ]
            )
            equal(
                teller.told("trace", message.queue_id, status=status).splitlines()[0], line, name
            )

    with t.test("A status says more than the action: handed over, discarded"):
        teller.clear()
        message = Message(recipients=[ANN, BOB])
        teller.write(
            message.accepted(),
            message.delivery("delivery-succeeded", ANN, status="handed-over"),
            message.delivery("delivery-succeeded", BOB, status="discarded"),
        )
        told = teller.told("trace", message.queue_id, status=2)
        equal(told.splitlines()[0], "1 discarded, 1 handed over of 2 recipients", "sum")
        true("\n12:49:21      handed over ann@example.com at mx" in told, told)

    with t.test("Recipients of an alias take its place"):
        teller.clear()
        message = Message(recipients=["all@example.org"])
        teller.write(
            message.accepted(),
            *[
                message.delivery(
                    "delivery-succeeded",
                    each,
                    millgate__delivery__orig_recipient="all@example.org",
                )
                for each in (ANN, BOB)
            ]
        )
        told = teller.told("trace", "all@example.org")
        equal(told.splitlines()[0], "2 delivered of 2 recipients", "sum")
        true("ann@example.com for all@example.org at mx" in flat(told), told)

    with t.test("Of many tries the first and the last are told"):
        teller.clear()
        message = Message(recipients=[ANN, BOB])
        teller.write(
            message.accepted(),
            *[
                message.delivery(
                    "delivery-deferred",
                    each,
                    "12:%02d:00" % attempt,
                    millgate__delivery__attempt=attempt,
                )
                for attempt in range(1, 41)
                for each in (ANN, BOB)
            ],
            message.delivery("delivery-succeeded", BOB, "13:00:00", millgate__delivery__attempt=41)
        )
        told = teller.told("trace", message.queue_id, status=1)
        equal(
            re.findall(r"(\w+)@.*try (\d+)", told),
            [("ann", "1"), ("bob", "1"), ("ann", "40"), ("bob", "40")],
            "tries",
        )

    with t.test("What a rule that only logs would have done changes nothing"):
        teller.clear()
        message = Message()
        teller.write(
            message.of_filter(
                "policy",
                "message-rejected",
                millgate__dry_run=True,
                event__code="no-partner",
                event__reason="not a partner",
            ),
            message.accepted(),
            message.delivery("delivery-succeeded", ANN),
        )
        told = teller.told("trace", message.queue_id)
        true(told.startswith("Delivered: ann@example.com\n"), told)
        true("would have rejected: not a partner [no-partner " in flat(told), told)


def of_refusals(t, teller):
    client = dict(
        source__ip="192.0.2.44",
        source__domain="mail.example.net",
        millgate__session__key="192.0.2.44:51812",
        email__sender__address="dora@example.net",
        email__to__address=["ann@example.org"],
        millgate__smtp__stage="rcpt",
        tls__established=False,
    )
    with t.test("Who is refused before there is a queue id has a story, found by its addresses"):
        teller.clear()
        (ref, _) = teller.write(
            event(
                "policy",
                "message-rejected",
                "11:51:07.310",
                event__code="partners-use-tls",
                event__reason="Encryption required",
                email__direction="inbound",
                **client
            ),
            event(
                "track",
                "connection-lost",
                "11:51:07",
                event__reason="lost connection",
                millgate__smtp__stage="rcpt",
                millgate__session__key="192.0.2.44:51812",
            ),
        )
        want = """\
Rejected at RCPT, once: Encryption required [partners-use-tls %s]

%s +01:00, client 192.0.2.44:51812 mail.example.net, no TLS, inbound
12:51:07.310  policy     rejected dora@example.net -> ann@example.org
                         Encryption required [partners-use-tls %s]
12:51:07      postfix    lost connection after rcpt
Mend   millgate events --since 7d --code partners-use-tls
""" % (
            ref,
            DAY,
            ref,
        )
        for key in "dora@example.net", "ann@example.org", ref, "192.0.2.44:51812":
            equal(teller.told("trace", key, status=2), want, key)

    with t.test("A refusal of Postfix is told with its reply, once or often"):
        teller.clear()
        reply = dict(
            millgate__by="postfix",
            millgate__smtp__reply__code=554,
            millgate__smtp__reply__enhanced_code="5.7.1",
            millgate__smtp__reply__text="<ann@example.org>: Relay access denied",
        )
        teller.write(
            event("track", "message-rejected", "11:52:07", **client, **reply),
            event("track", "message-rejected", "11:52:08", **client, **reply),
        )
        told = teller.told("trace", "dora@example.net", status=2)
        equal(
            told.splitlines()[0],
            'Rejected at RCPT, 2 times: "554 5.7.1 <ann@example.org>: Relay access denied"',
            "sum",
        )
        true("\n12:52:07      postfix    rejected dora@example.net -> ann@" in told, told)

    with t.test("A port that comes again another day is another session"):
        teller.clear()
        teller.write(
            event("track", "message-rejected", "01:52:07", **client, **reply),
            event("track", "message-rejected", "11:52:07", **client, **reply),
        )
        told = teller.told("trace", "dora@example.net", status=2)
        equal(told.splitlines()[0][:24], "2 rejected of 2 messages", "list")

    with t.test("What is refused for now is to be looked at, no more"):
        teller.clear()
        teller.write(event("track", "message-deferred", "11:52:07", **client, **reply))
        told = teller.told("trace", "dora@example.net", status=1)
        true(told.startswith("Refused for now at RCPT, once: "), told)

    with t.test("A refused recipient stands beside those that were accepted"):
        teller.clear()
        message = Message()
        teller.write(
            message.of_track(
                "message-rejected",
                "11:49:19",
                email__to__address=[BOB],
                millgate__smtp__stage="rcpt",
                **reply
            ),
            message.accepted(),
            message.delivery("delivery-succeeded", ANN),
        )
        told = teller.told("trace", message.queue_id, status=2)
        equal(told.splitlines()[0][:43], "1 rejected, 1 delivered of 2 recipients at ", "sum")

    with t.test("A message that another milter refused behind millgate-log is rejected"):
        teller.clear()
        message = Message(recipients=[ANN, BOB])
        teller.write(
            message.accepted(),
            message.of_track(
                "message-rejected",
                millgate__by="milter",
                millgate__smtp__stage="eom",
                millgate__smtp__reply__enhanced_code="5.7.1",
                millgate__smtp__reply__text="spam",
                email__to__address=[ANN, BOB],
            ),
        )
        told = teller.told("trace", message.queue_id, status=2)
        equal(
            told.splitlines()[0],
            '2 rejected of 2 recipients at end of message: "5.7.1 spam"',
            "sum",
        )
        true('\n12:49:21      milter     rejected\n                         "5.7.1' in told, told)

    with t.test("A message that a filter refused is rejected for each of its recipients"):
        teller.clear()
        message = Message(recipients=[ANN, BOB, CARL])
        teller.write(
            message.of_filter(
                "dlp",
                "message-rejected",
                event__code="cards",
                event__reason="2 card numbers",
                millgate__smtp__stage="eom",
            )
        )
        told = teller.told("trace", message.queue_id, status=2)
        true(
            told.startswith(
                "3 rejected of 3 recipients at end of message: 2 card numbers [cards "
            ),
            told,
        )

    with t.test("Failed log-ins are a story of their client"):
        teller.clear()
        teller.write(
            *[
                event(
                    "track",
                    "auth-failed",
                    "11:52:%02d" % number,
                    millgate__session__key="192.0.2.9:4000",
                    source__ip="192.0.2.9",
                    user__name="crm",
                    millgate__smtp__auth_method="PLAIN",
                    event__reason="authentication failure",
                )
                for number in range(3)
            ]
        )
        told = teller.told("trace", "192.0.2.9:4000", status=2)
        true(told.startswith("Log-in failed, 3 times\n"), told)
        true('auth       failed as "crm", PLAIN: "authentication failure"\n' in told, told)

    with t.test("Refusals of the session before the message are told with it, others' are not"):
        teller.clear()
        message = Message()
        session = {"millgate__session__key": "203.0.113.5:39204"}
        teller.write(
            event("track", "auth-failed", "11:49:19", user__name="acme-app", **session),
            message.accepted(),
            event("track", "auth-failed", "09:49:19", user__name="other", **session),
            message.delivery("delivery-succeeded", ANN),
        )
        told = teller.told("trace", message.queue_id)
        equal(re.findall(r"auth +failed as (.*)", told), ['"acme-app"'], "log-ins")


def of_parts(t, teller):
    message = Message(recipients=[ANN, BOB])
    with t.test("Without a log of millgate-track a message is accepted, and that is said"):
        teller.clear()
        teller.write(message.accepted())
        told = teller.told("trace", message.queue_id, status=1)
        equal(
            " ".join(told.splitlines()[0:2]).strip(),
            "2 accepted of 2 recipients; no log of millgate-track tells its delivery",
            "sum",
        )

    with t.test("Without a log of millgate-log the story is what track has"):
        teller.clear()
        teller.write(message.delivery("delivery-succeeded", ANN))
        told = teller.told("trace", message.queue_id)
        true(told.startswith("Delivered: ann@example.com\n"), told)

    with t.test("Without any log nothing is known, and which are missing is said"):
        teller.clear()
        told = teller.told("trace", "x@y", status=3)
        true("millgate-log has no" in told and "millgate-track has no" in told, told)

    with t.test("What a content filter gave back belongs to the message, by its filters, too"):
        teller.clear()
        back = Message("4jYh2back2z1bkdZ", recipients=[ANN, BOB])
        back.fields["millgate__session__key"] = "127.0.0.1:5000"
        child = dict(millgate__link__parent=message.queue_id, millgate__link__relation="reinject")
        tracked = Message(back.queue_id)
        tracked.trace_id = message.trace_id
        teller.write(
            message.accepted(),
            *[
                message.delivery(
                    "delivery-succeeded",
                    each,
                    status="linked",
                    millgate__link__child=back.queue_id,
                    millgate__link__relation="reinject",
                )
                for each in (ANN, BOB)
            ],
            back.accepted("11:49:22.100"),
            tracked.delivery("delivery-succeeded", ANN, "11:49:23", **child),
            tracked.delivery("delivery-failed", BOB, "11:49:24", **child)
        )
        told = teller.told("trace", message.queue_id, status=2)
        equal(told.splitlines()[0], "1 bounced, 1 delivered of 2 recipients", "sum")
        equal(len(re.findall(r"log +accepted, 2 recipients", told)), 2, "filters")
        equal(len(re.findall(r"handed on +\w+@", told)), 2, "links")

    with t.test("What an operator did to the message is told"):
        teller.clear()
        teller.write(
            message.accepted(),
            event(
                "operator",
                "operator-acted",
                "12:00:00",
                email__local_id=message.queue_id,
                user__name="root",
                millgate__operator__command=["millgate", "hold", "release", message.queue_id],
            ),
        )
        told = teller.told("trace", message.queue_id, status=1)
        true("operator   root: millgate hold release 4jYh153qZyz1bkdK\n" in told, told)


def of_strangers(t, teller):
    evil = 'x\x1b[31m"\n2026 delivered'
    with t.test("Text of strangers is quoted, without control characters, 200 of it at most"):
        teller.clear()
        message = Message()
        teller.write(
            message.accepted(
                email__subject=evil,
                email__attachments=[{"file": {"name": "a b\x1b.pdf", "size": 1}}],
            ),
            message.delivery("delivery-failed", ANN, reply="550 " + evil + "y" * 500),
        )
        told = teller.told("trace", message.queue_id, status=2)
        true("\x1b" not in told and "y" * 300 not in told, told)
        true('"x\\x1b[31m"\\x0a2026 delivered"' in told, told)
        true('"a b\\x1b.pdf" 1 byte' in told, told)
        equal([line for line in told.splitlines() if line.startswith("2026 deliv")], [], "lines")

    with t.test("A command to paste has no text of strangers in it"):
        teller.clear()
        message = Message("$(reboot)")
        teller.write(message.accepted(), message.delivery("delivery-deferred", ANN))
        told = teller.told("trace", ANN, status=1)
        true("Mend" not in told, told)

    with t.test("No line is longer than 80 columns but for words that are"):
        teller.clear()
        message = Message(recipients=["%s@example.com" % ("a" * 60), BOB])
        teller.write(
            message.accepted(email__subject="word " * 40),
            *[
                message.delivery("delivery-failed", each, reply="550 5.1.1 " + "no such user " * 12)
                for each in message.recipients
            ]
        )
        told = teller.told("trace", message.queue_id, status=2)
        long = [line for line in told.splitlines() if len(line) > 80]
        equal([line for line in long if len(max(line.split(), key=len)) < 50], [], "lines")


def of_many(t, teller):
    with t.test("Several messages are a list, the newest first, and the worst is the exit code"):
        teller.clear()
        first, second = Message("4jYhFirst", [ANN]), Message("4jYhSecond", [ANN, BOB])
        second.fields["source__ip"] = "203.0.113.6"
        teller.write(
            first.accepted("10:00:00.000"),
            first.delivery("delivery-failed", ANN, "10:00:01"),
            second.accepted("11:00:00.000"),
            second.delivery("delivery-succeeded", ANN, "11:00:01"),
            second.delivery("delivery-succeeded", BOB, "11:00:02"),
        )
        want = """\
1 bounced, 1 delivered of 2 messages; newest first, times +01:00

time              id          state      sender -> recipients
%s 12:00  4jYhSecond  delivered  bounce+7@acme.example -> 2 recipients
%s 11:00  4jYhFirst   bounced    bounce+7@acme.example -> ann@example.com
""" % (
            DAY,
            DAY,
        )
        equal(teller.told("trace", ANN, status=2), want, "list")

    with t.test("--recipient and --client leave those that fit"):
        told = teller.told("trace", "billing@acme.example", "--recipient", "BOB@example.com")
        true(told.startswith("2 delivered of 2 recipients\n"), told)
        told = teller.told("trace", ANN, "--client", "203.0.113.5", status=2)
        true(told.startswith("Bounced: ann@example.com\n"), told)
        teller.told("trace", ANN, "--client", "203.0.113.7", status=3)

    with t.test("Of more than 20 the newest are shown, and that there are more"):
        teller.clear()
        teller.write(
            *[
                Message("4jYhN%02d" % number).accepted("11:%02d:00.000" % number)
                for number in range(25)
            ]
        )
        told = teller.told("trace", ANN, status=1)
        ids = re.findall(r"4jYhN\d\d", told)
        equal(ids, ["4jYhN%02d" % number for number in range(24, 4, -1)], "ids")
        true(told.startswith("20 accepted of the newest 20 messages; "), told)


def of_lists(t, teller):
    message = Message(recipients=[ANN, BOB, CARL])
    since = ["--since", "3d"]

    def events(*arguments, status=0):
        return teller.told("events", *since, *arguments, status=status)

    teller.clear()
    teller.write(*whole_story(message))
    with t.test("events has a line an event, in order of time, the day and the offset said once"):
        lines = [line for line in events().splitlines() if "opened" not in line]
        equal(
            lines[:4],
            [
                DAY,
                "12:49:20.536        passed    4jYh153qZyz1bkdK bounce+7@acme.example -> "
                '3 recipients "2 parts, nothing found"',
                "12:49:20.539        signed    4jYh153qZyz1bkdK acme.example/s2026",
                "12:49:20.541        accepted  4jYh153qZyz1bkdK bounce+7@acme.example -> "
                "3 recipients 45.8 KB",
            ],
            "lines",
        )
        true(re.search(r"^\d\d:\d\d:\d\d\.\d+ [+]01:00 opened", events(), re.M), "offset")
        true("12:49:21            bounced   4jYh153qZyz1bkdK bob@example.com at mx" in str(lines), lines)

    with t.test("--json has the events as they stand in the log"):
        for line in events("--json").splitlines():
            true(json.loads(line)["event"]["hash"], line)

    filters = {
        ("--action", "bounced"): 1,
        ("--action", "delivery-failed"): 1,
        ("--action", "session-linked"): 1,
        ("--code", "x"): 0,
        ("--user", "acme-app"): 3,
        ("--tenant", "acme"): 3,
        ("--host", "MX.example.com"): 4,
        ("--host", "198.51.100.9"): 4,
        ("--where", "millgate.delivery.recipient=*@example.com"): 2,
        ("--where", "millgate.delivery.attempt=1"): 1,
        ("--where", "tls.established=true"): 3,
        ("--would",): 0,
        ("--limit", "2"): 2,
        ("--until", DAY + "T11:49:20.540Z", "--tenant", "acme"): 2,
        ("--action", "accepted", "--user", "nobody"): 0,
    }
    for arguments, count in filters.items():
        with t.test("events %s has %d" % (" ".join(arguments), count)):
            lines = events("--json", *arguments).splitlines()
            equal(len(lines), count, "\n".join(lines))

    with t.test("--limit keeps the newest, and the offset is in the first line that is left"):
        lines = events("--limit", "1", "--host", "mx.example.com").splitlines()
        true(lines[-1].startswith("12:49:23 "), lines)
        true("+01:00" in lines[-1], lines)

    with t.test("--follow tells what comes, also over rotation, until it is ended"):
        child = children.spawn(
            [
                os.path.abspath(os.environ.get("MG_BUILDDIR", ".") + "/millgate"),
                "--config",
                teller.config,
                "events",
                "--follow",
                "--json",
                *since,
            ],
            stdout=open(teller.directory + "/followed", "w"),
        )

        def followed(count):
            with open(teller.directory + "/followed") as file:
                return file.read().count("signed") >= count

        wait.until(lambda: followed(1), "the first")
        for number in range(3):
            os.rename(
                teller.log + "/dkim.jsonl", teller.log + "/dkim-%020d.jsonl" % (number * 2 + 1)
            ) if number == 1 else None
            teller.write(
                Message("4jYhF%d" % number).of_filter("dkim", "message-signed", "11:49:20.539")
            )
            wait.until(lambda: followed(number + 2), "event %d" % number)
        children.end(child)


def of_mistakes(t, teller):
    mistakes = {
        ("trace",): "an argument is missing: QUEUE-ID|MESSAGE-ID|ADDRESS|REF",
        ("trace", "--recipent", "x"): 'no option "--recipent"; nearest: --recipient',
        ("trace", "x", "--since", "soon"): '--since "soon"; expected 2h, 3d, 09:00, ',
        ("events", "--where", "x"): '--where "x"; expected FIELD=GLOB',
        ("events", "--limit", "0"): '--limit "0"; expected a number',
        ("events", "--until", "x\x1b"): '--until "x\\x1b"; expected',
        ("events", "x"): '"x": no argument is expected here',
    }
    for arguments, text in mistakes.items():
        with t.test("millgate %s: %s" % (" ".join(arguments).replace("\x1b", "ESC"), text)):
            done = teller.run(*arguments)
            equal((done.returncode, done.stdout), (64, ""), "status")
            true(text in done.stderr, done.stderr)

    with t.test("A folder of logs that is not there is told"):
        os.rename(teller.log, teller.log + ".away")
        for command in ["trace", "x"], ["events"]:
            done = teller.run(*command)
            equal(done.returncode, 74, "status")
            true("/log: No such file or directory" in done.stderr, done.stderr)
        os.rename(teller.log + ".away", teller.log)


def tests(t):
    teller = Teller()
    of_one_message(t, teller)
    of_ends(t, teller)
    of_refusals(t, teller)
    of_parts(t, teller)
    of_strangers(t, teller)
    of_many(t, teller)
    of_lists(t, teller)
    of_mistakes(t, teller)


tap.main(tests)
