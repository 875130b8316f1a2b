#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""--judge of millgate-dkim, alone and behind other filters of one process: what it would add, with
DNS as the case has it; python3-dkim and libopendkim verify the outcome."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../gateway"))
from harness import children, milter, openssl, signatures, tap
from harness.tap import equal, true

SOURCE = os.path.abspath(os.environ.get("MG_SRCDIR", HERE + "/../.."))
DIRECTORY = children.temporary_directory("judge")
FOLDER = DIRECTORY + "/keys"
NOW = 1795580470
MESSAGE = b"From: Ann <ann@example.org>\nTo: bob@example.net\nSubject: one\n\nHello  there \n\n"


class Judged:
    """What the daemon answers to one message."""

    def __init__(self, program, configuration, message, case):
        path = DIRECTORY + "/case.json"
        with open(path, "w") as file:
            json.dump(dict({"now": "2026-11-25T04:21:10Z"}, **case), file)
        done = subprocess.run(
            [milter.program(program), "-c", configuration, "--judge", "-", "--case", path],
            input=message,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.status = done.returncode
        self.complaint = done.stderr.decode()
        self.message = message
        self.object = json.loads(done.stdout) if done.stdout else {}

    def events(self, action):
        return [event for event in self.object["events"] if event["event"]["action"] == action]

    def content(self):
        """The message as it is sent."""
        header, _, body = self.message.partition(b"\n\n")
        fields = [line.split(b":", 1) for line in header.split(b"\n")]
        fields.insert(0, [b"Received", b" own"])
        for edit in self.object["edits"]:
            body = apply(fields, body, edit)
        header = b"".join(name + b":" + value + b"\r\n" for name, value in fields)
        return header + b"\r\n" + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def place(fields, name, occurrence):
    """Where a field that filters see stands."""
    found = [
        index
        for index, field in enumerate(fields)
        if index > 0 and field[0].lower() == name.lower()
    ]
    return found[occurrence - 1]


def apply(fields, body, edit):
    kind = edit["edit"]
    name = edit.get("name", "").encode()
    value = (edit.get("value") or "").encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if kind == "insert-header":
        fields.insert(edit["position"], [name, value])
    elif kind == "change-header":
        fields[place(fields, name, edit["position"])][1] = value
    elif kind == "delete-header":
        del fields[place(fields, name, edit["position"])]
    elif kind == "replace-body":
        return value
    else:
        raise AssertionError("an edit %r" % edit)
    return body


def configure(name, lines):
    path = "%s/%s.conf" % (DIRECTORY, name)
    with open(path, "w") as file:
        file.write('gateway = "gw.example.net"\nmetrics = ""\n' + lines)
    os.chmod(path, 0o644)
    return path


def judge(settings="", message=MESSAGE, **case):
    path = configure("dkim", 'keys = "%s"\n%s\n' % (FOLDER, settings))
    return Judged("millgate-dkim", path, message, case)


def judge_chain(filters, message):
    configure("probe", 'hold = "header"\n')
    configure("log", "")
    configure("dkim", 'keys = "%s"\nsign { selectors = { "r1" } }\n' % FOLDER)
    path = configure("probe-chain", "filters = { %s }\n" % filters)
    return Judged("millgate-probe-chain", path, message, {"dns": {}})


def of_signatures(t, keys):
    known = openssl.records(keys)
    with t.test("Each form of header and body verifies, by both algorithms"):
        forms = [
            "%s/%s" % (header, body)
            for header in ("simple", "relaxed")
            for body in ("simple", "relaxed")
        ]
        contents = [
            judge('sign { canonicalization = "%s" selectors = { "r1", "e1" } }' % form).content()
            for form in forms
        ]
        equal(signatures.verified(contents, known), [[True, True]] * 4, "verdicts")
        for form, content in zip(forms, contents):
            equal([s.tags["c"] for s in signatures.of(content)], [form] * 2, "c=")

    with t.test("One letter more, and neither verifies"):
        content = judge('sign { selectors = { "r1", "e1" } }').content()
        changed = [content.replace(b"Hello", b"Hallo"), content.replace(b"one", b"two")]
        equal(signatures.verified(changed, known), [[False, False]] * 2, "verdicts")

    with t.test("The signature has the time of the case, and no length"):
        tags = signatures.of(judge().content())[0].tags
        equal((tags["t"], tags["a"], tags["v"]), (str(NOW), "rsa-sha256", "1"), "tags")
        true("l" not in tags and "x" not in tags and "i" not in tags, "tags %r" % tags)


def of_publication(t, keys):
    rsa = keys[0]
    question = rsa.name + " TXT"
    other = openssl.Key(DIRECTORY + "/others", "example.org", "r1")
    known = {"same": [rsa.record], "other": [other.record], "no record": "NXDOMAIN"}
    known["revoked"] = ["v=DKIM1; k=rsa; p="]
    known["no answer"] = "SERVFAIL"
    known["two"] = [other.record, rsa.record]
    good = ("same", "two")

    for state, answer in known.items():
        with t.test("verify_before_send, DNS has: %s" % state):
            case = {"dns": {question: answer}}
            off = judge('verify_before_send = "off"', **case)
            log = judge('verify_before_send = "log"', **case)
            defer = judge('verify_before_send = "tempfail"', **case)
            equal((off.status, log.status), (0, 0), "status of off and log")
            equal(len(log.events("message-signed")), 1, "signatures")
            deferred = state not in good + ("no answer",)
            equal(defer.object["verdict"], "deferred" if deferred else "accepted", "verdict")
            told = [e for e in log.events("key-mismatch") if "local_id" in e.get("email", {})]
            equal([e["millgate"]["dkim"]["dns"] for e in told], [] if state in good else [state],
                "events")
            if state in good:
                continue
            first = told[0]["millgate"]["dkim"]
            equal(first["record"].replace('" "', ""), '%s. TXT "%s"' % (rsa.name, rsa.record),
                "record to publish")
            if not deferred:
                continue
            unsigned = defer.events("message-unsigned")[0]["event"]
            equal(unsigned["code"], "key-mismatch", "code")
            true(defer.object["reply"].startswith("451 4.7.5 "), defer.object["reply"])
            true(defer.object["reply"].endswith(
                "[key-mismatch %s]" % unsigned["id"][-8:]), defer.object["reply"])
            equal(defer.object["edits"], [], "edits")


def of_chain(t, keys):
    known = openssl.records(keys)
    rows = {
        "inserts a field": b"X-Probe: insert 1 Subject added",
        "changes a field": b"X-Probe: change Subject 1 changed",
        "changes the author": b"X-Probe: change From 1 other@example.org",
        "deletes a field": b"X-Probe: delete Subject 1",
        "replaces the body": b"X-Probe: body other",
        "holds by the field": b"X-Probe: hold cards",
    }
    for what, command in rows.items():
        with t.test("What is signed is the message after a filter before that " + what):
            judged = judge_chain('"probe", "dkim", "log"', command + b"\n" + MESSAGE)
            equal(judged.complaint, "", "complaints")
            content = judged.content()
            equal(signatures.verified([content], known), [[True]], "verdict")
            true(b"X-Millgate-Hold" not in content, "no field of a hold")

    with t.test("Our own signature is not good any more when a filter before changed the message"):
        once = judge('sign { selectors = { "r1" } }')
        field = [e["value"] for e in once.object["edits"] if e["name"] == "DKIM-Signature"][0]
        signed = b"DKIM-Signature:" + field.replace("\r\n", "\n").encode().replace(b"\n", b"")
        for command, count in ((b"X-Other: x", 0), (b"X-Probe: change Subject 1 changed", 1)):
            message = signed + b"\n" + command + b"\n" + MESSAGE
            judged = judge_chain('"probe", "dkim"', message)
            equal(len(judged.events("message-signed")), count, "new signatures")
            equal(signatures.verified([judged.content()], known), [[True]], "verdict")


def of_configuration(t):
    rows = [
        ('sign { canonicalization = "relaxd" }',
            'canonicalization "relaxd"; expected simple or relaxed, twice: "relaxed/relaxed"; '
            "nearest: relaxed"),
        ('sign { canonicalization = "relaxed" }', "expected simple or relaxed, twice"),
        ('sign { by = "authr" }', 'by "authr"; expected author or sender; nearest: author'),
        ('sign { also = "no domain" }', 'also "no domain"; expected a domain'),
        ('sign { headers = { "Sub ject" } }', "expected the name of a field"),
        ('sign { headers = { "DKIM-Signature" } }', "DKIM-Signature"),
        ('sign { domains = { "file:/no/such" } }', "dkim.conf:3: sign: domains: /no/such: "),
        ('sign { selectors = { "s1.pem/x" } }',
            'selectors "s1.pem/x"; expected the name of a key\'s file without .pem'),
        ('sign { match { sender = "regex:(" } }', "sender"),
        ("line_limit = 50", "expected 0, for none, or at least 100"),
        ('keys = "keys"', "expected a path from the root"),
        ('unsigned = "sent"', 'expected send or tempfail; nearest: send'),
    ]
    for line, complaint in rows:
        with t.test("A mistake is named: " + line):
            judged = Judged("millgate-dkim", configure("dkim", line + "\n"), MESSAGE, {})
            equal(judged.status, 78, "status")
            true(complaint in judged.complaint, judged.complaint)


def of_the_installed_file(t):
    with t.test("Each value of the installed dkim.conf is the default"):
        with open(SOURCE + "/etc/dkim.conf") as file:
            lines = "".join(line for line in file if not line.startswith("include"))
        lines = lines.replace("/etc/millgate/keys", FOLDER)
        path, socket = DIRECTORY + "/dkim.conf", 'socket = "unix:/var/spool/postfix/'
        printed = []
        for text in (lines, socket + 'millgate/dkim.sock"\nkeys = "%s"\n' % FOLDER):
            with open(path, "w") as file:
                file.write(text)
            printed.append(subprocess.check_output(
                [milter.program("millgate-dkim"), "-c", path, "-T"]).decode())
        equal(printed[0], printed[1], "-T")


def tests(t):
    keys = [
        openssl.Key(FOLDER, "example.org", "r1"),
        openssl.Key(FOLDER, "example.org", "e1", "ed25519"),
    ]
    of_signatures(t, keys)
    of_publication(t, keys)
    of_chain(t, keys)
    of_configuration(t)
    of_the_installed_file(t)


tap.main(tests)
