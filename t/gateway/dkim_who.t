#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Whose mail millgate-dkim signs, for which domain, and what it leaves alone."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dkim

from harness import milter, signatures, tap, wait
from harness.events import get
from harness.gateway import OUTSIDE, SETTINGS, SOURCE
from harness.letters import AUTHOR
from harness.mail import Client, compose
from harness.openssl import Key
from harness.postfix import USERS
from harness.signing import DOMAIN, Signing
from harness.tap import equal, none, true

OURS = ((DOMAIN, "s1", "rsa:2048"), ("acme.example", "a1", "ed25519"))


def domains(message):
    return [signature.tags["d"] for signature in signatures.of(message.content)]


def authors(t):
    with Signing(OURS) as gateway:

        def unsigned(sentence, code, content, action="message-unsigned", **how):
            with t.test(sentence):
                event, message = gateway.deliver(content, **how)
                equal(domains(message), [], "d= of what arrived")
                equal(get(event, "event.action"), action, "action of %r" % event)
                if code:
                    equal(get(event, "event.code"), code, "code")
                    true(get(event, "event.reason"), "there is no reason")

        def signed(sentence, domain, content, **how):
            with t.test(sentence):
                event, message = gateway.deliver(content, **how)
                equal(domains(message), [domain], "d= of what arrived")
                equal(gateway.verify([message]), [[True]], "verdict")
                equal(get(event, "millgate.dkim.domain"), domain, "domain in the event")

        signed("Each author is signed with a key of its own domain", DOMAIN, letter("own"))
        signed(
            "Another author of the same gateway likewise",
            "acme.example",
            letter("acme", sender="app@acme.example"),
        )
        unsigned(
            "A domain without a key is not signed",
            "no-key",
            letter("stranger", sender="a@stranger.example"),
        )
        unsigned(
            "Part of a label is no domain",
            "no-key",
            letter("part", sender="a@notexample.org"),
        )
        unsigned(
            "A stranger's mail with our author is never signed",
            None,
            letter("forged"),
            action="message-passed",
            source=OUTSIDE,
            recipients=["ann@example.org"],
        )
        unsigned(
            "Two fields From are not signed",
            "several-authors",
            b"From: other@example.org\r\n" + letter("two"),
        )
        nobody = letter("none").replace(b"Author <author@example.org>", b"nobody:;")
        unsigned("A From that names nobody is not signed", "no-author", nobody)
        with t.test("A user of the submission service is signed, wherever the client is"):
            before = gateway.sink.count()
            with Client(gateway.postfix.submission_port, OUTSIDE) as client:
                client.ehlo()
                client.starttls()
                client.ehlo()
                client.auth("acme-app", USERS["acme-app"])
                client.message("app@acme.example", ["to@example.net"], letter("submitted"))
            message = gateway.arrived(before + 1)[before]
            equal((domains(message), gateway.verify([message])), ([DOMAIN], [[True]]), "signed")


def letter(name, **parts):
    parts.setdefault("sender", AUTHOR)
    return compose(name, **parts)[1]


def second_pass(t):
    with Signing() as gateway:
        _, first = gateway.deliver(letter("again", body=b"Hello again.\r\n"))

        with t.test("Mail that comes back with our own valid signature is not signed again"):
            event, message = gateway.deliver(first.content)
            equal(get(event, "event.code"), "already-signed", "code of %r" % event)
            equal(gateway.verify([message]), [[True]], "verdicts")

        for part, old, new in (
            ("text", b"Hello again.", b"Hello changed."),
            ("subject", b"Subject: a test", b"Subject: [list] a test"),
        ):
            with t.test("With another %s our signature is replaced: exactly one verifies" % part):
                event, message = gateway.deliver(first.content.replace(old, new))
                equal(get(event, "event.action"), "message-signed", "action")
                equal(gateway.verify([message]), [[True]], "verdicts")

        with t.test("A signature of somebody else stays where it is"):
            foreign = Key(gateway.directory, "stranger.example", "f1")
            gateway.keys.append(foreign)
            with open(foreign.path, "rb") as file:
                field = dkim.sign(first.content, b"f1", b"stranger.example", file.read())
            _, message = gateway.deliver(field + letter("again", body=b"Hello again.\r\n"))
            equal(sorted(domains(message)), [DOMAIN, "stranger.example"], "d=")

        with t.test("What a content filter gives back by a listener in `reinject` is left alone"):
            listener = 'reinject = { "127.0.0.1:%d" }\n' % gateway.postfix.smtp_port
            gateway.daemon.configure(gateway.own_settings + listener)
            gateway.daemon.reload()
            gateway.daemon.wait_for_events("config-loaded", 2)
            event, message = gateway.deliver(first.content)
            equal(get(event, "event.action"), "message-passed", "action")
            equal(gateway.verify([message]), [[True]], "verdicts")


def exceptions(t):
    # The smart host of one recipient refuses signatures.
    match = 'sign { match { not { recipient_domain = { "plain.example" } } } }\n'
    with Signing(settings=match) as gateway:
        with t.test("An exception by recipient domain is not signed, and its event says why"):
            event, message = gateway.deliver(letter("plain"), recipients=["to@plain.example"])
            equal(domains(message), [], "d=")
            equal(get(event, "event.code"), "not-matched", "code")
            equal(domains(gateway.deliver(letter("other"))[1]), [DOMAIN], "d= of other mail")


# Two keys: DNS decides, so it is asked before the first message is signed.
TWO_KEYS = ((DOMAIN, "s1", "rsa:2048"), (DOMAIN, "s2", "rsa:2048"))


def subdomain_identity(flags):
    """i= of mail of a subdomain; flags are in each record."""
    gateway = Signing(TWO_KEYS)
    for key in gateway.keys:
        key.record += flags
    gateway.publish(gateway.keys)
    with gateway:
        _, message = gateway.deliver(letter("sub", sender="a@mail.example.org"))
        equal(gateway.verify([message]), [[True]], "verdict")
        return signatures.of(message.content)[0].tags.get("i")


def signers(t):
    with Signing(OURS, 'sign { by = "sender" }\n') as gateway:
        with t.test('With by = "sender" the domain is that of the envelope'):
            event, message = gateway.deliver(letter("sender"), sender="b@acme.example")
            equal(domains(message), ["acme.example"], "d= of %r" % event)
            equal(gateway.verify([message]), [[True]], "verdict")

    with Signing(OURS, 'sign { also = "acme.example" }\n') as gateway:
        with t.test("`also` adds the signature of the platform, and both verify"):
            _, message = gateway.deliver(letter("also"))
            equal(sorted(domains(message)), ["acme.example", DOMAIN], "d=")
            equal(gateway.verify([message]), [[True, True]], "verdicts")

        with t.test("Of the platform's own mail there is one signature"):
            _, message = gateway.deliver(letter("platform", sender="a@acme.example"))
            equal(domains(message), ["acme.example"], "d=")

    with Signing(settings="subdomains = no\n") as gateway:
        with t.test("With subdomains = no a subdomain needs a key of its own"):
            event, message = gateway.deliver(letter("sub", sender="a@mail.example.org"))
            equal(get(event, "event.code"), "no-key", "code")
            equal(domains(message), [], "d=")

    with t.test("A subdomain is named in i= where the record of the key is seen in DNS"):
        equal(subdomain_identity(""), "@mail.example.org", "i=")

    with t.test("A record with t=s forbids that, so i= is left out"):
        equal(subdomain_identity("; t=s"), None, "i=")

    with Signing(settings='sign { expire = "1h" }\n') as gateway:
        with t.test("A signature that expires within the queue's lifetime is fragile"):
            event, message = gateway.deliver(letter("expires"))
            true("x" in signatures.of(message.content)[0].tags, "there is no x=")
            equal(get(event, "millgate.dkim.fragile"), ["expire"], "fragile")
            equal(gateway.verify([message]), [[True]], "verdict")


def held(t):
    """An earlier filter holds; ours signs what is held."""
    checks = "regexp:" + SOURCE + "/etc/hold.regexp"
    gateway = Signing(milter_header_checks=checks)
    directory = gateway.directory + "/probe"
    os.mkdir(directory)
    probe = milter.Daemon(
        "millgate-probe", gateway.postfix, directory, SETTINGS + 'hold = "header"\n'
    )
    gateway.attach([probe, gateway.daemon])
    probe.start()
    with gateway:
        with t.test("What an earlier filter held is signed, and verifies once it is released"):
            reply = gateway.send(letter("held", extra=b"X-Probe: hold test-code\r\n"))
            gateway.daemon.wait_for_events("message-signed")
            equal([each["queue_name"] for each in gateway.postfix.queue()], ["hold"], "queue")
            directory = gateway.postfix.directory
            gateway.postfix.command("postsuper", "-c", directory, "-H", reply.queue_id)
            gateway.postfix.command("postqueue", "-c", directory, "-f")
            (message,) = gateway.arrived(1)
            equal(gateway.verify([message]), [[True]], "verdict")
            equal(message.header("X-Millgate-Hold"), [], "the field that held it")
        probe.stop()


def in_a_chain(t):
    with Signing() as gateway:
        directory = gateway.directory + "/chain"
        os.mkdir(directory)
        settings = gateway.daemon.settings
        filters = {"dkim": settings, "log": SETTINGS}
        chain = milter.Chain("millgate-chain", gateway.postfix, directory, filters)
        gateway.attach([chain])
        chain.start()

        def handled():
            gateway.send(letter("chain-%d" % gateway.sink.count()))
            return chain.of("log").events("message-accepted")

        with t.test("In one millgate-chain with millgate-log, mail is signed and recorded"):
            wait.until(handled, "Postfix to use the chain")
            gateway.postfix.wait_until_empty()
            (signed,) = chain.of("dkim").events("message-signed")
            (recorded,) = chain.of("log").events("message-accepted")
            equal(
                get(signed, "email.local_id"), get(recorded, "email.local_id"), "queue id of both"
            )
            verdicts = gateway.verify(gateway.sink.messages())
            none([repr(verdict) for verdict in verdicts if verdict != [True]])
        chain.stop()


def tests(t):
    authors(t)
    second_pass(t)
    exceptions(t)
    signers(t)
    held(t)
    in_a_chain(t)


tap.main(tests)
