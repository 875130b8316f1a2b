#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The private gateway itself: several at once, mail byte for byte, a name server, and nothing left
after any exit."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dkim
import dns.message
import dns.query

from harness import children, signatures, tap, wait
from harness.dns import NameServer
from harness.mail import Client, compose
from harness.openssl import Key, records
from harness.postfix import Postfix
from harness.sink import Sink
from harness.tap import equal, none, true

LONE = r"""
import os, sys, time
sys.path.insert(0, sys.argv[1])
from harness import children
from harness.dns import NameServer
from harness.postfix import Postfix
from harness.sink import Sink
directory = children.temporary_directory("lone")
os.mkdir(directory + "/postfix", 0o755)
sink = Sink(directory + "/sink")
Postfix(directory + "/postfix", sink.port).start()
NameServer(directory + "/dns", {"example.com": ""})
print(directory, flush=True)
time.sleep(600)
"""


def new_postfix(name, extensions=True):
    directory = children.temporary_directory(name)
    os.mkdir(directory + "/postfix", 0o755)
    sink = Sink(directory + "/sink", extensions=extensions)
    return Postfix(directory + "/postfix", sink.port).start(), sink


def deliver(postfix, sink, content, recipients=("to@example.org",)):
    """Sends one message and returns what arrived."""
    count = sink.count()
    with Client(postfix.smtp_port) as client:
        client.ehlo()
        reply, _ = client.message("from@example.com", recipients, content)
        true(reply.good, "%r" % reply)
    postfix.wait_until_empty()
    return wait.until(lambda: sink.messages()[count:], "the message at the sink")[0]


def processes_of(directory):
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open("/proc/%s/cmdline" % entry, "rb") as file:
                arguments = file.read()
            if directory.encode() in arguments or os.readlink("/proc/%s/cwd" % entry).startswith(
                directory
            ):
                found.append(entry)
        except OSError:
            continue
    return found


def ended_by(how):
    """Starts a whole gateway in a process of its own, ends that by a signal and waits until all is
    gone."""
    lone = children.spawn(
        [sys.executable, "-B", "-c", LONE, os.path.dirname(os.path.abspath(__file__))],
        stdout=subprocess.PIPE,
    )
    directory = lone.stdout.readline().decode().strip()
    true(directory and processes_of(directory), "nothing was started")
    os.kill(lone.pid, how)
    lone.wait()
    wait.until(
        lambda: not processes_of(directory), lambda: "the end of %s" % processes_of(directory)
    )
    wait.until(lambda: not os.path.exists(directory), "the removal of " + directory)


def verifiers(t):
    """The two oracles of signatures, with messages that python3-dkim signed."""
    folder = children.temporary_directory("keys")
    key = Key(folder, "example.org", "s1")
    content = compose("signed", body=b"Pay 100 EUR.\r\n")[1]
    with open(key.path, "rb") as file:
        field = dkim.sign(content, b"s1", b"example.org", file.read())
    messages = [field + content, field + content.replace(b"100", b"900"), content]

    with t.test("Both verifiers pass a good signature, and fail one whose text was changed"):
        found = signatures.verified(messages, records([key]))
        equal(found, [[True], [False], []], "verdicts")

    with t.test("Without the record no signature passes"):
        equal(signatures.verified(messages[:1], {}), [[False]], "verdicts")


def tests(t):
    tap.needs_root("a private Postfix is started")
    one, one_sink = new_postfix("one")
    two, two_sink = new_postfix("two")

    with t.test("Two gateways run at once and do not hear of each other"):
        deliver(one, one_sink, compose("one")[1])
        deliver(two, two_sink, compose("two")[1])
        equal((one_sink.count(), two_sink.count()), (1, 1), "messages at the two sinks")

    with t.test("Mail arrives byte for byte: 8-bit, dots, long lines, blanks at line ends"):
        content = compose(
            "bytes", body=b"..dots\r\n.\r\n\xff\xfe 8-bit \t\r\n" + b"x" * 990 + b"\r\n\r\n\r\n"
        )[1]
        true(deliver(one, one_sink, content).content.endswith(content), "the content differs")

    with t.test(
        "The sink refuses and defers by the recipient's name, and the queue tells the rest"
    ):
        with Client(one.smtp_port) as client:
            client.ehlo()
            client.message("from@example.com", ["reply-450@example.org"], compose("deferred")[1])
        waiting = wait.until(
            lambda: [entry for entry in one.queue() if entry["queue_name"] == "deferred"],
            "a deferral",
        )
        true("450" in waiting[0]["recipients"][0]["delay_reason"], repr(waiting))

    with t.test("The name server answers from its zones"):
        server = NameServer(
            children.temporary_directory("dns"), {"example.com": '_dmarc TXT "v=DMARC1; p=none"'}
        )
        answer = dns.query.udp(
            dns.message.make_query("_dmarc.example.com", "TXT"),
            server.address,
            port=server.port,
            timeout=10,
        )
        none([] if "v=DMARC1" in str(answer.answer) else [str(answer)])
        server.change("example.com", '_dmarc TXT "v=DMARC1; p=reject"')
        answer = dns.query.udp(
            dns.message.make_query("_dmarc.example.com", "TXT"),
            server.address,
            port=server.port,
            timeout=10,
        )
        none([] if "p=reject" in str(answer.answer) else [str(answer)])
        server.stop()

    verifiers(t)

    with t.test("A sink without 8BITMIME gets 8-bit text quoted-printable"):
        postfix, sink = new_postfix("seven", extensions=False)
        mime = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        mime += b"Content-Transfer-Encoding: 8bit\r\n"
        content = compose("eight", body="Grüße\r\n".encode(), extra=mime)[1]
        true(b"Gr=C3=BC=C3=9Fe" in deliver(postfix, sink, content).content, "it is as it was")

    for how in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with t.test("After %s no process and no directory of a gateway remains" % how.name):
            ended_by(how)


tap.main(tests)
