#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate auth: who fails to log in, from what Postfix logs and what millgate-log saw."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import tap
from harness.command import PROGRAM
from harness.gateway import Gateway
from harness.mail import Client, compose
from harness.postfix import USERS
from harness.tap import equal, true
from harness.track import Tracker


def run(tracker, *arguments):
    return subprocess.run(
        [os.path.abspath(PROGRAM), "--config", tracker.directory, "auth", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=dict(os.environ, TZ="UTC"),
    )


def good(tracker, *arguments, status):
    done = run(tracker, *arguments)
    equal((done.returncode, done.stderr), (status, ""), "millgate auth " + " ".join(arguments))
    return done.stdout


def log_in(gateway, user, password, source="127.0.0.1", send=False):
    with Client(gateway.postfix.submission_port, source=source) as client:
        client.ehlo()
        client.starttls()
        client.ehlo()
        reply = client.auth(user, password)
        if send:
            _, content = compose("auth")
            equal(client.message("a@example.com", ["to@example.org"], content)[0].code, 250, "sent")
    return reply.code


def of_users(t, gateway, tracker):
    with t.test("Where nobody fails, that is the answer"):
        equal(log_in(gateway, "crm", USERS["crm"], send=True), 235, "log-in")
        tracker.wait_for_events("session-linked")
        equal(good(tracker, status=0), "Nobody fails to log in; 1 user does\n", "answer")

    equal(log_in(gateway, "acme-app", USERS["acme-app"], send=True), 235, "log-in")
    for number in range(3):
        equal(log_in(gateway, "acme-app", "wrong", "127.0.0.3"), 535, "log-in")
    tracker.wait_for_events("auth-failed", 3)
    tracker.wait_for_events("session-linked", 2)

    with t.test("Who fails is told with where, how often, why, and where it worked before"):
        lines = good(tracker, status=2).splitlines()
        event = tracker.events("auth-failed")[0]
        user = event.get("user", {}).get("name", "")
        true(" fails to log in; " in lines[0], lines[0])
        equal(lines[2].split(), ["user", "client", "tries", "last", "reason"], "headings")
        cells = lines[3].split()
        equal(cells[:3], [user or "-", "127.0.0.3", "3"], lines[3])
        true("password wrong (535 5.7.8)" in lines[3], lines[3])
        if user:
            true("; worked from 127.0.0.1 until " in lines[3], lines[3])
            true(lines[4].startswith("Mend   acme-app: put the new password into the app"), lines)

    with t.test("--json has the same; --client and --since leave others out"):
        found = json.loads(good(tracker, "--json", status=2))
        equal((found["networks"], len(found["failing"])), (0, 1), "counts")
        equal(found["failing"][0]["tries"], 3, "tries")
        equal(good(tracker, "--client", "127.0.0.1", status=0)[:6], "Nobody", "client")
        text = good(tracker, "--client", "127.0.0.0/8", "--json", status=2)
        equal(len(json.loads(text)["failing"]), 1, "network")
        equal(run(tracker, "--client", "x").returncode, 64, "no address")

    with t.test("A user that is not known is not known"):
        good(tracker, "zoe", status=3)
        true("1 user does" in good(tracker, "crm", status=0), "crm")


def of_networks(t, gateway, tracker):
    before = len(tracker.events("auth-failed"))
    with Client(gateway.postfix.submission_port, source="127.0.9.9") as client:
        client.ehlo()
        client.starttls()
        client.ehlo()
        for number in range(12):
            client.auth("guess%d" % number, "secret")
    tracker.wait_for_events("auth-failed", before + 12)
    with t.test("Many names from one network are guessing, not users"):
        rows = json.loads(good(tracker, "--json", status=2))["failing"]
        if "user" in tracker.events("auth-failed")[0]:
            equal((rows[-1]["guessing"], rows[-1]["client"]), (True, "127.0.9.0/24"), rows)
            equal((rows[-1]["tries"], rows[-1]["names"]), (12, 12), "tries")
            true("12 names tried: guessing, not a user" in good(tracker, status=2), "text")
        else:
            equal(sorted(row["tries"] for row in rows), [3, 12], rows)


def tests(t):
    with Gateway("log") as gateway, Tracker(gateway) as tracker:
        of_users(t, gateway, tracker)
        of_networks(t, gateway, tracker)


tap.main(tests)
