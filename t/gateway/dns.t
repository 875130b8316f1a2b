#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The resolver at a real name server (nsd): every kind of answer, and what is kept of it."""
import json
import os
import subprocess
import sys

import dns.dnssec
import dns.name
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ed25519

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import children, tap, wait
from harness.dns import TTL, NameServer
from harness.tap import equal, true

BUILD = os.environ.get("MG_BUILDDIR", ".")
PATIENT = "60000"  # ms: no answer here takes that long
LONG = "x" * 250

ZONE = """
text TXT "one" "two" ""
texts TXT "a"
texts TXT "b"
empty TXT ""
bytes TXT "\\000\\255\\\\"
large TXT %s
mail MX 20 B
mail MX 10 a.example.org.
mail MX 0 .
alias CNAME alias2
alias2 CNAME text
lost CNAME nowhere
loop CNAME loop
host A 192.0.2.1
host AAAA 2001:db8::1
sub NS ns2.sub
*.wild TXT "any"
a\\032b TXT "blank"
short 1 TXT "short"
long 3600 TXT "long"
""" % " ".join(
    '"%s"' % LONG for _ in range(16)
)


class Resolver:
    """The program of the tests that asks what it is told to."""

    def __init__(self, server, timeout=PATIENT, *anchor):
        self.child = children.spawn(
            [BUILD + "/t/gateway/resolve", server, timeout, *anchor],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, question):
        self.child.stdin.write(question.encode() + b"\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def end(self):
        self.child.stdin.close()
        equal(self.child.wait(timeout=wait.GENEROUS), 0, "exit status")
        children.end(self.child)


def start_server(zones):
    return NameServer(children.temporary_directory("dns"), zones)


def at(server):
    return "%s@%d" % (server.address, server.port)


def texts(answer):
    equal(answer["status"], "found", "status")
    return [record[1] for record in answer["records"]]


def answers(t, resolver):
    with t.test("The strings of a TXT record are one text, and several records keep apart"):
        equal(texts(resolver.ask("text.example.org TXT")), ["onetwo"], "text")
        equal(sorted(texts(resolver.ask("texts.example.org TXT"))), ["a", "b"], "texts")
        equal(texts(resolver.ask("empty.example.org TXT")), [""], "text")
        equal(texts(resolver.ask("bytes.example.org TXT")), ["\\000\\255\\092"], "text")

    with t.test("An answer of four KiB comes whole, by TCP"):
        equal(texts(resolver.ask("large.example.org TXT")), [LONG * 16], "text")

    with t.test("Exchangers have their preference and names in lower case"):
        answer = resolver.ask("mail.example.org MX")
        equal(
            sorted(answer["records"]),
            [[0, ""], [10, "a.example.org"], [20, "b.example.org"]],
            "exchangers",
        )

    with t.test("Addresses are in network order"):
        equal(texts(resolver.ask("host.example.org A")), ["\\192\\000\\002\\001"], "address")
        equal(len(resolver.ask("host.example.org AAAA")["records"]), 1, "addresses")

    with t.test("An alias leads on, to what is there or is not"):
        equal(texts(resolver.ask("alias.example.org TXT")), ["onetwo"], "text")
        equal(texts(resolver.ask("alias.example.org CNAME")), ["alias2.example.org"], "alias")
        equal(resolver.ask("alias.example.org A")["status"], "no record", "status")
        equal(resolver.ask("lost.example.org TXT")["status"], "no such name", "status")
        equal(resolver.ask("loop.example.org TXT")["status"], "no answer", "status")

    with t.test("No record, no such name and no answer are three things"):
        equal(resolver.ask("host.example.org TXT")["status"], "no record", "status")
        equal(resolver.ask("none.example.org TXT")["status"], "no such name", "status")
        equal(resolver.ask("host.example.net TXT")["status"], "no answer", "status")

    with t.test("Names are asked as they are: odd ones, wild ones, and none"):
        equal(texts(resolver.ask("_odd.wild.example.org TXT")), ["any"], "text")
        equal(texts(resolver.ask("a\\b.wild.example.org TXT")), ["any"], "text")
        equal(resolver.ask("a..example.org TXT")["status"], "not a name", "status")
        equal(resolver.ask("x" * 64 + ".example.org TXT")["status"], "not a name", "status")

    with t.test("Private and reserved zones are asked for where a server is named"):
        equal(texts(resolver.ask("1.0.0.10.in-addr.arpa PTR")), ["host.example.org"], "name")
        equal(texts(resolver.ask("a.test TXT")), ["reserved"], "text")


def kept(t, server):
    resolver = Resolver(at(server), "500")
    with t.test("A record that changed is seen when it is asked anew, and only then"):
        equal(texts(resolver.ask("a.example.com TXT")), ["old"], "text")
        server.change("example.com", 'a 3600 TXT "new"')
        equal(texts(resolver.ask("a.example.com TXT")), ["old"], "text")
        equal(texts(resolver.ask("a.example.com TXT fresh")), ["new"], "text")
        equal(texts(resolver.ask("a.example.com TXT")), ["new"], "text")
    with t.test("A name that is new is seen when it is asked anew"):
        equal(resolver.ask("b.example.com TXT")["status"], "no such name", "status")
        server.change("example.com", 'a 3600 TXT "new"\nb TXT "b"')
        equal(texts(resolver.ask("b.example.com TXT fresh")), ["b"], "text")
    with t.test("An answer is kept for its time"):
        equal(resolver.ask("short.example.org TXT")["ttl"], 1, "seconds")
        equal(resolver.ask("text.example.org TXT")["ttl"], TTL, "seconds")
        equal(resolver.ask("long.example.org TXT")["ttl"], 3600, "seconds")
    server.stop()
    with t.test("With the server gone what is kept answers, and the rest ends in time"):
        equal(texts(resolver.ask("long.example.org TXT")), ["long"], "text")
        equal(resolver.ask("long.example.org TXT fresh")["status"], "no answer in time", "status")
        equal(texts(resolver.ask("long.example.org TXT")), ["long"], "text")
        late = resolver.ask("large.example.org TXT")
        true(late["status"].startswith("no answer"), repr(late))
        wait.until(
            lambda: resolver.ask("short.example.org TXT")["status"] != "found",
            "an answer to be too old",
        )
    resolver.end()


def sign(origin, records):
    """The zone text of {name: TXT text} under origin with its signatures, and the DS record that
    vouches for its key."""
    name = dns.name.from_text(origin)
    key = ed25519.Ed25519PrivateKey.generate()
    dnskey = dns.dnssec.make_dnskey(key.public_key(), "ED25519", flags=257)
    sets = [dns.rrset.from_rdata(name, 3600, dnskey)]
    for label, text in records.items():
        sets.append(dns.rrset.from_text(dns.name.from_text(label, name), 3600, "IN", "TXT", text))
    lines = []
    for rrset in sets:
        signature = dns.dnssec.sign(rrset, key, name, dnskey, lifetime=86400)
        lines.append(rrset.to_text())
        lines.append("%s 3600 IN RRSIG %s" % (rrset.name, signature.to_text()))
    return "\n".join(lines), "%s IN DS %s" % (name, dns.dnssec.make_ds(name, dnskey, "SHA256"))


def validated(t):
    zone, anchor = sign("signed.example", {"good": '"good"', "bad": '"bad"'})
    server = start_server({"signed.example": zone.replace('"bad"', '"forged"')})
    path = server.directory + "/anchor"
    with open(path, "w") as file:
        file.write(anchor + "\n")
    with t.test("With dnssec a signed record is secure and a forged one no answer"):
        resolver = Resolver(at(server), PATIENT, path)
        answer = resolver.ask("good.signed.example TXT")
        equal((texts(answer), answer["secure"]), (["good"], True), "answer")
        equal(resolver.ask("bad.signed.example TXT")["status"], "no answer", "status")
        resolver.end()
    with t.test("Without dnssec a record is what it says, and not secure"):
        resolver = Resolver(at(server))
        answer = resolver.ask("bad.signed.example TXT")
        equal((texts(answer), answer["secure"]), (["forged"], False), "answer")
        resolver.end()


def tests(t):
    if not os.access("/usr/sbin/nsd", os.X_OK):
        raise tap.Skip("nsd is not installed")
    server = start_server(
        {
            "example.org": ZONE,
            "example.com": 'a 3600 TXT "old"',
            "10.in-addr.arpa": "1.0.0 PTR host.example.org.",
            "test": 'a TXT "reserved"',
        }
    )
    resolver = Resolver(at(server))
    answers(t, resolver)
    resolver.end()
    kept(t, server)
    validated(t)


tap.main(tests)
