#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Canonical forms beside dkimpy's, over random ugly bodies and fields. Bodies end in CRLF, as after
# SMTP; dkimpy takes a body without it as if its CRLF came after white space was reduced.
import hashlib
import os
import random
import subprocess
import sys
import tempfile

try:
    from dkim.canonicalization import Relaxed, Simple
except ImportError:
    print("1..0 # SKIP no python3-dkim")
    sys.exit(0)

COUNT = 400
PIECES = [b"a", b"word ", b" ", b"  ", b"\t", b"\r\n", b"\r\n\r\n", b" \r\n", b"\t\r\n", b".", b"\xff\xfe",
          b"a line of a length that is usual in mail\r\n", b"\r", b"\n", b"\0", b"x" * 1200, b" " * 900]
FOLDS = [b"a", b"word ", b" ", b"  ", b"\t", b"\r\n ", b"\r\n\t", b" \r\n \t", b"\xff", b"<a@example.com>", b"x" * 300]
chance = random.Random(6376)


def made_of(pieces):
    return b"".join(chance.choice(pieces) for _ in range(chance.randrange(60)))


def hashes(kind, texts):
    """Ours, of each text: (simple, relaxed)."""
    with tempfile.TemporaryDirectory(prefix="millgate-canon-") as folder:
        paths = []
        for number, text in enumerate(texts):
            paths.append(os.path.join(folder, str(number)))
            with open(paths[-1], "wb") as file:
                file.write(text)
        program = os.path.join(os.environ["MG_BUILDDIR"], "t/unit/dkim_canon_print")
        output = subprocess.run([program, "0", kind, *paths], check=True, stdout=subprocess.PIPE).stdout
    return [tuple(line.split()) for line in output.decode().splitlines()]


def check(number, sentence, texts, ours, theirs):
    wrong = [text for text, got, want in zip(texts, ours, theirs) if got != hashlib.sha256(want).hexdigest()]
    good = len(texts) == len(ours) == len(theirs) and not wrong
    print(f"{'ok' if good else 'not ok'} {number} - {sentence}")
    for text in wrong[:4]:
        print(f"# {text!r}")


bodies = [b""] + [made_of(PIECES) + b"\r\n" for _ in range(COUNT)]
ours = hashes("body", bodies)
check(1, "simple bodies are dkimpy's", bodies, [simple for simple, _ in ours],
      [Simple.canonicalize_body(body) for body in bodies])
check(2, "relaxed bodies are dkimpy's", bodies, [relaxed for _, relaxed in ours],
      [Relaxed.canonicalize_body(body) for body in bodies])

fields = [(chance.choice([b"Subject", b"X-Some-Thing", b"to", b"From "]), made_of(FOLDS)) for _ in range(COUNT)]
texts = [name + b":" + value for name, value in fields]
ours = hashes("field", texts)
check(3, "simple fields are dkimpy's", texts, [simple for simple, _ in ours],
      [name + b":" + value for name, value in Simple.canonicalize_headers(
          [(name, value + b"\r\n") for name, value in fields])])
check(4, "relaxed fields are dkimpy's", texts, [relaxed for _, relaxed in ours],
      [name + b":" + value for name, value in Relaxed.canonicalize_headers(
          [(name, value + b"\r\n") for name, value in fields])])
print("1..4")
