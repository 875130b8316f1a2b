#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate key: the keys of domains, made, listed, compared with DNS, and retired."""
import json
import os
import pwd
import random
import re
import shutil
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import tap
from harness.command import Operator
from harness.dns import NameServer
from harness.gateway import SOURCE
from harness.tap import equal, none, true

DOMAIN = "acme.example"


def of_making(t, operator):
    with t.test("key new makes a key that signs, says so, and shows the record in zone form"):
        lines = operator.good("key", "new", DOMAIN, "s2026").splitlines()
        path = "%s/%s/s2026.pem" % (operator.keys, DOMAIN)
        true(
            re.fullmatch(r"Made %s \(rsa 2048, 640 \w+:\w+\)\." % re.escape(path), lines[0]),
            lines[0],
        )
        equal(lines[1], "It signs from now on: publish it at once, then check:", "line 2")
        equal(
            lines[3],
            's2026._domainkey.acme.example. 3600 IN TXT ( "v=DKIM1; k=rsa; "',
            "record",
        )
        true(lines[4].startswith('  "p=MIIB') and lines[-1].endswith('" )'), "strings")
        none([line for line in lines[3:] if len(line) > 255 + 8])

    with t.test("Its folder is 0750, its file 0640, and nothing else is left there"):
        folder = os.stat(operator.keys + "/" + DOMAIN)
        key = os.stat("%s/%s/s2026.pem" % (operator.keys, DOMAIN))
        equal(stat.S_IMODE(folder.st_mode), 0o750, "folder")
        equal(stat.S_IMODE(key.st_mode), 0o640, "file")
        equal(os.listdir(operator.keys + "/" + DOMAIN), ["s2026.pem"], "files")

    with t.test("What was done is recorded with who did it and how"):
        event = operator.events()[0]
        equal(event["user"]["name"], pwd.getpwuid(os.getuid()).pw_name, "user")
        equal(event["millgate"]["operator"]["command"][-4:], ["key", "new", DOMAIN, "s2026"], "how")
        equal(event["millgate"]["dkim"]["selector"], "s2026", "selector")
        equal(event["event"]["outcome"], "success", "outcome")

    with t.test("A second key waits, and which one signs until then is said"):
        operator.publish(DOMAIN)
        lines = operator.good("key", "new", DOMAIN, "s2027").splitlines()
        equal(
            lines[1],
            "It waits: s2026 signs until s2027 is seen in DNS. Publish, then check:",
            "line 2",
        )

    with t.test("A key is never replaced"):
        before = open("%s/%s/s2027.pem" % (operator.keys, DOMAIN)).read()
        done = operator.run("key", "new", DOMAIN, "s2027")
        equal(done.returncode, 74, "status")
        true("there is one, and none is replaced" in done.stderr, done.stderr)
        equal(open("%s/%s/s2027.pem" % (operator.keys, DOMAIN)).read(), before, "file")

    with t.test("Without a selector the year names it, and the next one is counted"):
        for kind, names in ("rsa:4096", ("s%s", "s%s-2")), ("ed25519", ("e%s", "e%s-2")):
            year = time.strftime("%Y", time.gmtime())
            for name in names:
                done = operator.json("key", "new", "year.example", "--type", kind)
                equal(done["millgate"]["dkim"]["selector"], name % year, kind)

    with t.test("A domain with other letters is taken as A-labels"):
        done = operator.json("key", "new", "BÜCHER.example")
        equal(done["millgate"]["dkim"]["domain"], "xn--bcher-kva.example", "domain")

    with t.test("--format value shows the text of the record alone"):
        shown = operator.good("key", "new", "value.example", "--format", "value").splitlines()
        true(shown[-1].startswith("v=DKIM1; k=rsa; p=MIIB"), shown[-1])
        equal(operator.good("key", "dns", "value.example", "--format", "value"), shown[-1] + "\n", "dns")


def of_forms(t, operator):
    with t.test("key dns shows zone lines, one line and what panels want, of the same text"):
        shown = operator.good("key", "dns", DOMAIN, "s2026")
        value = operator.good("key", "dns", DOMAIN, "s2026", "--format", "value").strip()
        parts = shown.split("\n\n")
        for part in parts[1:3]:
            strings = re.findall(r'"([^"]*)"', part)
            none([text for text in strings if len(text) > 255])
            equal("".join(strings), value, "strings of " + part[:20])
        true(
            "type TXT, name s2026._domainkey in zone acme.example" in parts[3] and value in parts[3],
            parts[3],
        )

    with t.test("key dns of a key that is not there is status 3"):
        done = operator.run("key", "dns", DOMAIN, "nothing")
        equal(done.returncode, 3, "status")
        true("no key acme.example/nothing in" in done.stderr, done.stderr)


def of_listing(t, operator):
    for number, when in enumerate(("T00:00:00.000001Z", "T23:59:59.000000Z", None)):
        day = time.strftime("%Y-%m-%d", time.gmtime()) + when if when else "2020-01-01T01:00:00.0Z"
        with open(operator.log + "/dkim.jsonl", "a" if number else "w") as file:
            file.write(
                '{"@timestamp":"%s","email":{"subject":"\\"dkim\\":{\\"domain\\":\\"x"},'
                '"millgate":{"dkim":{"domain":"%s","selector":"s2026","algorithm":"rsa-sha256"}},'
                '"event":{"action":"message-signed"}}\n' % (day, DOMAIN)
            )

    with t.test("key list tells state, DNS and use of each key, and a mend"):
        bad = "%s/example.org/e1.pem" % operator.keys
        operator.run("key", "new", "example.org", "e1", "--type", "ed25519")
        os.chmod(bad, 0o644)
        operator.dns.change(DOMAIN, operator.run("key", "dns", DOMAIN, "s2026", "--format", "bind").stdout)
        shown = operator.good("key", "list", status=2)
        rows = {tuple(line.split()[:2]): line for line in shown.splitlines() if line}
        equal(shown.splitlines()[0].split(), "domain selector type state DNS used".split(), "head")
        equal(rows[DOMAIN, "s2026"].split()[2:], "rsa-2048 signs same 2 today".split(), "s2026")
        equal(rows[DOMAIN, "s2027"].split()[2:], "rsa-2048 waits no record -".split(), "s2027")
        true("refused" in rows["example.org", "e1"], rows["example.org", "e1"])
        true("others can read it" in rows["example.org", "e1"], "reason")
        true("chmod" in shown and bad in shown, "mend")

    with t.test("key list --json has the same in the names of events"):
        keys = operator.json("key", "list", status=2)["keys"]
        key = [k for k in keys if k["millgate"]["dkim"]["selector"] == "s2026"][0]
        equal((key["state"], key["used"], key["millgate"]["dkim"]["dns"]), ("signs", 2, "same"), "s2026")
        key = [k for k in keys if k["millgate"]["dkim"]["selector"] == "e1"][0]
        equal(key["event"]["code"], "key-mode", "code of e1")

    with t.test("A key that is seen in DNS replaces the older one"):
        operator.publish(DOMAIN)
        shown = operator.good("key", "list", DOMAIN)
        equal([line.split()[3] for line in shown.splitlines()[1:3]], ["signs", "replaced"], shown)

    with t.test("A pinned selector signs whatever DNS says"):
        operator.configure('sign { selectors = { "s2026" } }')
        shown = operator.good("key", "list", DOMAIN)
        equal([line.split()[3] for line in shown.splitlines()[1:3]], ["replaced", "signs"], shown)
        operator.configure()

    with t.test("No answer is status 3, a domain without keys too"):
        equal(operator.run("key", "list", DOMAIN, "--nameserver", "127.0.0.1@1").returncode, 3, "no answer")
        equal(operator.run("key", "list", "nowhere.example").returncode, 3, "no key")

    with t.test("No key at all is no trouble"):
        with Operator({"a.example": ""}) as empty:
            true(empty.good("key", "list").startswith("No key in "), "text")
            equal(empty.json("key", "list"), {"keys": []}, "JSON")


def record(operator, selector="s2026"):
    return operator.good("key", "dns", DOMAIN, selector, "--format", "value").strip()


def strings(text, size=255):
    return " ".join('"%s"' % text[i : i + size] for i in range(0, len(text), size))


def of_checking(t, operator):
    name = "s2026._domainkey"
    value = record(operator)
    other = record(operator, "s2027")

    def check(zone, status):
        operator.dns.change(DOMAIN, zone)
        return operator.good(
            "key", "check", DOMAIN, "s2026", "--nameserver", "127.0.0.1@%d" % operator.dns.port, status=status
        )

    cases = (
        ("the key of the file", "%s TXT %s" % (name, strings(value)), 0, "has the key of the file"),
        ("no record", "", 2, "no record at s2026._domainkey.acme.example"),
        ("a record cut at 255 octets", '%s TXT "%s"' % (name, value[:255]), 2, "cut at 255 octets"),
        ("stray quotes", "%s TXT %s" % (name, strings('"' + value + '"').replace('""v', '"\\"v').replace('""', '\\""')), 2, "quotes inside the text"),
        ("another key", "%s TXT %s" % (name, strings(other)), 2, "another key"),
        ("a revoked key", '%s TXT "v=DKIM1; p="' % name, 2, "revoked"),
        ("the zone's name twice", "%s.acme.example TXT %s" % (name, strings(value)), 2, "wrong name"),
        ("a name without _domainkey", "s2026 TXT %s" % strings(value), 2, "wrong name"),
    )
    for what, zone, status, words in cases:
        with t.test("key check tells %s" % what):
            true(words in check(zone, status), zone)

    with t.test("No answer of the name server is status 3"):
        done = operator.run("key", "check", DOMAIN, "--nameserver", "127.0.0.1@1")
        equal(done.returncode, 3, "status")
        true("no answer from DNS" in done.stdout, done.stdout)


def of_name_servers(t, operator):
    tap.needs_root("name servers listen on port 53")
    number = random.SystemRandom().randrange(1, 250)
    addresses = ["127.53.%d.%d" % (number, i) for i in (1, 2)]
    more = "@ NS ns2\nns2 A %s\n" % addresses[1]
    lines = operator.good("key", "dns", DOMAIN, "s2026", "--format", "bind")
    first = NameServer(operator.directory + "/ns1", {DOMAIN: more + lines}, addresses[0], 53)
    second = NameServer(operator.directory + "/ns2", {DOMAIN: more + lines}, addresses[1], 53)
    operator.dns.published = addresses[0]
    operator.dns.change(DOMAIN, more + lines)
    try:
        with t.test("key check asks every name server of the zone, and the resolver"):
            equal(
                operator.good("key", "check", DOMAIN, "s2026"),
                "acme.example/s2026: DNS has the key of the file (ns, ns2 and resolver agree)\n",
                "text",
            )

        with t.test("A name server that is behind is named, and status 1"):
            second.change(DOMAIN, more)
            shown = operator.good("key", "check", DOMAIN, "s2026", status=1).splitlines()
            equal(shown[0], "acme.example/s2026: 2 of 3 have the key of the file", "line 1")
            equal(shown[2].split(), ["ns2", "no", "record"], "ns2")

        with t.test("--json has each server"):
            servers = operator.json("key", "check", DOMAIN, "s2026", status=1)["keys"][0]["servers"]
            equal([s["millgate"]["dkim"]["dns"] for s in servers], ["same", "no record", "same"], "dns")
    finally:
        first.stop()
        second.stop()
        operator.dns.published = operator.dns.address


def of_retiring(t, operator):
    operator.publish(DOMAIN)

    with t.test("key retire shows its plan and changes nothing"):
        shown = operator.good("key", "retire", DOMAIN, "s2026")
        true("Nothing changed yet" in shown and "--yes" in shown and "s2027" in shown, shown)
        true(re.search(r"s2026\._domainkey\.acme\.example in DNS until 20\d\d-", shown), shown)
        equal(operator.files(DOMAIN), ["s2026.pem", "s2027.pem"], "files")

    with t.test("The only key that signs is retired only with --yes, and the plan says so"):
        shown = operator.good("key", "retire", "value.example", operator.files("value.example")[0][:-4], status=1)
        true("would be sent unsigned" in shown, shown)

    with t.test("With --yes it signs no more; its file and its record in DNS stay"):
        shown = operator.good("key", "retire", DOMAIN, "s2026", "--yes", "--reason", "rotation", "--utc")
        true(shown.startswith("Retired acme.example/s2026.\n") and "Keep " in shown, shown)
        equal(operator.files(DOMAIN), ["s2026.retired", "s2027.pem"], "files")
        event = operator.events()[-1]
        equal(event["millgate"]["operator"]["reason"], "rotation", "reason")
        true(event["event"]["reason"].startswith("key retired: "), event["event"]["reason"])

    with t.test("It is not called retired while mail that it signed may be queued"):
        row = [line for line in operator.good("key", "list", DOMAIN).splitlines() if "s2026" in line][0]
        true("retiring" in row and "DNS must keep it until 20" in row, row)
        key = [
            k
            for k in operator.json("key", "list", DOMAIN)["keys"]
            if k["millgate"]["dkim"]["selector"] == "s2026"
        ][0]
        true(key["state"] == "retiring" and key["until"].endswith("Z"), str(key))

    with t.test("Its selector is not taken again"):
        equal(operator.run("key", "new", DOMAIN, "s2026").returncode, 74, "status")


def of_rights(t, operator):
    tap.needs_root("other users are tried")
    # The build may be below a folder that others cannot pass, as /root.
    operator.program = shutil.copy(operator.program, operator.directory)
    with t.test("Who may not read the keys is told what to do: status 77"):
        os.chmod(operator.keys, 0o750)
        done = operator.run("key", "list", user="nobody", group="nogroup", extra_groups=[])
        equal(done.returncode, 77, "status")
        true("Permission denied; run it as root" in done.stderr, done.stderr)

    with t.test("Who may not write makes no key: status 77"):
        done = operator.run("key", "new", DOMAIN, "mine", user="nobody", group="nogroup", extra_groups=[])
        equal(done.returncode, 77, "status")
        true("run it as root" in done.stderr, done.stderr)
        true("mine.pem" not in operator.files(DOMAIN), "no file")

    with t.test("By sudo the user behind it is recorded"):
        operator.good("key", "new", "sudo.example", env={"SUDO_USER": "ann"})
        equal(operator.events()[-1]["user"]["name"], "ann", "user")


def of_many(t, operator):
    with t.test("Many at once take their turns: each has a key and a record"):
        before = len(operator.events())
        started = [operator.start("key", "new", "many.example", "--type", "ed25519") for _ in range(12)]
        ended = [(child.communicate()[1], child.returncode) for child in started]
        equal(ended, [("", 0)] * 12, "ends")
        equal(len(operator.files("many.example")), 12, "files")
        equal(len(operator.events()), before + 12, "records")
        with open(operator.log + "/operator.jsonl") as file:
            sequences = [json.loads(line)["event"]["sequence"] for line in file]
        equal(sequences, list(range(1, len(sequences) + 1)), "sequences")

    with t.test("Killed at any time it leaves a whole key or none"):
        for _ in range(40):
            child = operator.start("key", "new", "killed.example", "k", "--type", "ed25519")
            time.sleep(random.uniform(0, 0.02))
            child.kill()
            child.communicate()
            path = operator.keys + "/killed.example/k.pem"
            if os.path.exists(path):
                subprocess.run(["openssl", "pkey", "-in", path, "-noout"], check=True)
                os.unlink(path)
        operator.good("key", "new", "killed.example", "k", "--type", "ed25519")
        equal(os.listdir(operator.keys + "/killed.example"), ["k.pem"], "files")


def of_errors(t, operator):
    cases = (
        (["kye"], 'millgate: no command "kye"; nearest: key', 64),
        (["key", "lst"], 'millgate: key: no command "lst"; nearest: list', 64),
        (["key"], "millgate: key: a command is missing", 64),
        ([], "millgate: a command is missing", 64),
        (["key", "new"], "millgate: key new: an argument is missing: DOMAIN [SELECTOR]", 64),
        (["key", "new", "a.b", "c", "d"], 'millgate: key new: "d": no argument is expected here', 64),
        (["key", "list", "--nameservr", "x"], 'millgate: key list: no option "--nameservr"; nearest: --nameserver', 64),
        (["key", "new", "a.b", "--type"], "millgate: key new: --type needs a value: rsa:2048|rsa:4096|ed25519", 64),
        (["key", "new", "a.b", "--type", "rsa"], 'millgate: key new: --type "rsa"; expected rsa:2048|rsa:4096|ed25519', 64),
        (["key", "new", "../x"], 'millgate: key new: "../x" is no domain', 64),
        (["key", "new", "a.b", "x/y"], 'millgate: key new: "x/y" is no selector; expected', 64),
        (["dkim", "/nowhere"], "millgate: dkim: /nowhere: No such file or directory", 66),
        (["key", "list", "--nameserver", "x"], 'millgate: key list: --nameserver "x": ', 64),
    )
    for arguments, words, status in cases:
        with t.test("millgate %s is status %d, in words" % (" ".join(arguments), status)):
            done = operator.run(*arguments)
            equal((done.returncode, done.stdout), (status, ""), "end")
            true(done.stderr.startswith(words), done.stderr)
            if status == 64 and "is no" not in words and "nameserver" not in words:
                true("\nusage: millgate" in done.stderr, "usage line: " + done.stderr)

    with t.test("A wrong setting is status 78, with file and line"):
        operator.configure("minimum_bits = many")
        done = operator.run("key", "list")
        equal(done.returncode, 78, "status")
        true(re.search(r"dkim\.conf:5: minimum_bits", done.stderr), done.stderr)
        operator.configure()

    with t.test("-h is help on standard output: of all commands, of some, of one"):
        for arguments, words in ((["-h"], "key new DOMAIN"), (["key", "-h"], "key list"), (["key", "new", "-h"], "--type")):
            shown = operator.good(*arguments)
            true(words in shown, shown)
            none([line for line in shown.splitlines() if len(line) > 80])

    with t.test("Standard output that is full is status 74"):
        with open("/dev/full", "w") as full:
            done = subprocess.run([operator.program, "-h"], stdout=full, stderr=subprocess.PIPE)
        equal(done.returncode, 74, "status")


def of_the_manual(t, operator):
    with open(SOURCE + "/man/millgate.1") as file:
        blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", file.read(), re.M | re.S)
    commands = [line for block in blocks for line in block.splitlines()]
    operator.run("key", "new", "manual.example", "s2026")
    with open(operator.directory + "/returned.eml", "w") as file:
        file.write("From: a@manual.example\n\nhello\n")
    for command in commands:
        with t.test("millgate(1): %s" % command):
            shell = command.replace("sudo ", "").replace("acme.example", "manual.example")
            shell = shell.replace("millgate ", "%s --config %s " % (operator.program, operator.config))
            # What follows the log goes on until somebody ends it.
            ends = (0, 1, 2, 3) if "--follow" not in command else (124,)
            done = subprocess.run(
                (["timeout", "2"] if 124 in ends else []) + ["/bin/bash", "-c", "exec " + shell],
                cwd=operator.directory,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            true(done.returncode in ends and not done.stderr, str(done))


def of_completion(t, operator):
    path = os.path.dirname(operator.program) + "/installed/completion/millgate"
    cases = (
        (["k"], "key"),
        (["key", ""], "new list check dns retire"),
        (["--json", "key", "new", "a.b", "--t"], "--type"),
        (["key", "new", "a.b", "--type", ""], "rsa:2048 rsa:4096 ed25519"),
        (["key", "new", "a.b", "--type", "rsa", ":", "4"], "4096"),
        (["key", "new", "--type", "rsa", ":", "2048", "a.b", "--f"], "--format"),
        (["dkim", ""], ""),
    )
    for words, expected in cases:
        with t.test("Completion of \"millgate %s\"" % " ".join(words)):
            script = '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _millgate; echo "${COMPREPLY[*]}"'
            done = subprocess.run(
                ["/bin/bash", "-c", script, "-", path, "millgate"] + words, stdout=subprocess.PIPE, text=True
            )
            equal(done.stdout.strip(), expected, "words")


def tests(t):
    with Operator({DOMAIN: "", "example.org": "", "value.example": ""}) as operator:
        of_making(t, operator)
        of_forms(t, operator)
        of_listing(t, operator)
        of_checking(t, operator)
        of_name_servers(t, operator)
        of_errors(t, operator)
        of_retiring(t, operator)
        of_many(t, operator)
        of_the_manual(t, operator)
        of_completion(t, operator)
        of_rights(t, operator)


tap.main(tests)
