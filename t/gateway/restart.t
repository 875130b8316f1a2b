#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate-log ended and started again: with an inherited socket nobody is refused, and at no step
is a message lost."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import tap
from harness.events import get
from harness.gateway import Gateway
from harness.mail import Client, compose, dot_stuffed
from harness.tap import equal, none, true
from harness.traffic import Load, record_faults

RESTARTS = 25
AT_ONCE = 30
RECIPIENTS = ["one@example.org", "two@example.org"]


def restart(daemon):
    """SIGTERM, its end, and the next one on the same socket; returns the exit status."""
    status = daemon.stop()
    daemon.start()
    return status


def restart_when_ended(daemon, statuses):
    statuses.append(daemon.wait_until_ended())
    daemon.start()


def under_load(t, gateway):
    load = Load(gateway.postfix.smtp_port)
    statuses = []
    for _ in range(RESTARTS):
        load.wait_for(5)
        statuses.append(restart(gateway.daemon))
    load.wait_for(5)
    load.stop()
    gateway.postfix.wait_until_empty()

    with t.test(
        "In %d restarts on an inherited socket under load no message is refused" % RESTARTS
    ):
        warnings = gateway.postfix.log.find("warning: ")
        none([repr(reply) for reply in load.refused] + load.broken + warnings)
        equal(statuses, [0] * RESTARTS, "exit statuses")

    with t.test("Across restarts each accepted message has exactly one event"):
        none(record_faults(load.accepted, gateway.daemon))


def to_connect(client, _content):
    del client


def to_helo(client, _content):
    client.ehlo()


def to_mail(client, content):
    to_helo(client, content)
    equal(client.command("MAIL FROM:<step@example.com>").code, 250, "MAIL")


def to_rcpt(client, content):
    to_mail(client, content)
    for recipient in RECIPIENTS:
        equal(client.command("RCPT TO:<%s>" % recipient).code, 250, "RCPT")


def to_data_half_sent(client, content):
    to_rcpt(client, content)
    equal(client.command("DATA").code, 354, "DATA")
    client.send(dot_stuffed(content)[:200])


def to_final_dot(client, content):
    to_data_half_sent(client, content)
    client.send(dot_stuffed(content)[200:] + b".\r\n")


def rest(step, client, content):
    """What is left of the message after a step; the reply that ends it."""
    if step is to_final_dot:
        return client.reply()
    if step is to_data_half_sent:
        client.send(dot_stuffed(content)[200:] + b".\r\n")
        return client.reply()
    if step is to_connect:
        client.ehlo()
    if step in (to_connect, to_helo):
        return client.message("step@example.com", RECIPIENTS, content)[0]
    if step is to_mail:
        for recipient in RECIPIENTS:
            client.command("RCPT TO:<%s>" % recipient)
    return client.data(content)


STEPS = [
    (to_connect, "connect"),
    (to_helo, "EHLO"),
    (to_mail, "MAIL"),
    (to_rcpt, "RCPT"),
    (to_data_half_sent, "half of the content"),
    (to_final_dot, "the final dot"),
]
# Once MAIL is answered the daemon knows of a message, and waits for a client however slow.
UNDER_WAY = STEPS[2:5]
PAUSE = 4  # longer than a drain waits for a session without a message


def ended_at(gateway, step, name, pause=0):
    """Ends the daemon while a message is at that step, and starts it again; the final reply.
    pause: seconds that the client then takes before it goes on."""
    _, content = compose("step-" + name.replace(" ", "-"))
    with Client(gateway.postfix.smtp_port) as client:
        step(client, content)
        gateway.daemon.terminate()
        statuses = []
        restarting = threading.Thread(target=restart_when_ended, args=(gateway.daemon, statuses))
        restarting.start()
        time.sleep(pause)
        reply = rest(step, client, content)
        restarting.join()
    equal(statuses, [0], "exit status")
    return reply


def assert_answered(gateway, reply):
    """The message was accepted, and its event is there."""
    true(reply.code == 250, "the message under way was refused: %r" % reply)
    gateway.daemon.wait_for_events("message-accepted")
    recorded = [
        get(event, "email.local_id") for event in gateway.daemon.events("message-accepted")
    ]
    equal(recorded.count(reply.queue_id), 1, "events of %s" % reply.queue_id)


def at_once(t, gateway):
    with t.test(
        "Ended as soon as it is ready, the daemon ends with status 0, each of %d times"
        % AT_ONCE
    ):
        equal([restart(gateway.daemon) for _ in range(AT_ONCE)], [0] * AT_ONCE, "exit statuses")


def tests(t):
    with Gateway("log", descriptor="systemd") as gateway:
        at_once(t, gateway)
        under_load(t, gateway)
        for step, name in STEPS:
            with t.test(
                "SIGTERM while a message is at %s: it is answered, and recorded if accepted"
                % name
            ):
                assert_answered(gateway, ended_at(gateway, step, name))
        for step, name in UNDER_WAY:
            with t.test("SIGTERM while a message is at %s of a slow client: likewise" % name):
                assert_answered(gateway, ended_at(gateway, step, "slow " + name, PAUSE))


tap.main(tests)
