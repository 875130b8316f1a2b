#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The life of millgate-track: killed 50 times under load while the log is rotated, and still each
delivery has its one event."""
import collections
import gzip
import os
import random
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import children, tap, wait
from harness.events import get
from harness.gateway import Gateway
from harness.mail import Client, compose
from harness.tap import Skip, equal, none, true
from harness.track import Tracker
from harness.traffic import Load

KILLS = 50


# --- two witnesses ---


def log_lines(postfix):
    """All lines that Postfix wrote, those in rotated files too."""
    directory, name = os.path.split(postfix.log.path)
    for file in sorted(os.listdir(directory)):
        if file.startswith(name):
            path = os.path.join(directory, file)
            with (gzip.open if file.endswith(".gz") else open)(path, "rt", errors="replace") as log:
                yield from log


def delivered(postfix):
    """How often Postfix says that it delivered (queue id, recipient)."""
    counts = collections.Counter()
    for line in log_lines(postfix):
        if " status=sent " in line and ": to=<" in line:
            queue_id, rest = line.split("]: ", 1)[1].split(": to=<", 1)
            counts[queue_id, rest.split(">", 1)[0]] += 1
    return counts


def told(tracker):
    """How often an event says so."""
    return collections.Counter(
        (event["email"]["local_id"], event["millgate"]["delivery"]["recipient"])
        for event in tracker.events("delivery-succeeded")
    )


def differences(tracker):
    """Sentences, none if both say the same."""
    postfix, events = delivered(tracker.gateway.postfix), told(tracker)
    return [
        "%s to %s: delivered %d times, %d events" % (*key, postfix[key], events[key])
        for key in sorted(set(postfix) | set(events))
        if postfix[key] != events[key]
    ]


def twice(tracker):
    """Ids of events that are there more than once."""
    counts = collections.Counter(event["event"]["id"] for event in tracker.events())
    return [key for key, count in counts.items() if count > 1]


def wait_until_told(tracker):
    """Waits until there are as many events of deliveries as deliveries."""

    def missing():
        return sum((delivered(tracker.gateway.postfix) - told(tracker)).values())

    wait.until(
        lambda: missing() == 0,
        lambda: "%d events; %s" % (missing(), tracker.log()[-1500:]),
        pause=0.2,
    )


def send(gateway, recipients=("ann@example.com",), number="1"):
    """One message; its queue id."""
    with Client(gateway.postfix.smtp_port) as client:
        client.ehlo()
        _, content = compose(number)
        return client.message("from@example.com", list(recipients), content)[0].queue_id


# --- kills ---


def rotate(postfix):
    """As logrotate does: each old file gets the next number, the newest of them is compressed from
    the second on and keeps its time."""
    path = postfix.log.path
    numbers = [number for number in range(1, 100) if os.path.exists("%s.%d.gz" % (path, number))]
    for number in reversed(numbers):
        os.rename("%s.%d.gz" % (path, number), "%s.%d.gz" % (path, number + 1))
    if os.path.exists(path + ".1"):
        with open(path + ".1", "rb") as plain, gzip.open(path + ".2.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        shutil.copystat(path + ".1", path + ".2.gz")
    os.rename(path, path + ".1")
    os.kill(postfix.child.pid, signal.SIGHUP)


def kill_under_load(tracker, load):
    """Kills at random moments, and starts again; now and then rotates the log, while it runs and
    while it does not, and reloads."""
    chooser = random.Random(4711)
    for number in range(1, KILLS + 1):
        load.wait_for(1)
        time.sleep(chooser.uniform(0, 0.4))
        if number % 10 == 5:
            rotate(tracker.gateway.postfix)
        if number % 10 == 7:
            tracker.reload()
        tracker.kill()
        if number % 10 == 0:
            rotate(tracker.gateway.postfix)
            load.wait_for(1)
        tracker.start()


def killed(t, gateway):
    tracker = Tracker(gateway).start()
    load = Load(gateway.postfix.smtp_port, threads=2, pause=0.05)
    kill_under_load(tracker, load)
    load.wait_for(1)
    load.stop()
    # What came while the queue manager was being replaced is found at its next look.
    gateway.postfix.command("postqueue", "-c", gateway.postfix.directory, "-f")
    gateway.postfix.wait_until_empty()
    wait_until_told(tracker)

    with t.test(
        "After %d kills and 10 rotations under load each delivery has its one event" % KILLS
    ):
        none(differences(tracker))
        true(sum(told(tracker).values()) >= KILLS, "too few deliveries")

    with t.test("No event is there twice"):
        none(twice(tracker))

    with t.test("No line was lost, and none was not understood"):
        equal(
            [len(tracker.events(action)) for action in ("events-lost", "line-unknown")],
            [0, 0],
            "events-lost, line-unknown; " + tracker.log()[-1000:],
        )

    with t.test("Each start is recorded, and the chain of hashes holds over all"):
        equal(len(tracker.events("log-opened")), KILLS + 1, "starts")
        result = tracker.verify()
        equal(result.returncode, 0, result.stdout.decode()[-1000:])

    with t.test("No recipient is open any more"):
        wait.until(
            lambda: tracker.metrics().get("millgate_track_recipients_open") == 0,
            lambda: "no open recipient: %r" % tracker.metrics(),
        )

    with t.test("SIGTERM ends it with 0 and metrics of the last moment"):
        events = len(tracker.events())
        equal(tracker.stop(), 0, "exit status; " + tracker.log()[-1000:])
        equal(tracker.metrics()["millgate_log_sequence"], events, "millgate_log_sequence")
    return tracker


# --- a store that is gone ---


def lost_store(t, tracker):
    gateway = tracker.gateway
    with t.test("A store that was deleted is filled from the log anew, and no event comes twice"):
        shutil.rmtree(tracker.store)
        tracker.start()
        send(gateway, number="deleted")
        gateway.postfix.wait_until_empty()
        wait_until_told(tracker)
        none(differences(tracker) + twice(tracker))
        true("the store is new" in tracker.log(), "it says so")
        equal(tracker.stop(), 0, "exit status")

    with t.test("A damaged store is kept aside, and no event comes twice"):
        with open(tracker.store + "/data.mdb", "r+b") as file:
            file.write(b"\xff" * 8192)
        tracker.start()
        send(gateway, number="damaged")
        gateway.postfix.wait_until_empty()
        wait_until_told(tracker)
        none(differences(tracker) + twice(tracker))
        true(os.path.exists(tracker.store + ".damaged-1"), "it is aside; " + tracker.log()[-500:])
        equal(tracker.stop(), 0, "exit status")


# --- reload ---


def reloaded(t, tracker):
    tracker.start()
    loaded = len(tracker.events("config-loaded"))

    with t.test("SIGUSR1 loads the configuration again"):
        tracker.configure(own='overdue = "1h"')
        tracker.reload()
        tracker.wait_for_events("config-loaded", loaded + 1)

    with t.test("A mistake keeps the old one, and an event says why"):
        tracker.configure(own='overdu = "1h"')
        tracker.reload()
        event = tracker.wait_for_events("config-rejected")[-1]
        errors = get(event, "millgate.config.errors")
        true('no setting "overdu"; nearest: overdue' in errors[0], errors)
        true("reload refused, old one stays" in tracker.log(), tracker.log()[-500:])
        tracker.configure(own="")

    with t.test("It goes on after reloads"):
        send(tracker.gateway, number="reloaded")
        tracker.gateway.postfix.wait_until_empty()
        wait_until_told(tracker)
        none(differences(tracker))

    with t.test("What takes a restart is said"):
        follow = tracker.follow
        tracker.follow = "/nowhere/mail.log"
        tracker.configure()
        tracker.reload()
        tracker.wait_for_events("config-loaded", loaded + 2)
        wait.until(
            lambda: "follow, store: changed, which takes a restart" in tracker.log(), tracker.log
        )
        tracker.follow = follow
        tracker.configure()
    tracker.stop()


# --- configuration ---


def checked(t, tracker):
    with t.test("-t accepts common.conf with the settings of milters"):
        result = tracker.check()
        equal((result.returncode, b": ok" in result.stdout), (0, True), result.stderr.decode())

    with t.test("-T prints what it goes by, and that is a configuration"):
        printed = tracker.print()
        true('overdue = "4h"' in printed and "engine" not in printed, printed)
        tracker.configure(raw=printed)
        equal(tracker.check().returncode, 0, "exit status")
        equal(tracker.print(), printed, "what is printed the second time")

    for lines, expected in (
        ('socket = "inet:1@127.0.0.1"', 'no setting "socket"'),
        ('overdue = "5"', "overdue"),
        ('follow = "mail.log"', "follow"),
        ('store = "redis:x"', "store"),
        ('expect = { "auto", "log" }', '"auto" stands alone'),
        ('instances = { "postfix" }', "instances"),
    ):
        with t.test("-t refuses %s, with its line" % lines):
            tracker.configure(own=lines)
            if lines.startswith(("follow", "store")):
                with open(tracker.configuration, "w") as file:
                    file.write('include("common.conf")\n' + lines + "\n")
            result = tracker.check()
            equal(result.returncode, 78, "exit status")
            true(
                "millgate-track: track.conf:" in result.stderr.decode()
                and expected in result.stderr.decode(),
                result.stderr.decode(),
            )
    tracker.configure(own="")


# --- a backlog, and lines nobody understands ---


def backlog(t, gateway):
    tracker = Tracker(gateway)
    shutil.rmtree(tracker.store, ignore_errors=True)
    now = time.time()
    with open(gateway.postfix.log.path, "a") as log:
        for number in range(200):
            stamp = time.localtime(now - 3600 if number < 199 else now)
            stamp = time.strftime("%b %e %H:%M:%S", stamp)
            log.write("%s mx postfix/smtpd[4711]: gibberish %d\n" % (stamp, number))
    tracker.start()
    with t.test("It is ready before it reads what there is"):
        tracker.wait_for_events("line-unknown", 2)
        actions = [event["event"]["action"] for event in tracker.events()]
        true(actions[-1] == "line-unknown", actions[-1])
        last_start = len(actions) - actions[::-1].index("log-opened")
        true("line-unknown" not in actions[: actions.index("config-loaded", last_start)], actions)

    with t.test("Of many lines that are not understood one a minute is told, and how many were not"):
        reasons = [get(event, "event.reason") for event in tracker.events("line-unknown")]
        more = "not understood, and 198 more of this program"
        equal(reasons, ["not understood", more], "reasons")
        wait.until(
            lambda: tracker.metrics().get('millgate_track_lines_total{result="unknown"}') == 200,
            lambda: "metrics: %r" % tracker.metrics(),
        )
    tracker.stop()


# --- the queue ---


def compared(t, gateway):
    """A message that was delivered while the log was lost."""
    tracker = Tracker(gateway).start()
    relay = "[127.0.0.1]:%d" % gateway.sink.port
    gateway.postfix.configure(relayhost="[127.0.0.1]:%d" % children.free_port())
    lost = send(gateway, ("lost@example.com",), "lost")
    kept = send(gateway, ("kept@example.com",), "kept")
    tracker.wait_for_events("delivery-deferred", 2)
    tracker.stop()
    gateway.postfix.command("postsuper", "-c", gateway.postfix.directory, "-h", kept)
    gateway.postfix.configure(relayhost=relay)
    gateway.postfix.command("postqueue", "-c", gateway.postfix.directory, "-f")
    gateway.postfix.wait_until_empty()
    os.truncate(gateway.postfix.log.path, 0)
    tracker.start()

    with t.test("What left the queue while the log was lost has an event, with outcome unknown"):
        tracker.wait_for_events("message-removed")
        events = [
            event
            for event in tracker.events("message-removed")
            if get(event, "email.local_id") == lost
        ]
        equal([get(event, "event.outcome") for event in events], ["unknown"], "outcomes")

    with t.test("What is in the queue is kept"):
        equal(
            [
                event["event"]["action"]
                for event in tracker.events("message-removed")
                if get(event, "email.local_id") == kept
            ],
            [],
            "events of the message that is held",
        )
        wait.until(
            lambda: tracker.metrics().get("millgate_track_recipients_open") == 1,
            lambda: "one open recipient: %r" % tracker.metrics(),
        )
    gateway.postfix.command("postsuper", "-c", gateway.postfix.directory, "-d", kept)
    tracker.stop()


# --- a full disk ---


def fill(path):
    with open(path, "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)) == 4096:
                pass
        except OSError:
            pass


def full(t):
    disk = children.temporary_directory("small")
    if not children.small_disk(disk, "2m"):
        raise Skip("a tmpfs cannot be mounted here")
    with Gateway("log", 'on_error = "accept"\n', event_directory=disk) as gateway:
        with Tracker(gateway) as tracker:
            send(gateway)
            wait_until_told(tracker)
            fill(disk + "/filler")
            for number in range(40):
                send(gateway, ("a@example.com", "b@example.com"), "full-%d" % number)
            gateway.postfix.wait_until_empty()
            wait.until(lambda: "No space left on device" in tracker.log(), tracker.log)
            os.unlink(disk + "/filler")
            wait_until_told(tracker)

            with t.test("What could not be written on a full disk is written later, once"):
                none(differences(tracker) + twice(tracker))
                equal(len(tracker.events("events-lost")), 0, "events-lost")
                equal(tracker.verify().returncode, 0, "--verify")

            with t.test("The trouble is logged once, not each second"):
                equal(tracker.log().count("No space left on device") <= 3, True, tracker.log())


def tests(t):
    with Gateway("log") as gateway:
        tracker = killed(t, gateway)
        lost_store(t, tracker)
        reloaded(t, tracker)
        checked(t, tracker)
        backlog(t, gateway)
        compared(t, gateway)
    full(t)


tap.main(tests)
