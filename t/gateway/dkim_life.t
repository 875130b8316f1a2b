#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate-dkim killed, reloaded, restarted and without DNS, under load: no mail goes out unsigned
that should be signed."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import tap
from harness.events import get
from harness.letters import AUTHOR
from harness.mail import compose
from harness.signing import DOMAIN, Signing
from harness.tap import equal, none, true
from harness.traffic import Load

KILLS = 40
RESTARTS = 10
RELOADS = 40
TWO = ((DOMAIN, "s1", "rsa:2048"), (DOMAIN, "s2", "rsa:2048"))


def load_on(gateway):
    return Load(gateway.postfix.smtp_port, per_connection=3, author=AUTHOR)


def finish(gateway, load):
    load.wait_for(10)
    load.stop()
    gateway.postfix.wait_until_empty()


def assert_all_signed(gateway, load):
    """What was accepted arrived, each with one signature that verifies."""
    messages = gateway.sink.messages()
    equal(len(messages), len(load.accepted), "messages that arrived, and that were accepted")
    none([repr(verdict) for verdict in gateway.verify(messages) if verdict != [True]])


def killed(t):
    chooser = random.Random(4711)
    with Signing(descriptor="fd") as gateway:
        load = load_on(gateway)
        for _ in range(KILLS):
            load.wait_for(2)
            time.sleep(chooser.uniform(0, 0.02))
            gateway.daemon.kill()
            gateway.daemon.start()
        finish(gateway, load)

        with t.test("In %d kills under load nothing goes out unsigned" % KILLS):
            assert_all_signed(gateway, load)

        with t.test("Clients that were not served were told to try again"):
            none([repr(reply) for reply in load.refused if not 400 <= reply.code < 500])
            none(load.broken)

        with t.test("Each message that was accepted has its event"):
            told = [get(event, "email.local_id") for event in gateway.daemon.events()]
            none([queue_id for queue_id in load.accepted if queue_id not in told])


def restarted(t):
    with Signing(descriptor="systemd") as gateway:
        load = load_on(gateway)
        statuses = []
        for _ in range(RESTARTS):
            load.wait_for(5)
            statuses.append(gateway.daemon.stop())
            gateway.daemon.start()
        finish(gateway, load)

        with t.test("In %d restarts on an inherited socket all is signed, none refused" % RESTARTS):
            equal(statuses, [0] * RESTARTS, "exit statuses")
            none([repr(reply) for reply in load.refused] + load.broken)
            assert_all_signed(gateway, load)


def reloaded(t):
    forms = ("relaxed/relaxed", "simple/simple")
    with Signing(default_action="reject") as gateway:
        load = load_on(gateway)
        for number in range(RELOADS):
            form = 'sign { canonicalization = "%s" }\n' % forms[number % len(forms)]
            broken = "no_such_setting = 1\n" if number % 10 == 9 else ""
            gateway.daemon.configure(gateway.own_settings + form + broken)
            gateway.daemon.reload()
            load.wait_for(3)
        finish(gateway, load)

        with t.test("In %d reloads under load, some of a bad file, all is signed" % RELOADS):
            none([repr(reply) for reply in load.refused] + load.broken)
            assert_all_signed(gateway, load)
            true(gateway.daemon.events("config-rejected"), "no bad file was refused")


def without_dns(t):
    with Signing(TWO) as gateway:
        load = load_on(gateway)
        load.wait_for(20)
        before = {get(each, "millgate.dkim.selector") for each in signed(gateway)[-5:]}
        gateway.dns.silence()
        load.wait_for(50)
        gateway.daemon.configure(gateway.own_settings + "# read again\n")
        gateway.daemon.reload()
        gateway.daemon.wait_for_events("config-loaded", 2)
        load.wait_for(50)
        finish(gateway, load)

        with t.test("When DNS falls silent under load all is signed, with the key as before"):
            none([repr(reply) for reply in load.refused] + load.broken)
            assert_all_signed(gateway, load)
            last = {get(each, "millgate.dkim.selector") for each in signed(gateway)[-50:]}
            equal(last, before, "selectors")

        with t.test("Started while DNS is silent, it signs from the first message on"):
            count = gateway.sink.count()
            gateway.daemon.stop()
            gateway.daemon.start()
            for number in range(3):
                reply = gateway.send(compose("silent-%d" % number, sender=AUTHOR)[1])
                true(reply.good, "%r" % reply)
            messages = gateway.arrived(count + 3)[count:]
            equal(gateway.verify(messages), [[True]] * 3, "verdicts")


def signed(gateway):
    return gateway.daemon.events("message-signed")


def tests(t):
    killed(t)
    restarted(t)
    reloaded(t)
    without_dns(t)


tap.main(tests)
