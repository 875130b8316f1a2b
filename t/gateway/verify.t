#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate dkim: the signatures of a message, signed by another implementation (python3-dkim)."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dkim
from harness import tap
from harness.command import Operator
from harness.tap import equal, true

LISTS, HOME = "lists.example.com", "example.net"
MESSAGE = b"From: Dora <dora@example.net>\r\nTo: ann@example.org\r\nSubject: hello\r\n\r\nHello Ann\r\n"


def sign(operator, domain, selector, message):
    with open("%s/%s/%s.pem" % (operator.keys, domain, selector), "rb") as file:
        key = file.read()
    field = dkim.sign(
        message, selector.encode(), domain.encode(), key, canonicalize=(b"relaxed", b"simple"), linesep=b"\r\n"
    )
    return field + message


def verify(operator, message, *options, status=0):
    path = operator.directory + "/dora.eml"
    with open(path, "wb") as file:
        file.write(message)
    return operator.good("dkim", path, *options, status=status)


def tests(t):
    with Operator({LISTS: "", HOME: ""}) as operator:
        operator.good("key", "new", LISTS, "k1")
        operator.good("key", "new", HOME, "s1")
        operator.publish(LISTS)
        operator.publish(HOME)
        signed = sign(operator, HOME, "s1", MESSAGE)
        listed = sign(operator, LISTS, "k1", signed + b"-- \r\na footer\r\n")

        with t.test("One of two passes: which, and why the other does not"):
            equal(
                verify(operator, listed),
                "1 of 2 signatures pass\n"
                "  pass  d=lists.example.com s=k1 rsa-sha256 relaxed/simple\n"
                "  fail  d=example.net s=s1: body changed after signing, headers did not:\n"
                "        most likely a footer added by the list\n",
                "text",
            )

        with t.test("A file with LF line ends is the same message, from standard input too"):
            equal(
                operator.good("dkim", "-", text=listed.replace(b"\r\n", b"\n").decode()),
                verify(operator, listed),
                "text",
            )

        with t.test("A signature that does not hold is status 2"):
            shown = verify(operator, signed.replace(b"hello", b"hullo"), status=2)
            true(shown.startswith("0 of 1 signature passes\n"), shown)
            true("a signed header field changed" in shown, shown)

        with t.test("No signature is status 3"):
            equal(verify(operator, MESSAGE, status=3), "No DKIM signature\n", "text")

        with t.test("No key in DNS is status 2, with the name that was asked for"):
            operator.dns.change(HOME, "")
            shown = verify(operator, signed, status=2)
            true("permerror" in shown and "s1._domainkey.example.net" in shown, shown)

        with t.test("No answer of DNS is status 3: it may pass later"):
            shown = verify(operator, signed, "--nameserver", "127.0.0.1@1", status=3)
            true("temperror" in shown, shown)

        with t.test("--json has each signature"):
            path = operator.directory + "/dora.eml"
            with open(path, "wb") as file:
                file.write(listed)
            first, second = operator.json("dkim", path)["signatures"]
            equal((first["result"], first["millgate"]["dkim"]["domain"]), ("pass", LISTS), "first")
            equal((first["bits"], first["canonicalization"]), (2048, "relaxed/simple"), "first")
            equal(second["result"], "permerror", "second")

        with t.test("Text of strangers is shown without control characters"):
            evil = b"DKIM-Signature: v=1; a=\x1b[31mx; d=example.net; s=s1; h=From; bh=x; b=y\r\n"
            shown = verify(operator, evil + MESSAGE, status=2)
            true("\x1b" not in shown, repr(shown))

        with t.test("What is no message is status 65"):
            done = operator.run("dkim", "-", text="hello\n")
            equal(done.returncode, 65, "status")

        with t.test("Colour is for a terminal only, and not with NO_COLOR or --no-color"):
            path = operator.directory + "/dora.eml"
            for variables, options, colour in (
                ({}, "", True),
                ({"NO_COLOR": "1"}, "", False),
                ({}, "--no-color", False),
            ):
                shell = "%s --config %s dkim %s %s" % (operator.program, operator.config, path, options)
                done = subprocess.run(
                    ["script", "-qec", shell, "/dev/null"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    env=dict(os.environ, **variables),
                )
                equal(b"\x1b[" in done.stdout, colour, "%s %s" % (variables, options))


tap.main(tests)
