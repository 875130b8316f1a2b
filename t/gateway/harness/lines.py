# SPDX-License-Identifier: ISC
"""The log of a Postfix as track reads it: one dict a line, reading ("read", "unknown", "foreign"),
kind, line, and its fields by name, as text."""
import json
import os
import subprocess

from .tap import none

PROGRAM = os.path.join(
    os.path.abspath(os.environ.get("MG_BUILDDIR", ".")), "t/gateway/read_lines"
)


def read(path):
    result = subprocess.run([PROGRAM, path], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def all_understood(lines):
    """Fails with the lines that are not."""
    none(
        [
            "%s: %s" % (line.get("program"), line["line"])
            for line in lines
            if line["reading"] != "read"
        ]
    )


def find(lines, kind, **fields):
    """Lines of a kind with those fields; "_" stands for "." of a name."""
    wanted = {name.replace("__", "."): value for name, value in fields.items()}
    return [
        line
        for line in lines
        if line["kind"] == kind
        and all(line.get(name) == value for name, value in wanted.items())
    ]
