# SPDX-License-Identifier: ISC
"""Messages that are hard to sign: what Postfix changes on their way, and what canonical forms
differ in. Each is a whole message with CRLF line ends, by name."""
from .mail import compose

MIME_8BIT = (
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
)
MULTIPART = (
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n\tboundary="edge"\r\n'
)
PARTS = (
    b"A preamble\r\n--edge\r\nContent-Type: text/plain\r\n\r\nText.\r\n\r\n--edge\r\n"
    b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\r\n" * 40
    + b"--edge--\r\nAn epilogue\r\n"
)
PART_8BIT = b"\r\nContent-Transfer-Encoding: 8bit"
AUTHOR = "author@example.org"
EIGHT_BIT = "Grüße, naïve façade\r\n".encode()
REFERENCE = b"<0123456789012345678901234567890123456789@client.example.com>"


def _letter(name, **parts):
    parts.setdefault("sender", AUTHOR)
    return compose(name, **parts)[1]


def _bare(name, fields, body=b"Hello.\r\n"):
    """A message with only these fields."""
    return b"X-Name: %s\r\n%s\r\n%s" % (name.encode(), fields, body)


BODIES = {
    "plain": b"Hello.\r\n",
    "no body": b"",
    "one line end": b"\r\n",
    "no last line end": b"Hello.",
    "blank lines": b"\r\n\r\nHello.\r\n\r\n\r\n",
    "blanks at line ends": b"one \t \r\n \r\n\ttwo  three\t\r\n \t\r\n",
    "dots": b".\r\n..\r\n.three\r\n",
    "NUL": b"a\0b\r\n",
    "a lone CR": b"a\rb\r\n",
    "a lone LF": b"a\nb\r\n",
    "From_": b"From here on\r\n>From there on\r\n",
    "large": b"The quick brown fox jumps over the lazy dog.\r\n" * 7000,
    "8-bit without MIME": EIGHT_BIT,
}
# Around the 998 octets after which Postfix cuts, and blanks where it does.
LONG = {"a line of %d" % size: b"x" * size + b"\r\n" for size in (997, 998, 999, 1996, 1997, 3000)}
LONG.update(
    {
        "a line of 10000": b"0123456789" * 1000 + b"\r\n",
        "a long line at the end": b"Hello.\r\n" + b"y" * 2500,
        "a long line of blanks": b"a" + b" " * 2000 + b"b\r\n",
        "blanks before the cut": b"x" * 990 + b" " * 8 + b"y" * 50 + b"\r\n",
        "blanks after the cut": b"x" * 998 + b" " * 8 + b"y" * 50 + b"\r\n",
        "a long line that ends in blanks": b"x" * 998 + b" " * 500 + b"\r\n\r\n",
        "a long line that begins with a dot": b"." + b"x" * 1500 + b"\r\n",
        "two long lines": (b"a" * 1200 + b"\r\n") * 2,
    }
)
LONG_FIELDS = {
    "References with blanks": b"References: " + b" ".join([REFERENCE] * 60) + b"\r\n",
    "References without blanks": b"References: " + REFERENCE * 40 + b"\r\n",
    "References of 10000 without blanks": b"References: <" + b"r" * 10000 + b"@example.com>\r\n",
    "References with tabs": b"References: " + b"\t".join([REFERENCE] * 60) + b"\r\n",
    "References, a long word between": b"References: <a@b> <" + b"r" * 1500 + b"@b> <c@d>\r\n",
    "References folded, one line long": b"References: <a@b>\r\n "
    + b" ".join([REFERENCE] * 30)
    + b"\r\n <c@d>\r\n",
}
FIELDS = {
    "an empty field": b"X-Empty:\r\nComments:\r\nReply-To: \r\n",
    "folds": b"Comments: one\r\n\ttwo\r\n   three\t four  \r\nKeywords:\r\n  a\r\n",
    "fields of lists": b"List-Id: <l.example.org>\r\nList-Unsubscribe: <https://example.org/u>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nFeedback-ID: 1:2:3:x\r\n",
    "fields twice": b"To: second@example.org\r\nCc: a@example.net\r\nCc: b@example.net\r\n"
    b"Reply-To: r@example.org\r\nSender: sender@example.org\r\n",
    "no blank after the colon": b"Reply-To:r@example.org\r\nComments:x\r\n",
    "capitals": b"REPLY-TO: r@example.org\r\ncc: x@example.net\r\n",
    "8-bit in a field": "Comments: Grüße\r\n".encode(),
}
LETTERS = {}
LETTERS.update((name, _letter(name.replace(" ", "-"), body=body)) for name, body in BODIES.items())
LETTERS.update((name, _letter(name.replace(" ", "-"), body=body)) for name, body in LONG.items())
LETTERS.update(
    (name, _letter(name.replace(" ", "-"), extra=fields))
    for name, fields in list(FIELDS.items()) + list(LONG_FIELDS.items())
)
LETTERS.update(
    {
        "8-bit": _letter("8-bit", body=EIGHT_BIT, extra=MIME_8BIT),
        "8-bit and long": _letter("8-bit-long", body=EIGHT_BIT * 100, extra=MIME_8BIT),
        "multipart": _letter("multipart", body=PARTS, extra=MULTIPART),
        "a part of 8-bit": _letter(
            "part-8",
            body=PARTS.replace(b"\r\n\r\nText.", PART_8BIT + b"\r\n\r\n" + EIGHT_BIT),
            extra=MULTIPART,
        ),
        "a part of 8-bit that is not declared": _letter(
            "part-undeclared", body=PARTS.replace(b"Text.", EIGHT_BIT), extra=MULTIPART
        ),
        "no Date": _bare("no Date", b"From: author@example.org\r\nMessage-ID: <n@example.org>\r\n"),
        "no Message-ID": _bare("no Message-ID", b"From: author@example.org\r\n"),
        "only From": b"From: author@example.org\r\n\r\n",
        "a name in From": _bare(
            "a name",
            b'From: "Author, A." (of\r\n many)\r\n <author@example.org>\r\nTo: x@y.org\r\n',
        ),
        "a subdomain": _letter("subdomain", sender="author@mail.example.org"),
        "capitals in the domain": _letter("capitals", sender="author@EXAMPLE.Org"),
    }
)
# What Postfix makes quoted-printable for a next hop without 8BITMIME: what is declared 8bit.
NEED_8BIT = frozenset(("8-bit", "8-bit and long", "a part of 8-bit"))
# What sendmail(1) does not submit as it is, or only to a next hop with SMTPUTF8.
NOT_LOCAL = frozenset(("a lone CR", "a lone LF", "NUL", "8-bit in a field"))
HAVE_LONG_LINES = frozenset(
    name
    for name in list(LONG) + list(LONG_FIELDS)
    if max(map(len, LETTERS[name].split(b"\r\n"))) > 998
)
