# SPDX-License-Identifier: ISC
"""Signatures by the eyes of others: python3-dkim and libopendkim.

records, everywhere: what DNS has, {"s1._domainkey.example.org": "v=DKIM1; ..."}.
"""
import os
import re
import subprocess

import dkim

from . import children
from .mail import field_values

BUILD = os.path.abspath(os.environ.get("MG_BUILDDIR", "."))


class Signature:
    """A DKIM-Signature field as text; its tags."""

    def __init__(self, value):
        self.tags = {}
        for tag in value.split(";"):
            name, equals, text = tag.partition("=")
            if equals:
                self.tags[name.strip()] = re.sub(r"\s+", "", text)

    @property
    def key_name(self):
        return "%s._domainkey.%s" % (self.tags.get("s"), self.tags.get("d"))


def of(content):
    """The signatures of a message, from the top."""
    return [Signature(value) for value in field_values(content, "DKIM-Signature")]


def by_python(content, known):
    """python3-dkim: a list of bool, one a signature, from the top."""

    def look_up(name, timeout=5):
        del timeout
        text = known.get(name.decode().rstrip(".").lower())
        return text.encode() if text else None

    results = []
    for number in range(len(of(content))):
        try:
            results.append(dkim.DKIM(content).verify(idx=number, dnsfunc=look_up))
        except dkim.DKIMException:
            results.append(False)
    return results


def by_opendkim(contents, known):
    """libopendkim: for each message a list of bool, one a signature, from the top."""
    directory = children.temporary_directory("verify")
    with open(directory + "/records", "w") as file:
        file.writelines("%s %s\n" % record for record in known.items())
    paths = ["%s/%d" % (directory, number) for number in range(len(contents))]
    for path, content in zip(paths, contents):
        with open(path, "wb") as file:
            file.write(content)
    found = {path: [] for path in paths}
    for path, verdict in _verdicts(directory + "/records", paths):
        found[path].append(verdict == "pass")
    return [found[path] for path in paths]


def _verdicts(records_path, paths):
    program = BUILD + "/t/gateway/opendkim_verify"
    for start in range(0, len(paths), 500):
        output = subprocess.check_output([program, records_path] + paths[start : start + 500])
        for line in output.decode("utf-8", "replace").splitlines():
            yield line.split(" ")[:2]


def verified(contents, known):
    """What both say of each message: a list of bool, one a signature, from the top;
    AssertionError where they differ."""
    opendkim = by_opendkim(contents, known)
    python = [by_python(content, known) for content in contents]
    for number, (one, other) in enumerate(zip(python, opendkim)):
        if one != other:
            raise AssertionError(
                "message %d: python3-dkim says %r, libopendkim %r:\n%s"
                % (number, one, other, contents[number][:2000].decode("utf-8", "replace"))
            )
    return python
