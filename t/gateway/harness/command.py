# SPDX-License-Identifier: ISC
"""millgate, the operator's command, with a configuration of its own and a name server.

    with Operator({"acme.example": ""}) as operator:
        done = operator.run("key", "new", "acme.example")
"""
import glob
import json
import os
import subprocess

from . import children, tap
from .dns import NameServer

PROGRAM = os.path.join(os.environ.get("MG_BUILDDIR", "."), "millgate")


class Operator:
    """Its folder has etc, keys and log; what it asks is answered by self.dns."""

    def __init__(self, zones, settings=""):
        self.directory = children.temporary_directory("operator")
        self.keys = self.directory + "/keys"
        self.log = self.directory + "/log"
        self.config = self.directory + "/etc"
        self.program = os.path.abspath(PROGRAM)
        for folder in self.log, self.config:
            os.mkdir(folder)
        self.dns = NameServer(self.directory + "/dns", zones)
        self.configure(settings)

    def configure(self, settings=""):
        self._write("common.conf", 'events { directory = "%s" }\n' % self.log)
        self._write(
            "dkim.conf",
            'include("%s/common.conf")\nkeys = "%s"\nsocket = "inet:1@localhost"\n'
            'resolver { servers = { "127.0.0.1@%d" } timeout = "2s" }\n%s\n'
            % (self.config, self.keys, self.dns.port, settings),
        )

    def _write(self, name, text):
        with open("%s/%s" % (self.config, name), "w") as file:
            file.write(text)

    def start(self, *arguments, **options):
        return children.spawn(
            [self.program, "--config", self.config, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            **options,
        )

    def run(self, *arguments, text="", env=None, **options):
        """Runs it to its end: a subprocess.CompletedProcess."""
        return subprocess.run(
            [self.program, "--config", self.config, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            input=text,
            text=True,
            env=dict(os.environ, TZ="UTC", **(env or {})),
            **options,
        )

    def good(self, *arguments, status=0, **options):
        """What it prints; it must end with this status, and complain of nothing."""
        done = self.run(*arguments, **options)
        tap.equal((done.returncode, done.stderr), (status, ""), "millgate " + " ".join(arguments))
        return done.stdout

    def json(self, *arguments, status=0):
        return json.loads(self.good(*arguments, "--json", status=status))

    def publish(self, domain, extra=""):
        """Puts the records of all keys of a domain into its zone."""
        lines = self.run("key", "dns", domain, "--format", "bind").stdout
        self.dns.change(domain, lines + extra)

    def events(self):
        """What was recorded, without what the log says of itself."""
        with open(self.log + "/operator.jsonl") as file:
            events = [json.loads(line) for line in file]
        return [event for event in events if event["event"]["action"] == "operator-acted"]

    def files(self, domain):
        return sorted(os.path.basename(p) for p in glob.glob(self.keys + "/" + domain + "/*"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.dns.stop()
