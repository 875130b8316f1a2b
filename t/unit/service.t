#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A daemon that is no milter, millgate-track: its command line, its start, its watchdog and its end,
without a Postfix."""
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gateway"))
from harness import children, events, tap, wait
from harness.tap import equal, true

PROGRAM = os.path.join(os.path.abspath(os.environ.get("MG_BUILDDIR", ".")), "millgate-track")


class Place:
    """A folder with a log of nobody, and the configuration of a daemon that follows it."""

    def __init__(self, **settings):
        self.directory = children.temporary_directory("service")
        os.mkdir(self.directory + "/log")
        self.mail_log = self.directory + "/mail.log"
        with open(self.mail_log, "w"):
            pass
        self.configuration = self.directory + "/track.conf"
        self.write(**settings)

    def write(self, **settings):
        values = {
            "follow": self.mail_log,
            "store": "lmdb:%s/store" % self.directory,
            "metrics": self.directory,
        }
        values.update(settings)
        with open(self.configuration, "w") as file:
            for name, value in values.items():
                file.write('%s = "%s"\n' % (name, value))
            file.write('queues = { }\nevents { directory = "%s/log" }\n' % self.directory)
        os.chmod(self.configuration, 0o644)

    def run(self, *arguments):
        return subprocess.run(
            [PROGRAM, "-c", self.configuration, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=wait.GENEROUS,
        )

    def start(self, **environment):
        """The process, and the socket on which it notifies."""
        notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notices.bind(self.directory + "/notify")
        notices.settimeout(wait.GENEROUS)
        child = children.spawn(
            [PROGRAM, "-c", self.configuration],
            env=dict(os.environ, NOTIFY_SOCKET=self.directory + "/notify", **environment),
            stderr=subprocess.DEVNULL,
        )
        return child, notices


def command_line(t):
    place = Place()
    with t.test("-h lists what it has, and nothing of judging a message"):
        result = place.run("-h")
        equal(result.returncode, 0, "exit status")
        true("--verify" in result.stdout and "--judge" not in result.stdout, result.stdout)

    for arguments, expected in (
        (["--judge", "x"], 'no option "--judge"'),
        (["--verfy"], 'no option "--verfy"; nearest: --verify'),
        (["-o", "overdue"], "expected NAME=VALUE"),
        (["x"], '"x": no argument is expected here'),
    ):
        with t.test("%s is wrong use" % " ".join(arguments)):
            result = place.run(*arguments)
            equal(result.returncode, 64, "exit status")
            true(expected in result.stderr, result.stderr)

    with t.test("-o goes over the file"):
        result = place.run("-o", "overdue=90m", "-T")
        true('overdue = "90m"' in result.stdout, result.stdout + result.stderr)

    with t.test("-t of a good file, and of one with a mistake"):
        equal(place.run("-t").returncode, 0, "exit status")
        result = place.run("-o", "overdu=1h", "-t")
        equal(result.returncode, 78, "exit status")
        true('no setting "overdu"; nearest: overdue' in result.stderr, result.stderr)

    with t.test("-t leaves neither store nor log behind"):
        equal(sorted(os.listdir(place.directory)), ["log", "mail.log", "track.conf"], "files")
        equal(os.listdir(place.directory + "/log"), [], "event logs")


def starts(t):
    with t.test("A store that cannot be opened is 74, with the reason"):
        place = Place(store="lmdb:/dev/null/store")
        result = place.run()
        equal((result.returncode, "/dev/null/store" in result.stderr), (74, True), result.stderr)

    with t.test("A folder of the log that is not there is 66, with the reason"):
        place = Place(follow="/nowhere/mail.log")
        result = place.run()
        equal((result.returncode, "/nowhere" in result.stderr), (66, True), result.stderr)

    with t.test("A folder of events that is not there is 74"):
        place = Place()
        os.rmdir(place.directory + "/log")
        result = place.run()
        equal((result.returncode, place.directory in result.stderr), (74, True), result.stderr)


def life(t):
    place = Place()
    child, notices = place.start(WATCHDOG_USEC="300000")
    with t.test("It is ready, and feeds its watchdog while it has nothing to do"):
        heard = [notices.recv(4096) for _ in range(4)]
        true(b"READY=1" in heard, heard)
        equal(heard.count(b"WATCHDOG=1"), 3, "notes to the watchdog")

    with t.test("A second one on the same event log ends with 74, and says who writes it"):
        result = place.run()
        equal(result.returncode, 74, "exit status")
        true("pid %d" % child.pid in result.stderr, result.stderr)

    with t.test("SIGUSR1 loads the configuration again"):
        place.write(overdue="1h")
        os.kill(child.pid, signal.SIGUSR1)
        wait.until(
            lambda: len(events.raw(place.directory + "/log", "track")) == 3, "the third event"
        )
        actions = [
            event["event"]["action"] for event in events.read(place.directory + "/log", "track")
        ]
        equal(actions, ["log-opened", "config-loaded", "config-loaded"], "actions")

    with t.test("SIGTERM ends it at once, and its metrics are of the end"):
        os.kill(child.pid, signal.SIGTERM)
        equal(children.end(child, how=0, seconds=wait.GENEROUS), 0, "exit status")
        with open(place.directory + "/track.prom") as file:
            rows = file.read()
        true('millgate_log_sequence{daemon="track"} 3\n' in rows, rows)
        true('millgate_reloads_total{daemon="track",result="loaded"} 1\n' in rows, rows)

    with t.test("--verify of its log"):
        result = place.run("--verify")
        equal(result.returncode, 0, result.stdout + result.stderr)


def tests(t):
    command_line(t)
    starts(t)
    life(t)


tap.main(tests)
