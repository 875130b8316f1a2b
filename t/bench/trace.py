# SPDX-License-Identifier: ISC
"""How fast `millgate trace` answers from event logs of a month, and how fast indexes that are lost
are built anew, beside reading all of it with cat and grep.

MILLGATE_BENCH_EVENTS is how many events there are: 1,000,000 (1.2 GB) unless it says otherwise;
10,000,000 (12 GB) is what the goals are about."""
import glob
import json
import os
import shutil
import subprocess
import tempfile
import time

import frame

BUILD = os.environ.get("MG_BUILDDIR", ".")
EVENTS = int(os.environ.get("MILLGATE_BENCH_EVENTS", "1000000"))
MILLGATE = os.path.abspath(BUILD + "/millgate")


class Logs:
    """Event logs in a folder of their own, and a configuration that names it."""

    def __init__(self, directory):
        self.directory = directory
        self.config = directory + "/etc"
        self.log = directory + "/log"
        for path in self.config, self.log:
            os.mkdir(path)
        with open(self.config + "/common.conf", "w") as file:
            file.write('events { directory = "%s" }\n' % self.log)
        done = subprocess.run(
            [BUILD + "/t/bench/eventlogs", self.log, str(EVENTS)],
            stdout=subprocess.PIPE,
            check=True,
        )
        self.about = json.loads(done.stdout)

    def files(self):
        return sorted(glob.glob(self.log + "/*.jsonl"))

    def sealed(self):
        return sum(os.path.getsize(path) for path in glob.glob(self.log + "/*-*.jsonl"))

    def lose_indexes(self):
        for path in glob.glob(self.log + "/*.idx"):
            os.unlink(path)

    def trace(self, key):
        """Seconds; the message must be found."""
        begin = time.monotonic()
        done = subprocess.run(
            [MILLGATE, "--config", self.config, "trace", key, "--since", "60d"],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - begin
        if done.returncode not in (0, 1, 2) or "elivered" not in done.stdout:
            raise AssertionError("trace %s: %d %s" % (key, done.returncode, done.stdout))
        return seconds

    def seconds_of(self, *command):
        begin = time.monotonic()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        return time.monotonic() - begin


def measure_lookups(bench, logs):
    about = logs.about
    keys = {
        "queue id": about["queue_id"],
        "trace id": about["trace_id"],
        "Message-ID": about["message_id"],
        "recipient": about["recipient"],
        "author of all (the newest 20)": "billing@acme.example",
    }
    variants = {
        "millgate trace: " + name: lambda key=key: logs.trace(key) for name, key in keys.items()
    }
    found = bench.measure("one look-up, %d events" % about["events"], "s", variants)
    bench.goal("the slowest look-up (s)", max(found.values()), at_most=1)


def measure_rebuild(bench, logs):
    def rebuild():
        logs.lose_indexes()
        return logs.trace(logs.about["queue_id"])

    found = bench.measure(
        "all indexes lost, %.1f GB of sealed files" % (logs.sealed() / 1e9),
        "s",
        {
            "cat, all files": lambda: logs.seconds_of("cat", *logs.files()),
            "grep -F, one queue id": lambda: logs.seconds_of(
                "grep", "-hF", logs.about["queue_id"], *logs.files()
            ),
            "millgate trace, indexes built anew": rebuild,
        },
        limit="cat, all files",
        rounds=3 if EVENTS <= 1000000 else 1,
    )
    bench.goal(
        "indexes built anew (MB/s)",
        logs.sealed() / 1e6 / found["millgate trace, indexes built anew"],
        at_least=100,
    )


def bench():
    bench = frame.Bench("trace", "what became of one message, in logs of a month")
    directory = tempfile.mkdtemp(prefix="millgate-bench-")
    try:
        logs = Logs(directory)
        measure_rebuild(bench, logs)
        measure_lookups(bench, logs)
    finally:
        shutil.rmtree(directory)
    return bench
