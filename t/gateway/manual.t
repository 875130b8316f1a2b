#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The examples of the manual pages, run as a reader would paste them; only places are others."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import milter, tap
from harness.events import get
from harness.gateway import SETTINGS, SOURCE, Gateway
from harness.mail import Client, compose
from harness.tap import equal, true


def examples(page):
    """The literal displays of a page, roff escapes undone."""
    with open(SOURCE + "/man/" + page) as file:
        blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", file.read(), re.M | re.S)
    return [re.sub(r"\\(.)", lambda m: {"e": "\\"}.get(m[1], m[1]), block) for block in blocks]


def example(page, beginning):
    """The one that begins so."""
    found = [block for block in examples(page) if block.startswith(beginning)]
    equal(len(found), 1, "examples of %s that begin %r" % (page, beginning))
    return found[0]


def run(gateway, command):
    """Runs a shell command of a manual page with the places of this gateway; what it printed."""
    folder = os.path.dirname(gateway.daemon.program)
    command = command.replace("/var/log/millgate", gateway.daemon.event_directory)
    command = re.sub(
        r"\bmillgate-log (?=-)", "millgate-log -c %s " % gateway.daemon.configuration, command
    )
    done = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command],
        cwd=gateway.directory,
        env=dict(os.environ, PATH=folder + ":" + os.environ["PATH"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    equal(done.returncode, 0, "exit status of %s: %r" % (command, done.stderr))
    return done.stdout.decode()


def send(gateway, sender="from@example.com", recipient="ann@example.com", extra=b""):
    _, content = compose("manual", extra=extra)
    with Client(gateway.postfix.smtp_port) as client:
        client.ehlo()
        reply, _ = client.message(sender, [recipient], content)
    return reply


def of_millgate_log(t, gateway, queue_id):
    with t.test("millgate-log(8): who sent to an address"):
        command = example("millgate-log.8", "jq -r")
        true(queue_id in run(gateway, command), "the message is listed")

    with t.test("millgate-log(8): the check before a reload, and a setting in effect"):
        first, second = example("millgate-log.8", "millgate-log -t").splitlines()
        true(": ok" in run(gateway, first.split(" && ")[0]), "ok")
        equal(run(gateway, second).split()[:3], ["keep_age", "=", '"90d"'], "keep_age")


    with t.test("millgate-log(8): a message judged in the circumstances of a case"):
        printed = run(gateway, example("millgate-log.8", "cat >case.json"))
        equal(printed.split(), ["accepted", "outbound", "acme-app", "Invoice"], "what is printed")
        with open(gateway.directory + "/used.json") as file:
            used = json.load(file)
        equal((used["user"], used["port"]), ("acme-app", 49152), "what is recorded")


def of_main_cf(t):
    with t.test("millgate-log(8): Postfix takes the lines for main.cf as they stand"):
        gateway = Gateway("log")
        lines = example("millgate-log.8", "smtpd_milters").strip().splitlines()
        gateway.postfix.configure(**dict(line.split(" = ", 1) for line in lines))
        with gateway:
            equal(send(gateway).code, 250, "reply")
            gateway.daemon.wait_for_events("message-accepted")


def of_millgate_events(t, gateway, queue_id):
    page = "millgate-events.5"

    with t.test("millgate-events(5): the example event has fields of real ones, and no others"):
        real = gateway.daemon.events("message-accepted")[0]
        made = json.loads(example(page, "{"))
        top = set(real) | {"user", "tls", "organization", "source"}
        true(set(made) <= top, "members %s" % (set(made) - top))
        equal(list(made)[-1], "event", "last member")

    with t.test("millgate-events(5): each example for jq runs, and finds what there is"):
        commands = [block for block in examples(page) if block.startswith("jq ")]
        true(len(commands) >= 7, "%d examples" % len(commands))
        printed = [
            run(gateway, command.replace("4jYh153qZyz1bkdK", queue_id)) for command in commands
        ]
        true(queue_id in printed[2], "everything about one message: %r" % printed[2])
        true("start" in printed[5], "starts: %r" % printed[5])
        equal(printed[6].strip(), "0", "events lost")


def of_millgate(t):
    """millgate(7): from a reply to its event."""
    gateway = Gateway("log")
    os.mkdir(gateway.directory + "/probe")
    probe = milter.Daemon("millgate-probe", gateway.postfix, gateway.directory + "/probe", SETTINGS)
    gateway.attach([probe])
    with gateway:
        probe.start()
        reply = send(gateway, extra=b"X-Probe: error not today\r\n")
        with t.test("millgate(7): a refusal ends in its code and reference"):
            found = re.search(r"\[on-error ([0-9a-f]{8})\]", repr(reply))
            true(reply.code == 451 and found, "reply %r" % (reply,))

        with t.test("millgate(7): the reference leads to the event"):
            command = example("millgate.7", "grep").replace("90be44a1", found[1])
            gateway.daemon.event_directory = probe.event_directory
            event = json.loads(run(gateway, command))
            equal(get(event, "event.reason"), "not today", "reason")
        probe.stop()


def tests(t):
    with Gateway("log") as gateway:
        reply = send(gateway)
        gateway.daemon.wait_for_events("message-accepted")
        of_millgate_log(t, gateway, reply.queue_id)
        of_millgate_events(t, gateway, reply.queue_id)
    of_main_cf(t)
    of_millgate(t)


tap.main(tests)
