#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What millgate-dkim signs arrives verifiable at the next hop: two other implementations say so of
each message, whatever Postfix does to it on its way."""
import collections
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import letters, signatures, tap
from harness.events import faults, get
from harness.gateway import OUTSIDE, schema
from harness.letters import AUTHOR, HAVE_LONG_LINES, LETTERS, NEED_8BIT, NOT_LOCAL
from harness.mail import Client, compose
from harness.postfix import USERS
from harness.signing import DOMAIN, Signing
from harness.tap import equal, none, true

BOTH = ((DOMAIN, "s1", "rsa:2048"), (DOMAIN, "e1", "ed25519"))
FORMS = ("relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed")
IDN = "xn--bcher-kva.example"


def queue_id(message):
    """Of a message at the sink, from the field that Postfix put on top."""
    return re.search(rb"\bid ([0-9A-Za-z]+)\b", message.content)[1].decode()


def send_all(gateway):
    """Each letter by SMTP, many on a connection, every third pipelined, and by sendmail(1); returns
    queue id -> name of the letter, and how many were sent."""
    names = {}
    with Client(gateway.postfix.smtp_port) as client:
        client.ehlo()
        for number, (name, content) in enumerate(LETTERS.items()):
            reply, _ = client.message(
                "bounce@example.org", ["to@example.net"], content, pipelined=number % 3 == 0
            )
            true(reply.good, "%s: %r" % (name, reply))
            names[reply.queue_id] = name
        client.quit()
    local = [name for name in LETTERS if name not in NOT_LOCAL]
    for name in local:
        gateway.postfix.sendmail(
            LETTERS[name].replace(b"\r\n", b"\n"), ["local@example.net"], "cron@example.org"
        )
    return names, len(LETTERS) + len(local)


def name_of(names, message):
    """A message by sendmail(1) is known by what it says of itself."""
    known = names.get(queue_id(message))
    if known:
        return known
    told = message.header("X-Name") + message.header("Message-ID")
    return "sendmail(1): %s" % (told or ["no name"])[0]


def all_letters(t, form, extensions):
    where = "%s, %s 8BITMIME" % (form, "with" if extensions else "without")
    settings = 'sign { canonicalization = "%s" }\n' % form
    with Signing(BOTH, settings, extensions=extensions) as gateway:
        names, count = send_all(gateway)
        messages = gateway.arrived(count)
        verdicts = gateway.verify(messages)
        events = collections.defaultdict(list)
        for event in gateway.decided():
            events[get(event, "email.local_id")].append(event)
        judged = []
        for message, verdict in zip(messages, verdicts):
            found = events.get(queue_id(message), [{}])
            keys = sorted(get(event, "millgate.dkim.selector", "none") for event in found)
            judged.append((name_of(names, message), found[0], verdict, keys))

        with t.test("Every letter is signed by each key, and an event each says so: " + where):
            none(
                [
                    "%s: keys %r, %d signatures" % (name, keys, len(verdict))
                    for name, _, verdict, keys in judged
                    if keys != ["e1", "s1"] or len(verdict) != len(BOTH)
                ]
            )

        with t.test("Every signature verifies there, but of a message called fragile: " + where):
            none(
                [
                    "%s: %r, fragile %r" % (name, verdict, get(event, "millgate.dkim.fragile"))
                    for name, event, verdict, _ in judged
                    if not all(verdict)
                    and (extensions or not get(event, "millgate.dkim.fragile"))
                ]
            )

        with t.test("With long lines, too, every signature verifies there: " + where):
            long_ones = [each for each in judged if each[0] in HAVE_LONG_LINES]
            true(len(long_ones) == len(HAVE_LONG_LINES), "%d letters" % len(long_ones))
            none([each[0] for each in long_ones if not all(each[2])])

        with t.test("Fragile are those that a hop without 8BITMIME would change: " + where):
            fragile = {each[0] for each in judged if get(each[1], "millgate.dkim.fragile")}
            none(sorted(NEED_8BIT - fragile))
            none(sorted(fragile & {"plain", "multipart", "large", "fields of lists"}))

        with t.test("Every event has only documented fields: " + where):
            known = schema()
            none([fault for event in gateway.daemon.events() for fault in faults(event, known)])


def changed_on_the_way(t):
    """smtp_header_checks edits after the milters: what it edits breaks, and is seen to."""
    with Signing() as gateway:
        path = gateway.directory + "/checks"
        with open(path, "w") as file:
            file.write("/^Subject: (edit .*)/ REPLACE Subject: [list] $1\n")
        gateway.postfix.configure(smtp_header_checks="regexp:" + path)
        _, first = gateway.deliver(compose("kept", "keep this", AUTHOR)[1])
        _, second = gateway.deliver(compose("edited", "edit this", AUTHOR)[1])

        with t.test("A field that smtp_header_checks edits breaks the signature; others do not"):
            equal(second.header("Subject"), ["[list] edit this"], "Subject")
            equal(gateway.verify([first, second]), [[True], [False]], "verdicts")

        with t.test("One changed letter of the text is seen by both verifiers"):
            forged = first.content.replace(b"Hello", b"Hallo")
            equal(signatures.verified([forged], gateway.records()), [[False]], "verdict")


def added_fields(t):
    with Signing() as gateway:
        bare = b"From: author@example.org\r\nSubject: bare\r\n\r\nbare\r\n"
        _, inside = gateway.deliver(bare)
        with Client(gateway.postfix.submission_port, OUTSIDE) as client:
            client.ehlo()
            client.starttls()
            client.ehlo()
            client.auth("acme-app", USERS["acme-app"])
            client.message("bounce@example.org", ["to@example.net"], bare)
        outside = gateway.arrived(2)[1]

        with t.test("Date and Message-ID that Postfix adds are there before it is signed"):
            (signature,) = signatures.of(inside.content)
            names = signature.tags["h"].lower().split(":")
            true("date" in names and "message-id" in names, "h= is %r" % names)
            equal(gateway.verify([inside]), [[True]], "verdict")

        with t.test("Where it adds none, a signature does not forbid a later hop to add them"):
            equal(outside.header("Date"), [], "Date")
            added = b"Date: Tue, 24 Nov 2026 12:49:20 +0100\r\nMessage-ID: <later@example.net>\r\n"
            later = [outside.content, added + outside.content]
            equal(signatures.verified(later, gateway.records()), [[True], [True]], "verdicts")


def notices(t):
    """Bounces of this Postfix."""
    with Signing(internal_mail_filter_classes="bounce") as gateway:
        content = compose("gone", body=letters.EIGHT_BIT, extra=letters.MIME_8BIT)[1]
        gateway.send(content, "app@example.com", ["reply-550@example.net"])
        (bounce,) = gateway.arrived(1)

        with t.test("A bounce is signed for the domain of MAILER-DAEMON, and verifies"):
            equal((bounce.sender, bounce.recipients), ("", ["app@example.com"]), "envelope")
            equal(gateway.verify([bounce]), [[True]], "verdict")
            equal(signatures.of(bounce.content)[0].tags["d"], DOMAIN, "d=")
            event = gateway.daemon.wait_for_events("message-signed")[-1]
            equal(get(event, "millgate.smtp.from"), "", "sender in the event")
            equal(get(event, "millgate.local"), True, "millgate.local")


def international(t):
    keys = ((IDN, "s1", "rsa:2048"),)
    with Signing(keys) as gateway:
        labels = {
            "A-label": IDN.encode(),
            "U-label": "bücher.example".encode(),
            "U-label in capitals": "BÜCHER.example".encode(),
        }
        for name, domain in labels.items():
            content = (
                b"From: Author <author@%s>\r\nTo: to@example.net\r\nSubject: x\r\n"
                b"Date: Tue, 24 Nov 2026 12:49:20 +0100\r\nMessage-ID: <%d@x>\r\n\r\nHello.\r\n"
                % (domain, len(domain))
            )
            with t.test("A domain written as %s is signed with its A-label" % name):
                event, message = gateway.deliver(content, parameters=" SMTPUTF8")
                equal(get(event, "millgate.dkim.domain"), IDN, "domain in the event")
                equal([each.tags["d"] for each in signatures.of(message.content)], [IDN], "d=")
                equal(gateway.verify([message]), [[True]], "verdict")


def refused(gateway, name):
    """What a client is answered to a letter."""
    reply = gateway.send(LETTERS[name])
    true(not reply.good, "accepted: %r" % reply)
    return reply.code


def choices(t):
    """Settings for what may break."""
    with Signing(settings='fragile = "tempfail"\nlong_lines = "skip"\n') as gateway:
        with t.test('With fragile = "tempfail" mail that may break is deferred, and told'):
            equal(refused(gateway, "8-bit"), 451, "reply")
            event = gateway.daemon.events("message-unsigned")[-1]
            equal(get(event, "event.code"), "fragile", "code")
            equal(get(event, "millgate.dkim.fragile"), ["eight-bit"], "fragile")

        with t.test('With long_lines = "skip" mail that Postfix will cut is not signed'):
            event, message = gateway.deliver(LETTERS["a line of 3000"])
            equal(get(event, "event.code"), "long-line", "code of %r" % event)
            equal(signatures.of(message.content), [], "signatures")

    with Signing(settings='fragile = "skip"\nlong_lines = "sign"\n') as gateway:
        with t.test('With fragile = "skip" mail that may break goes out unsigned'):
            event, message = gateway.deliver(LETTERS["8-bit"])
            equal(get(event, "event.code"), "fragile", "code")
            equal(signatures.of(message.content), [], "signatures")

        with t.test('With long_lines = "sign" what is cut breaks, and is called fragile'):
            event, message = gateway.deliver(LETTERS["a line of 3000"])
            equal(get(event, "event.code"), "fragile", "code of %r" % event)
            equal(get(event, "millgate.dkim.fragile"), ["long-line"], "fragile")

    with Signing(settings='long_lines = "sign"\n') as gateway:
        with t.test("Signed so, it does not verify at the next hop"):
            event, message = gateway.deliver(LETTERS["a line of 3000"])
            equal(get(event, "millgate.dkim.fragile"), ["long-line"], "fragile")
            equal(gateway.verify([message]), [[False]], "verdict")


def tests(t):
    for form in FORMS:
        all_letters(t, form, True)
    for form in FORMS[:2]:
        all_letters(t, form, False)
    choices(t)
    changed_on_the_way(t)
    added_fields(t)
    notices(t)
    international(t)


tap.main(tests)
