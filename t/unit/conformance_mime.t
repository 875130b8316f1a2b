#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Suite `mime`: messages as mime4j and mail-parser read them, beside GMime and Python's email. What
# others read is what we read; a difference that is kept has its reason here, and a fact or none of
# its text is lost.
import glob
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mime_readers as readers

if "SUITES" not in os.environ:
    print("1..0 # SKIP SUITES is not set")
    sys.exit(0)
SUITE = os.path.join(os.environ["SUITES"], "mime")

MTA = "where the header of the message itself ends the MTA says"
BLANKS = "a boundary that ends in blanks is read without them (fact ambiguous)"
CUT = "the last group of base64, cut off, is decoded as far as it goes (fact bad_base64)"
LONG = "a boundary longer than a line is none (fact bad_boundary)"
KEPT_LEAVES = {
    "messages/malformedHeader-noheader.msg": MTA,
    "messages/malformedHeaderStartsBody-nocrlfcrlf.msg": MTA,
    "messages/malformedHeaderStartsBody-noheader.msg": MTA,
    "messages/very-long-boundary.msg": BLANKS,
    "messages/very-very-long-boundary.msg": LONG,
    "messages/weird-boundary.msg": BLANKS,
    "mimetools/frag.msg": CUT,
    "mimetools/multi-frag.msg": CUT,
}
BROKEN = "shown there as it stands; broken base64 is decoded (fact bad_base64)"
KEPT_TEXT = {
    "malformed/019": "a byte of no us-ascii, which is the character set's matter",
    "rfc/000": BROKEN,
    "thirdparty/002": BROKEN,
}
OPENED = "encoded there; we decode it and open the message"
KEPT_PYTHON = {
    "mime4j/messages/bad-newlines-multiple-parts-base64.msg": OPENED,
    "mime4j/messages/base64encoded-rfc822message-nested.msg": OPENED,
    "mime4j/messages/base64encoded-rfc822message.msg": OPENED,
    "mime4j/mimetools/multi-2gifs-base64.msg": OPENED,
    "mail-parser/rfc/008.eml": OPENED,
    "mail-parser/thirdparty/003.eml": "an encoding with blanks behind it, which we know and decode",
}
KEPT_GMIME = {
    "mime4j/messages/base64encoded-rfc822message-nested.msg": OPENED,
    "mime4j/mimetools/multi-2gifs-base64.msg": OPENED,
    "mail-parser/thirdparty/009.eml": OPENED,
}
count = 0


def tell(sentence, differences, kept):
    """One test: differences (name to what) must be the kept ones."""
    global count
    count += 1
    new = {name: what for name, what in differences.items() if name not in kept}
    gone = [name for name in kept if name not in differences]
    print("%sok %d - %s" % ("not " if new or gone else "", count, sentence))
    for name, what in new.items():
        print("# %s: %s" % (name, what))
    for name in gone:
        print("# %s: kept as a difference, but none" % name)
    for name, reason in kept.items():
        print("# kept: %s: %s" % (name, reason))


def mime4j_leaves(tree):
    """The decoded files of the leaves below a node."""
    if isinstance(tree, list):
        return [leaf for node in tree for leaf in mime4j_leaves(node)]
    if "leaf" in tree:
        return [tree["decoded_file"]]
    return mime4j_leaves(tree.get("message") or tree.get("multipart") or [])


def read_mime4j():
    """Name to (path, Reading)."""
    with open(SUITE + "/mime4j/expected.json") as file:
        rows = json.load(file)
    expected = {}
    for row in rows:
        path = os.path.join(SUITE, "mime4j", row["file"])
        reading = readers.Reading()
        for name in mime4j_leaves(row["expected"]):
            with open(os.path.join(os.path.dirname(path), name), "rb") as file:
                reading.leaves.append(("", file.read()))
        expected[row["file"]] = (path, reading)
    return expected


def mail_parser_texts(message):
    for part in message["parts"]:
        for kind, body in part["body"].items():
            if kind in ("Text", "Html"):
                yield body
            elif kind == "Message":
                yield from mail_parser_texts(body)


def read_mail_parser():
    """Name to (path, text)."""
    expected = {}
    for path in sorted(glob.glob(SUITE + "/mail-parser/*/*.eml")):
        with open(path[:-3] + "json") as file:
            texts = list(mail_parser_texts(json.load(file)))
        expected[os.path.relpath(path, SUITE + "/mail-parser")[:-4]] = (path, "\n".join(texts))
    return expected


def text_of(reading):
    return b"\n".join(
        content for kind, content in reading.leaves if kind.startswith(("text", "message"))
    )


def unseen(readings, ours, path):
    return readers.unseen_lines(text_of(readings[path]), readers.seen_bytes(path, ours[path]))


mime4j, mail_parser = read_mime4j(), read_mail_parser()
paths = [path for path, _ in (*mime4j.values(), *mail_parser.values())]
names = {path: os.path.relpath(path, SUITE) for path in paths}
ours, gmimes = readers.ours(paths), readers.gmimes(paths)
pythons = {path: readers.pythons(path) for path in paths}

tell(
    "leaves are those of mime4j",
    {
        name: "%s, expected %s" % (ours[path].leaves, reading.leaves)
        for name, (path, reading) in mime4j.items()
        if readers.all_contents(ours[path]) != readers.all_contents(reading)
    },
    KEPT_LEAVES,
)
tell(
    "each line that mail-parser reads is seen",
    {
        name: lines
        for name, (path, text) in mail_parser.items()
        for lines in [readers.unseen_lines(text, ours[path].all_text())]
        if lines
    },
    KEPT_TEXT,
)
tell(
    "leaves are those of Python's email and GMime where these agree",
    {
        names[path]: "%s, theirs %s" % (ours[path].leaves, gmimes[path].leaves)
        for path in (paths if gmimes else [])
        if readers.contents(gmimes[path]) == readers.contents(pythons[path])
        and readers.contents(gmimes[path]) != readers.contents(ours[path])
    },
    {},
)
for reader, readings, kept in (
    ("Python's email", pythons, KEPT_PYTHON),
    ("GMime", gmimes, KEPT_GMIME),
):
    if readings is not None:
        tell(
            "each line of text that %s reads is seen" % reader,
            {
                names[path]: lines
                for path in paths
                for lines in [unseen(readings, ours, path)]
                if lines
            },
            kept,
        )
print("1..%d" % count)
