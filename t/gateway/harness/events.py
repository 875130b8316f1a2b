# SPDX-License-Identifier: ISC
"""The event log read without Millgate: files in order, hash chain, sequence, and every field
against ECS 8.11."""
import csv
import hashlib
import ipaddress
import json
import os
import re

HASH = b',"hash":"'
TAIL = re.compile(rb'^([0-9a-f]{32})"}}$')
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")
ALWAYS = (
    "@timestamp",
    "ecs.version",
    "event.id",
    "event.sequence",
    "event.kind",
    "event.category",
    "event.type",
    "event.action",
    "event.outcome",
    "event.provider",
    "event.dataset",
    "event.hash",
    "host.name",
)


def files(directory, name):
    """Paths of a log in the order of their records: sealed segments, then the one being
    written."""
    sealed = sorted(
        entry for entry in os.listdir(directory) if re.match(r"^%s-\d{20}\.jsonl$" % name, entry)
    )
    current = [name + ".jsonl"] if os.path.exists("%s/%s.jsonl" % (directory, name)) else []
    return ["%s/%s" % (directory, entry) for entry in sealed + current]


def raw(directory, name):
    """All complete lines (bytes, without LF); what follows the last LF of the last file is still
    being written."""
    for _attempt in range(50):
        paths = files(directory, name)
        try:
            contents = []
            for path in paths:
                with open(path, "rb") as file:
                    contents.append(file.read())
        except FileNotFoundError:
            continue  # renamed while we looked
        if files(directory, name) == paths:
            return [line for content in contents for line in content.split(b"\n")[:-1]]
    raise AssertionError("the log of %s rotates faster than it can be read" % name)


def read(directory, name):
    """The records; AssertionError if a hash does not follow from the one before or a sequence is
    missing."""
    previous = bytes(16)
    records = []
    for number, line in enumerate(raw(directory, name), 1):
        end = line.rfind(HASH)
        tail = TAIL.match(line[end + len(HASH) :]) if end >= 0 else None
        if not tail:
            raise AssertionError("record %d does not end in its hash: %r" % (number, line[-200:]))
        previous = hashlib.sha256(previous + line[:end]).digest()[:16]
        if tail.group(1).decode() != previous.hex():
            raise AssertionError(
                "record %d: hash %s, computed %s"
                % (number, tail.group(1).decode(), previous.hex())
            )
        record = json.loads(line, object_pairs_hook=_no_duplicates)
        if record["event"]["sequence"] != number:
            raise AssertionError(
                "record %d has sequence %r" % (number, record["event"]["sequence"])
            )
        if list(record)[-1] != "event" or list(record["event"])[-1] != "hash":
            raise AssertionError("record %d: event.hash is not its last member" % number)
        records.append(record)
    return records


def _no_duplicates(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise AssertionError("a member twice in %r" % pairs)
    return dict(pairs)


def get(record, path, default=None):
    """A field by its dotted name."""
    value = record
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return default
        value = value[step]
    return value


def load_schema(path):
    """A table of fields: (name: (type, is an array))."""
    with open(path, newline="") as file:
        rows = csv.DictReader(row for row in file if not row.startswith("#"))
        return {row["Field"]: (row["Type"], "array" in row["Normalization"]) for row in rows}


def _is_ip(value):
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


KINDS = {
    "keyword": lambda value: isinstance(value, str),
    "wildcard": lambda value: isinstance(value, str),
    "text": lambda value: isinstance(value, str),
    "match_only_text": lambda value: isinstance(value, str),
    "constant_keyword": lambda value: isinstance(value, str),
    "date": lambda value: isinstance(value, str) and bool(TIME.match(value)),
    "ip": _is_ip,
    "boolean": lambda value: isinstance(value, bool),
    "long": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": _is_number,
    "double": _is_number,
    "object": lambda value: isinstance(value, dict),
    "flattened": lambda value: isinstance(value, dict)
    and all(isinstance(member, str) for member in value.values()),
}


def leaves(value, schema, path=""):
    """(dotted name, value) of each field; the objects in a list count as `nested` or object fields
    do, one of type `flattened` is one value."""
    if isinstance(value, dict) and schema.get(path, ("",))[0] != "flattened":
        for key, member in value.items():
            yield from leaves(member, schema, path + "." + key if path else key)
    elif isinstance(value, list) and value and all(isinstance(member, dict) for member in value):
        for member in value:
            yield from leaves(member, schema, path)
    else:
        yield path, value


def faults(record, schema):
    """What is wrong with the fields of a record: sentences, none if it is right."""
    found = ["%s is missing" % name for name in ALWAYS if get(record, name) is None]
    for name, value in leaves(record, schema):
        if name not in schema:
            found.append("%s is not a field" % name)
            continue
        kind, is_array = schema[name]
        if is_array != isinstance(value, list):
            found.append(
                "%s: %s" % (name, "an array is expected" if is_array else "one value is expected")
            )
            continue
        for member in value if is_array else [value]:
            if kind in KINDS and not KINDS[kind](member):
                found.append("%s: %r is no %s" % (name, member, kind))
    return found + _closed_words(record)


CLOSED = {
    "event.kind": {"alert", "event", "state", "metric", "pipeline_error"},
    "event.outcome": {"success", "failure", "unknown"},
    "event.category": {
        "authentication",
        "configuration",
        "email",
        "host",
        "network",
        "process",
    },
    "event.type": {"info", "denied", "error", "change", "start", "end", "allowed", "connection"},
    "email.direction": {"inbound", "outbound"},
    "ecs.version": {"8.11.0"},
}


def _closed_words(record):
    found = []
    for name, words in CLOSED.items():
        value = get(record, name)
        for word in value if isinstance(value, list) else [value] if value is not None else []:
            if word not in words:
                found.append("%s: %r is not one of %s" % (name, word, sorted(words)))
    return found


DOCUMENTED = re.compile(r'X\(\s*\w+,\s*"([^"]+)",\s*(\w+),\s*(true|false),')


def documented(path):
    """The daemons' own table of fields (lib/mail/fields.h), in the form of load_schema()."""
    with open(path) as file:
        rows = DOCUMENTED.findall(file.read().replace("\\\n", " "))
    return {
        name: ("match_only_text" if kind == "TEXT" else kind.lower(), array == "true")
        for name, kind, array in rows
    }
