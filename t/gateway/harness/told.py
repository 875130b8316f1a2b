# SPDX-License-Identifier: ISC
"""Event logs written for a test, and the operator's command that tells them.

    teller = Teller()
    teller.write(event("log", "message-accepted", "12:49:20.541", ...))
    teller.told("trace", "4jYh")
"""
import datetime
import hashlib
import json
import os
import subprocess

from . import children, tap

BUILD = os.environ.get("MG_BUILDDIR", ".")
DAY = (datetime.date.today() - datetime.timedelta(days=1)).isoformat()
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
    """An event at that time of yesterday, in UTC; names of fields with "__" for a dot."""
    document = nest({name.replace("__", "."): value for name, value in fields.items()})
    document.update({"log": log, "action": action, "@timestamp": "%sT%sZ" % (day, time)})
    return document


class Message:
    """A message to these recipients, and its events."""

    def __init__(self, queue_id="4jYh153qZyz1bkdK", recipients=("ann@example.com",), **fields):
        self.queue_id = queue_id
        self.trace_id = hashlib.sha256(queue_id.encode()).hexdigest()[:32]
        self.recipients = list(recipients)
        self.fields = {
            "trace__id": self.trace_id,
            "email__local_id": queue_id,
            "email__message_id": queue_id.lower() + "@acme.example",
            "email__direction": "outbound",
            "email__sender__address": "bounce+7@acme.example",
            "email__from__address": ["billing@acme.example"],
            "organization__id": "acme",
            "user__name": "acme-app",
            "source__ip": "203.0.113.5",
            "source__domain": "app1.acme.example",
            "millgate__session__key": "203.0.113.5:39204",
            "tls__established": True,
            "tls__version": "1.3",
        }
        self.fields.update(fields)

    def of_filter(self, log, action, time="11:49:20.536", **fields):
        return event(
            log,
            action,
            time,
            **{**self.fields, "email__to__address": self.recipients, **fields},
        )

    def accepted(self, time="11:49:20.541", **fields):
        count = {"millgate__smtp__recipient_count": len(self.recipients)}
        return self.of_filter("log", "message-accepted", time, **count, **fields)

    def of_track(self, action, time="11:49:21", **fields):
        own = {"trace__id": self.trace_id, "email__local_id": self.queue_id}
        return event("track", action, time, **{**own, **fields})

    def delivery(self, action, recipient, time="11:49:21", status=None, reply=None, **fields):
        """reply: "550 5.1.1 user unknown"."""
        told = {
            "email__to__address": [recipient],
            "millgate__delivery__recipient": recipient,
            "millgate__delivery__status": status or STATUS[action],
            "destination__domain": "mx.example.com",
            "destination__address": "mx.example.com",
            "destination__ip": "198.51.100.9",
        }
        if reply is not None:
            told["millgate__delivery__reply__text"] = reply
            told["millgate__delivery__reply__code"] = int(reply.split()[0])
        return self.of_track(action, time, **{**told, **fields})


STATUS = {
    "delivery-succeeded": "delivered",
    "delivery-deferred": "deferred",
    "delivery-failed": "bounced",
    "delivery-expired": "expired",
    "delivery-overdue": "overdue",
}


class Teller:
    """Its folder has etc and log; or log is the folder of daemons' event logs."""

    def __init__(self, log=None):
        self.directory = children.temporary_directory("told")
        self.log = log or self.directory + "/log"
        self.config = self.directory + "/etc"
        self.refs = []
        os.mkdir(self.config)
        with open(self.config + "/common.conf", "w") as file:
            file.write('events { directory = "%s" }\n' % self.log)
        if log is None:
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

