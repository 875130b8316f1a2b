#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""How the Postfix of this machine sends lines that are too long is what lib/auth/dkim_canon hashes:
random long lines go through it to the next hop, and the hash of what was sent in, cut by us, is the
hash of what arrived."""
import hashlib
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import children, tap, wait
from harness.mail import Client, compose
from harness.postfix import Postfix
from harness.sink import Sink
from harness.tap import equal, none, true

# Around the limit, its multiples, and the records of Postfix.
LENGTHS = (997, 998, 999, 1994, 1995, 1996, 2047, 2048, 2049, 2992, 2993, 4095, 4096, 4097, 5000, 6144, 10000)
# A line that fills its last piece and its last record: the shortest for each limit.
FULL = {998: 1550336, 512: 262144, 2048: 2048}
chance = random.Random(5321)


def line(length):
    letters = bytes(chance.choice(b"abcdefgh. \t\xc3\xa4") for _ in range(length - 2))
    return b"." + letters + b"z" if chance.random() < 0.5 else b"a" + letters + b"z"


def dotted(length):
    """Dots where the line may be cut."""
    text = bytearray(b"x" * length)
    for place in (998, 1995, 2048, 2992, 4096):
        if place < length:
            text[place] = ord(".")
    return bytes(text)


def ours(kind, limit, text):
    """The two hashes of a text by our code: (simple, relaxed)."""
    path = os.path.join(children.temporary_directory("canon"), "text")
    with open(path, "wb") as file:
        file.write(text)
    program = os.path.join(os.environ["MG_BUILDDIR"], "t/unit/dkim_canon_print")
    output = subprocess.run([program, str(limit), kind, path], check=True, stdout=subprocess.PIPE).stdout
    return output.decode().split()


class Road:
    """A Postfix and its next hop."""

    def __init__(self, **settings):
        directory = children.temporary_directory("longlines")
        os.mkdir(directory + "/postfix", 0o755)
        self.sink = Sink(directory + "/sink")
        self.postfix = Postfix(directory + "/postfix", self.sink.port, **settings).start()

    def by_smtp(self, content):
        with Client(self.postfix.smtp_port) as client:
            client.ehlo()
            reply, _ = client.message("from@example.com", ["to@example.org"], content)
            true(reply.good, repr(reply))

    def by_bdat(self, content):
        with Client(self.postfix.smtp_port) as client:
            client.ehlo()
            client.envelope("from@example.com", ["to@example.org"])
            reply = client.chunked(content, 700)
            true(reply.good, repr(reply))

    def by_sendmail(self, content):
        self.postfix.sendmail(content.replace(b"\r\n", b"\n"), ["to@example.org"], "from@example.com")

    def arrived(self, send, content):
        """(header block with its last CRLF, body) at the next hop."""
        count = self.sink.count()
        send(content)
        message = wait.until(lambda: self.sink.messages()[count:], "the message at the next hop")[0]
        header, body = message.content.split(b"\r\n\r\n", 1)
        return header + b"\r\n", body


def same_body(sent, got, limit=998):
    equal(ours("body", limit, sent), ours("body", 0, got), "hashes of the body")
    equal(ours("body", limit, sent)[0], hashlib.sha256(got).hexdigest(), "the simple hash")


def same_field(sent, header, limit=998):
    """The simple form of a field is what stands in the header that arrived."""
    want = ours("field", limit, sent)[0]
    name = sent.split(b":", 1)[0] + b":"
    start = header.index(b"\r\n" + name) + 2
    ends = [i + 2 for i in range(start, len(header)) if header[i : i + 2] == b"\r\n"]
    # Behind each line that could be the field's last one.
    true(any(hashlib.sha256(header[start:end]).hexdigest() == want for end in ends),
         "no beginning of the field that arrived has its hash: %r" % header[start : start + 200])


def tests(t):
    tap.needs_root("a private Postfix is started")
    road = Road()
    lines = [line(length) for length in LENGTHS] + [dotted(length) for length in LENGTHS]
    lines += [line(chance.randrange(2, 7000)) for _ in range(60)] + [b"", b"." * 3000, b" " * 2500 + b"x"]
    body = b"\r\n".join(lines) + b"\r\n"

    ways = (("SMTP", road.by_smtp), ("BDAT", road.by_bdat), ("sendmail(1)", road.by_sendmail))
    for name, send in ways:
        with t.test("Long lines of a body by %s arrive as they are hashed" % name):
            same_body(body, road.arrived(send, compose("body", body=body)[1])[1])

    with t.test("Long lines arrive so where smtp_header_checks have Postfix read the message once more"):
        checked = Road(smtp_header_checks="regexp:{{/^X-None:/ IGNORE}}")
        same_body(body, checked.arrived(checked.by_smtp, compose("checked", body=body)[1])[1])

    with t.test("Each line of a long field arrives as it is made canonical"):
        fields = [
            b"References: " + b"<a@example.com>" * 400,
            b"X-Folded: a\r\n " + b"b" * 2047 + b"\r\n\t" + b"c" * 4100 + b"\r\n\td",
            b"X-Record: " + b"z" * (2048 - len("X-Record: ")),
            b"X-Random: " + line(3000),
        ]
        extra = b"".join(field + b"\r\n" for field in fields)
        header, _ = road.arrived(road.by_smtp, compose("fields", extra=extra)[1])
        for field in fields:
            same_field(field, header)

    for limit, length in FULL.items():
        with t.test("A line that fills piece and record is followed by a blank, at a limit of %d" % limit):
            other = road if limit == 998 else Road(smtp_line_length_limit=str(limit))
            sent = b"q" * length + b"\r\nend\r\n"
            got = other.arrived(other.by_smtp, compose("full", body=sent)[1])[1]
            none([] if b"\r\n \r\nend" in got else ["no line of a blank: %r" % got[-30:]])
            same_body(sent, got, limit)


tap.main(tests)
