# SPDX-License-Identifier: ISC
"""Event logs written for a test, and the operator's command that tells them.

    with Teller() as teller:
        teller.write(event("log", "message-accepted", "12:49:20.541", ...))
        teller.good("trace", "4jYh")
"""
import datetime
import json
import os
import subprocess

from . import children, tap

BUILD = os.environ.get("MG_BUILDDIR", ".")
DAY = datetime.date.today().isoformat()
PLACES = {"TZ": "CET-1"}  # an hour before UTC, all the year


def nest(fields):
    """{"a.b": 1} as {"a": {"b": 1}}"""
    found = {}
    for name, value in fields.items():
        inner = found
        parts = name.split(".")
        for part in parts[:-1]:
            inner = inner.setdefault(part, {})
        inner[parts[-1]] = value
    return found


def event(log, action, time, day=DAY, **fields):
    """An event at that time of the day in UTC; names of fields with "__" for a dot."""
    document = nest({name.replace("__", "."): value for name, value in fields.items()})
    document.update({"log": log, "action": action, "@timestamp": "%sT%sZ" % (day, time)})
    return document


class Teller:
    """Its folder has etc and log."""

    def __init__(self):
        self.directory = children.temporary_directory("told")
        self.log = self.directory + "/log"
        self.config = self.directory + "/etc"
        self.refs = []
        os.mkdir(self.config)
        with open(self.config + "/common.conf", "w") as file:
            file.write('events { directory = "%s" }\n' % self.log)
        self.clear()

    def clear(self):
        if os.path.isdir(self.log):
            for name in os.listdir(self.log):
                os.unlink(self.log + "/" + name)
        else:
            os.mkdir(self.log)
        self.refs = []

    def write(self, *events):
        """Writes them; returns the REF of each."""
        text = "".join(json.dumps(each) + "\n" for each in events)
        done = subprocess.run(
            [BUILD + "/t/gateway/write_events", self.log],
            input=text,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        self.refs = done.stdout.split()
        return self.refs

    def run(self, *arguments, env=None):
        return subprocess.run(
            [os.path.abspath(BUILD + "/millgate"), "--config", self.config, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=dict(os.environ, **PLACES, **(env or {})),
        )

    def told(self, *arguments, status=0):
        """What it prints; it must end with this status, and complain of nothing."""
        done = self.run(*arguments)
        tap.equal((done.returncode, done.stderr), (status, ""), "millgate " + " ".join(arguments))
        return done.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass
