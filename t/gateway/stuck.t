#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate stuck: recipients that were accepted and are not finished, from the store that
millgate-track keeps."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import tap, wait
from harness.command import PROGRAM
from harness.gateway import Gateway
from harness.mail import Client, compose
from harness.tap import equal, true
from harness.track import Tracker

NOBODY = 65534


def run(tracker, *arguments, user=None):
    """millgate stuck with the tracker's configuration."""
    options = {"user": user, "group": user, "extra_groups": []} if user else {}
    return subprocess.run(
        [os.path.abspath(PROGRAM), "--config", tracker.directory, "stuck", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=dict(os.environ, TZ="UTC"),
        **options,
    )


def good(tracker, *arguments, status):
    done = run(tracker, *arguments)
    equal((done.returncode, done.stderr), (status, ""), "millgate stuck " + " ".join(arguments))
    return done.stdout


def send(gateway, *recipients):
    with Client(gateway.postfix.smtp_port) as client:
        client.ehlo()
        _, content = compose("stuck")
        return client.message("from@example.com", list(recipients), content)[0].queue_id


def found(tracker, *arguments):
    return json.loads(run(tracker, "--json", *arguments).stdout)


def count(tracker, *arguments):
    return found(tracker, *arguments)["count"]


def wait_for(tracker, *counts):
    """Waits until groups of next hops have these counts, and there are no others."""

    def there():
        groups = found(tracker)["groups"]
        return [g["count"] for g in groups if g["waits"] == "host"] == list(counts) and len(
            groups
        ) == len(counts)

    wait.until(there, lambda: "groups of %r: %r" % (counts, run(tracker)))


def empty(t, tracker):
    with t.test("Without a store nothing is known, and it is said who makes it"):
        done = run(tracker)
        equal(done.returncode, 3, "status")
        true("; millgate-track makes it when it starts" in done.stderr, done.stderr)

    with tracker, t.test("Who waits for nobody is told so"):
        equal(good(tracker, status=0), "No recipient waits\n", "answer")
        equal(
            json.loads(good(tracker, "--json", status=0)),
            {"running": True, "count": 0, "overdue": 0, "unreadable": 0, "groups": []},
            "object",
        )

    with t.test("Where millgate-track does not run, that is the answer"):
        lines = good(tracker, status=3).splitlines()
        equal(lines[1], "millgate-track does not run: this is how it left it", "line 2")


def groups(t, gateway, tracker):
    queue_id = send(gateway, "reply-450-ann@example.com", "reply-450-bob@example.com")
    send(gateway, "reply-451@example.com", "delivered@example.com")
    wait_for(tracker, 2, 1)

    with t.test("Recipients are counted where they wait, and by what was replied"):
        lines = good(tracker, status=1).splitlines()
        true(lines[0].startswith("3 recipients accepted and not finished; oldest "), lines[0])
        equal(lines[2].split()[:3], ["count", "oldest", "where"], "headings")
        equal(lines[3].split()[0::2], ["2", "127.0.0.1", "4.7.1", "the", "says\""], lines[3])
        true('"450 4.7.1 as the recipient says"' in lines[3], lines[3])
        true(lines[4].split()[0] == "1" and '"451 4.7.1 as the' in lines[4], lines[4])
        true(lines[5].startswith("Mend   2 at one host since "), lines[5])
        true(lines[5].endswith(": reputation or rate, not a filter;"), lines[5])
        true("--action delivery-deferred --host 127.0.0.1 --since 1h" in lines[6], lines[6])

    with t.test("--json has the same, by the names of events"):
        all = json.loads(good(tracker, "--json", status=1))
        equal((all["count"], all["overdue"], len(all["groups"])), (3, 0, 2), "counts")
        first = all["groups"][0]
        equal(
            (first["count"], first["waits"], first["where"], first["email"]["local_id"]),
            (2, "host", "127.0.0.1", queue_id),
            "group",
        )
        equal(first["millgate"]["delivery"], {"dsn": "4.7.1", "reply": {"code": 450}}, "reply")

    with t.test("--older, --host and --tenant leave others out"):
        equal(good(tracker, "--older", "1h", status=0), "No recipient waits\n", "older")
        equal(count(tracker, "--host", "127.*"), 3, "host")
        equal(count(tracker, "--host", "mx.example.org"), 0, "other host")
        equal(count(tracker, "--tenant", "acme"), 0, "tenant")
        done = run(tracker, "--older", "x")
        equal(done.returncode, 64, "status")
        true("--older: expected a span" in done.stderr, done.stderr)

    with t.test("What an operator holds is told with how to let it go"):
        equal(gateway.postfix.command("postsuper", "-h", queue_id).returncode, 0, "postsuper")
        wait.until(
            lambda: "held: by hand" in run(tracker).stdout, lambda: repr(run(tracker))
        )
        text = good(tracker, status=1)
        true("held: by hand  waits for you: postsuper -H" in text, text)
        true("postsuper -H %s, postsuper -d %s" % (queue_id, queue_id) in text, text)

    with t.test("Who has no right to read the store is told whose it is"):
        done = run(tracker, user=NOBODY)
        equal(done.returncode, 77 if os.path.exists(tracker.store) else 3, done.stderr)
        true("the group of millgate-track can read it" in done.stderr, done.stderr)


def overdue(t, tracker):
    with t.test("Who waits longer than `overdue` is bad news"):
        wait.until(
            lambda: "3 overdue (over 1s)" in run(tracker).stdout, lambda: repr(run(tracker))
        )
        good(tracker, status=2)


def tests(t):
    with Gateway("log") as gateway:
        tracker = Tracker(gateway)
        empty(t, tracker)
        with tracker:
            groups(t, gateway, tracker)
            tracker.configure(own='overdue = "1s"')
            overdue(t, tracker)


tap.main(tests)
