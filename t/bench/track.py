# SPDX-License-Identifier: ISC
"""track: what millgate-track costs: lines parsed, lines to events on disk by the whole daemon, its
memory with many open recipients, and its start before a large backlog. Logs are made here.

MILLGATE_BENCH_LINES, MILLGATE_BENCH_RECIPIENTS and MILLGATE_BENCH_BACKLOG (MiB) say how much."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

import machine
from frame import Bench
from harness import children, wait

LINES = int(os.environ.get("MILLGATE_BENCH_LINES", "500000"))
RECIPIENTS = int(os.environ.get("MILLGATE_BENCH_RECIPIENTS", "1000000"))
BACKLOG = int(os.environ.get("MILLGATE_BENCH_BACKLOG", "1024"))
EACH = 50  # recipients of a message that stays
DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
LOG = """{t} mx postfix/smtpd[{p}]: connect from client.example.org[192.0.2.{b}]:{port}
{t} mx postfix/smtpd[{p}]: {q}: client=client.example.org[192.0.2.{b}]:{port}
{t} mx postfix/cleanup[{p}]: {q}: message-id=<{n}.7@client.example.org>
{t} mx postfix/qmgr[900]: {q}: from=<sender{b}@acme.example>, size=4512, nrcpt={r} (queue active)
{t} mx postfix/smtpd[{p}]: disconnect from client.example.org[192.0.2.{b}]:{port} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5
"""
SENT = """{t} mx postfix/smtp[{p}]: Trusted TLS connection established to mx{b}.example.com[198.51.100.{b}]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256
{t} mx postfix/smtp[{p}]: {q}: to=<user{n}@example{b}.com>, relay=mx{b}.example.com[198.51.100.{b}]:25, delay=1.9, delays=0.05/0/1.1/0.71, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jYh176Sfnz1bkdT)
{t} mx postfix/qmgr[900]: {q}: removed
"""
DEFERRED = "{t} mx postfix/smtp[{p}]: {q}: to=<user{r}@example{b}.com>, relay=mx{b}.example.com[198.51.100.{b}]:25, delay=2.6, delays=0.05/0/1.1/0.71, dsn=4.2.0, status=deferred (host mx{b}.example.com[198.51.100.{b}] said: 450 4.2.0 try again later (in reply to RCPT TO command))\n"
LAST = "{t} mx postfix/smtp[1]: {q}: to=<last@example.com>, relay=none, delay=1, delays=1/0/0/0, dsn=5.4.4, status=bounced (the end)\n"


def queue_id(number, seconds):
    """A long one, of base 52."""
    text = ""
    for value, width in ((seconds, 6), (number % 1000000, 4)):
        digits = ""
        while value or len(digits) < width:
            digits = DIGITS[value % 52] + digits
            value //= 52
        text += digits
    return text + "z1bkdK"


def write_log(path, messages, tail, recipients=1):
    """Messages of the last hour, 200 a second."""
    begin = int(time.time()) - 3600
    with open(path, "w") as log:
        for number in range(messages):
            seconds = begin + number * 3000 // messages
            facts = {
                "t": time.strftime("%b %e %H:%M:%S", time.localtime(seconds)),
                "q": queue_id(number, seconds),
                "p": 1000 + number % 50,
                "b": number % 250,
                "n": number,
                "port": 10000 + number % 50000,
                "r": recipients,
            }
            log.write(LOG.format(**facts))
            for recipient in range(recipients):
                log.write(tail.format(**dict(facts, r=number * recipients + recipient)))
        log.write(LAST.format(t=facts["t"], q="4zzzzzzzzzz1bkdK"))


class Track:
    """The daemon on a log, in a folder of its own."""

    def __init__(self, log):
        self.directory = tempfile.mkdtemp(prefix="millgate-bench-track-")
        self.events = self.directory + "/log"
        os.mkdir(self.events)
        with open(self.directory + "/track.conf", "w") as file:
            file.write(
                'follow = "%s"\nstore = "lmdb:%s/store"\nqueues = { }\nmetrics = "%s"\n'
                'events { directory = "%s" }\n' % (log, self.directory, self.directory, self.events)
            )

    def __enter__(self):
        self.stderr = open(self.directory + "/stderr", "ab")
        self.child = children.spawn(
            [machine.built("millgate-track"), "-c", self.directory + "/track.conf"],
            stdout=self.stderr,
            stderr=self.stderr,
        )
        return self

    def __exit__(self, *_):
        children.end(self.child)
        self.stderr.close()
        shutil.rmtree(self.directory)

    def log(self):
        with open(self.directory + "/stderr") as file:
            return file.read()

    def wait_for_last(self):
        """Until the event of the last line is there."""

        def there():
            newest = self.events + "/track.jsonl"
            if not os.path.exists(newest):
                return False
            with open(newest, "rb") as file:
                file.seek(max(0, os.path.getsize(newest) - 65536))
                return b"last@example.com" in file.read()

        wait.until(there, self.log, seconds=3600, pause=0.2)

    def wait_until_ready(self):
        """ms, as it says."""
        found = wait.until(lambda: re.search(r"ready: .*?(\d+) ms", self.log()), self.log)
        return int(found.group(1))

    def anonymous(self):
        """MiB of anonymous memory now."""
        with open("/proc/%d/status" % self.child.pid) as file:
            return int(re.search(r"RssAnon:\s+(\d+)", file.read()).group(1)) / 1024


def parsed():
    told = json.loads(subprocess.check_output([machine.built("t/bench/lines")]))
    return told["lines_per_second"]


def to_events(log, lines):
    with Track(log) as track:
        track.wait_for_last()
        return lines / machine.cpu_seconds(track.child.pid)


def with_open_recipients(log):
    with Track(log) as track:
        track.wait_for_last()
        return track.anonymous()


def start(log):
    with Track(log) as track:
        return track.wait_until_ready()


def bench():
    bench = Bench("track", "from lines of Postfix to events, one core", rounds=3)
    with tempfile.TemporaryDirectory(prefix="millgate-bench-logs-") as directory:
        log = directory + "/mail.log"
        write_log(log, LINES // 8, SENT)
        medians = bench.measure("lines parsed", "lines/s", {"millgate": parsed}, rounds=1)
        bench.goal("lines parsed, lines/s", medians["millgate"], at_least=50000)
        medians = bench.measure(
            "lines to events on disk", "lines/s", {"millgate": lambda: to_events(log, LINES)}
        )
        bench.goal("lines to events on disk, lines/s", medians["millgate"], at_least=20000)

        with open(log, "rb") as file:
            piece = file.read()
        with open(log, "ab") as file:
            while file.tell() < BACKLOG << 20:
                file.write(piece)
        medians = bench.measure("start before a backlog", "ms", {"millgate": lambda: start(log)})
        bench.goal("start before %d MiB of log, ms" % BACKLOG, medians["millgate"], at_most=200)

        write_log(log, RECIPIENTS // EACH, DEFERRED, EACH)
        medians = bench.measure(
            "memory with open recipients",
            "MiB",
            {"millgate": lambda: with_open_recipients(log)},
            rounds=1,
        )
        bench.goal(
            "anonymous memory, %d open recipients, MiB" % RECIPIENTS,
            medians["millgate"],
            at_most=64,
        )
    return bench
