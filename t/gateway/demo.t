#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The demonstration of the README works, and says so in few words."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import tap
from harness.tap import equal, none, true

DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../demo/demo")


def run(*arguments):
    result = subprocess.run(
        [DEMO, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def tests(t):
    tap.needs_root("a private Postfix is started")
    status, output, trouble = run("--keep")
    lines = output.splitlines()

    with t.test("It ends with 0, and its first line gives the answer"):
        equal((status, trouble), (0, ""), "status and standard error; output:\n%s" % output)
        equal(
            lines[0],
            "4 mails accepted, recorded and delivered, 3 signed; 1 refused, as it should be",
            "first line",
        )

    with t.test("It shows the signature at the next hop, and who verified it"):
        true("\n   DKIM-Signature: v=1; a=rsa-sha256;" in output, output)
        told = "verified by another implementation (python3-dkim): pass"
        true("   %s\n" % told in output, output)
        true("   the same with one letter changed: fail\n" in output, output)

    with t.test("It shows what millgate trace tells of a message, to its delivery"):
        told = output[output.index("\n$ millgate trace ") :]
        for line in "Delivered: carl@example.com", "user acme-app, TLS 1.3", "  dkim  ", "  log  ":
            true(line in told, "%r in %s" % (line, told))
        true(re.search(r"^[0-9:.]+ +delivered +carl@example.com at ", told, re.M), told)

    with t.test("It tells its story in 60 lines of 80 columns"):
        true(10 <= len(lines) <= 60, "%d lines" % len(lines))
        none([line for line in lines if len(line) > 80])

    with t.test("--keep leaves events, delivered mail and Postfix's log where it says"):
        kept = re.search(r"^Kept +(/\S+)$", output, re.M).group(1)
        events = ["dkim/events/%s.jsonl" % name for name in ("log", "dkim", "track")]
        for path in events + ["sink/1.eml", "postfix/maillog", "postfix/main.cf"]:
            true(os.path.getsize(os.path.join(kept, path)) > 0, path + " is empty")

    with t.test("Nothing that it started is left running"):
        none([command for command in running() if kept in command])
        shutil.rmtree(kept)

    with t.test("A wrong argument is named, with the usage, and the status is 64"):
        status, output, trouble = run("--kept")
        equal((status, output), (64, ""), "status and output")
        true("--kept" in trouble and "usage: demo [--keep]" in trouble, trouble)


def running():
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/cmdline" % entry, "rb") as file:
                    yield file.read().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue


tap.main(tests)
