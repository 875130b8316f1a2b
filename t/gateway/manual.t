#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The examples of the manual pages, run as a reader would paste them; only places are others."""
import copy
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
from harness.track import Tracker


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
    name = gateway.daemon.name
    folder = os.path.dirname(gateway.daemon.program)
    command = command.replace("/var/log/millgate", gateway.daemon.event_directory)
    command = re.sub(
        r"\b%s (?=-)" % name, "%s -c %s " % (name, gateway.daemon.configuration), command
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


def of_millgate_dkim(t):
    """A key by hand, its record, a message judged, and what real mail leaves in the log."""
    gateway = Gateway("dkim")
    keys = gateway.directory + "/keys"
    os.mkdir(keys, 0o750)
    gateway.daemon.configure(gateway.daemon.settings + 'keys = "%s"\n' % keys)
    os.mkdir(gateway.directory + "/log", 0o755)
    os.mkdir(gateway.directory + "/etc", 0o755)
    for name in "common.conf", "dkim.conf":
        with open("%s/etc/%s" % (gateway.directory, name), "w") as file:
            file.write('events { directory = "%s/log" }\n' % gateway.directory)
            file.write('keys = "%s"\n' % keys if name == "dkim.conf" else "")
    record = milter.Daemon("millgate-log", gateway.postfix, gateway.directory + "/log", SETTINGS)
    lines = example("millgate-dkim.8", "smtpd_milters")
    gateway.postfix.configure(**dict(re.findall(r"^(\w+) = (.*(?:\n +.*)*)", lines, re.M)))

    with t.test("millgate-dkim(8): the key is made, and its record is the one of the file"):
        command = example("millgate-dkim.8", "millgate key new")
        printed = run(gateway, command.replace("millgate key", "millgate --config etc key"))
        made, shown = re.findall(r'^s2026\._domainkey.* TXT \( ((?:"[^"]*"\s*)+)\)', printed, re.M)
        true(made == shown and "v=DKIM1; k=rsa; " in made, "records %r" % printed)

    with t.test("millgate-dkim(8): a message is judged and signed"):
        printed = run(gateway, example("millgate-dkim.8", "printf"))
        equal(printed.split(), ["DKIM-Signature", "message-signed", "s2026"], "what is printed")

    with t.test("millgate-dkim(8): what left unsigned is counted"):
        with gateway:
            record.start()
            send(gateway)
            record.wait_for_events("message-accepted")
            record.stop()
            printed = run(gateway, example("millgate-dkim.8", "jq -r"))
        equal(printed.split(), ["1", "example.com", "no-key"], "what is printed")


def of_dkim_conf(t):
    page = "millgate-dkim.conf.5"
    blocks = examples(page)
    gateway = Gateway("dkim")
    settings = gateway.daemon.settings
    table = gateway.directory + "/sign-domains"
    with open(table, "w") as file:
        file.write(example(page, "news@"))
    os.chmod(table, 0o644)

    for block in blocks:
        if block.startswith("news@"):
            continue
        with t.test("dkim.conf(5): the daemon takes the example " + block.split("\n")[0]):
            lines = re.sub(r"^include.*$", "", block, flags=re.M)
            lines = lines.replace("/etc/millgate/sign-domains", table)
            lines = re.sub(r"^keys .*$", "", lines, flags=re.M)
            lines += 'keys = "%s"\n' % gateway.directory
            gateway.daemon.configure(settings + lines)
            true(": ok" in run(gateway, "millgate-dkim -t"), "ok")

    with t.test("dkim.conf(5): the exceptions are as the table says"):
        gateway.daemon.configure(
            settings
            + 'keys = "%s"\nsign { domains = { "file:%s" } }\n' % (gateway.directory, table)
        )
        for author, code in (("a@partner.example", "exception"), ("a@acme.example", "no-key")):
            printed = run(
                gateway,
                "printf 'From: %s\\n\\nx\\n' | millgate-dkim --judge - |"
                " jq -r '.events[].event.code'" % author,
            )
            equal(printed.strip(), code, author)


def of_millgate_track(t):
    """The settings of the page, and what the examples find of real mail."""
    page = "millgate-track.conf.5"
    gateway = Gateway("log")
    tracker = Tracker(gateway)
    blocks = [block for block in examples(page) if "include" not in block]
    true(len(blocks) == 4, "%d examples" % len(blocks))
    for block in blocks:
        with t.test("track.conf(5): the daemon takes the example " + block.split("\n")[0]):
            tracker.configure(raw='include("common.conf")\n' + block)
            result = tracker.check()
            equal((result.returncode, result.stderr), (0, b""), "exit status of -t")
    tracker.configure()

    lines = example("millgate-track.8", "enable_long").strip().splitlines()
    gateway.postfix.configure(**dict(line.split(" = ", 1) for line in lines))
    with gateway, tracker:
        send(gateway, recipient="reply-550@example.com")
        tracker.wait_for_events("delivery-failed")
        with t.test("millgate-track(8): the check before a reload, and a setting in effect"):
            first, second = example("millgate-track.8", "millgate-track -t").splitlines()
            true(": ok" in run_as(tracker, first.split(" && ")[0]), "ok")
            equal(run_as(tracker, second).split()[:3], ["overdue", "=", '"4h"'], "overdue")

        with t.test("millgate-track(8): who bounced, and why"):
            printed = run_as(tracker, example("millgate-track.8", "jq -r"))
            true(printed.startswith("reply-550@example.com\t") and "550" in printed, printed)


def run_as(daemon, command):
    """run() of another daemon than the gateway's."""
    view = copy.copy(daemon.gateway)
    view.daemon = daemon
    return run(view, command)


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
    of_millgate_track(t)
    of_main_cf(t)
    of_millgate_dkim(t)
    of_dkim_conf(t)
    of_millgate(t)


tap.main(tests)
