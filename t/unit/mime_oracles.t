#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Messages made at random, beside Python's email and GMime: where these find the same leaves, so do we.
import base64
import os
import quopri
import random
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mime_readers as readers

COUNT = 1500
chance = random.Random(2045)
WORDS = ["a", "word", "-", "--", "=", "=20", "From x", "\t", " ", "\xe4\xf6", "x" * 90, "", "\n", "\n\n"]
DAMAGE = ["\n", "\n\n", "--", "--b", "--b1--", "Content-Type: text/html\n", ":", " ", "=", "\r\n", "\0"]


def text():
    return " ".join(chance.choice(WORDS) for _ in range(chance.randrange(20)))


def bytes_():
    return bytes(chance.randrange(256) for _ in range(chance.randrange(400)))


def leaf():
    encoding = chance.choice(["7bit", "8bit", "base64", "quoted-printable", None])
    head = "Content-Type: %s\n" % chance.choice(
        ["text/plain", "TEXT/HTML; charset=utf-8", "application/octet-stream; name=\"a b\""])
    if encoding:
        head += "Content-Transfer-Encoding: %s\n" % encoding
    if encoding == "base64":
        body = base64.encodebytes(bytes_()).decode()
    elif encoding == "quoted-printable":
        body = quopri.encodestring(bytes_()).decode("latin-1")
    else:
        body = text()
    return head + "\n" + body


def multipart(depth):
    boundary = "b%d%s" % (depth, chance.choice(["", "x", "=_y"]))
    parts = [part(depth + 1) for _ in range(chance.randrange(1, 4))]
    body = "".join("\n--%s\n%s" % (boundary, each) for each in parts)
    return "Content-Type: multipart/%s;\n boundary=\"%s\"\n\n%s%s\n--%s--\n%s" % (
        chance.choice(["mixed", "alternative", "related"]), boundary,
        chance.choice(["", "before"]), body, boundary, chance.choice(["", "after\n"]))


def part(depth=0):
    roll = chance.random()
    if depth > 4 or roll < 0.4:
        return leaf()
    if roll < 0.55:
        return "Content-Type: message/rfc822\n\nSubject: inner\n" + part(depth + 1)
    return multipart(depth)


def damaged(message):
    """Some bytes taken out, put in, cut off."""
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(message) + 1)
        message = message[:at] + chance.choice(DAMAGE) + message[at + chance.randrange(5):]
    return message


def made():
    message = "Subject: x\nMIME-Version: 1.0\n" + part()
    if chance.random() < 0.5:
        head, _, body = message.partition("\n\n")
        message = head + "\n\n" + damaged(body)
    if chance.random() < 0.5:
        message = message.replace("\r\n", "\n").replace("\n", "\r\n")
    return message.encode("latin-1")


def without_blanks(contents):
    """Without blanks at line ends, which not all take out of quoted-printable."""
    return [re.sub(rb"[ \t]+(?=\n|$)", b"", content) for content in contents]


def agrees(reading, theirs):
    """Behind padding amid base64 they stop, and we go on."""
    leaves = without_blanks(readers.contents(reading))
    if "bad_base64" not in reading.facts:
        return leaves == without_blanks(theirs)
    return len(leaves) == len(theirs) and all(
        mine.startswith(other) for mine, other in zip(leaves, without_blanks(theirs)))


def write_all(folder):
    paths = [os.path.join(folder, str(number)) for number in range(COUNT)]
    for path in paths:
        with open(path, "wb") as file:
            file.write(made())
    return paths


with tempfile.TemporaryDirectory(prefix="millgate-mime-") as folder:
    paths = write_all(folder)
    ours, gmimes = readers.ours(paths), readers.gmimes(paths)
    if gmimes is None:
        print("1..0 # SKIP no GMime")
        sys.exit(0)
    agreed, wrong = 0, []
    for path in paths:
        theirs = readers.contents(readers.pythons(path))
        if theirs != readers.contents(gmimes[path]) or "ambiguous" in ours[path].facts:
            continue
        agreed += 1
        if not agrees(ours[path], theirs):
            with open(path, "rb") as file:
                wrong.append((file.read(), readers.contents(ours[path]), theirs))
print("%sok 1 - the leaves are theirs" % ("not " if wrong else ""))
for message, mine, other in sorted(wrong, key=lambda each: len(each[0]))[:3]:
    print("# %r\n# ours   %r\n# theirs %r" % (message, mine, other))
print("%sok 2 - they agree on more than half" % ("" if agreed > COUNT / 2 else "not "))
print("# %d of %d, %d wrong" % (agreed, COUNT, len(wrong)))
print("1..2")
