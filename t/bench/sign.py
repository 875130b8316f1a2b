# SPDX-License-Identifier: ISC
"""sign: what a signature costs: (a) the signing function beside the bare operation, (b) the whole
daemon, its event written, beside the least it could cost, (c) beside other filters that sign, (d)
canonical form and hash beside the hash alone.

The least is the sum of the bare operation with a kept key, SHA-256 of the body, and a filter on
libmilter that answers nothing but the end of message, where it adds a field (t/bench/plain.c).
Every message of every filter is looked at: it got its field.

How many times the least a peer takes ("x limit") is also the most that (c) can be for a filter
that costs the least. It depends on the processor: where RSA itself is slow, nobody is much slower.
"""
import hashlib
import json
import os
import subprocess
import time

import machine
import peers
from frame import Bench
from harness import children
from harness.openssl import Key

DOMAIN = "example.org"  # of the author of t/bench/load
FIELD_SIZE = 600
CONNECTIONS = 8
MANY_CONNECTIONS = 64
KIB, MIB = 1024, 1024 * 1024
MICROSECONDS = 1e6
# By size of a message: its name, how many are sent in a round, and how many on a connection.
SIZES = {
    2 * KIB: ("2 KiB", 2000, 50),
    50 * KIB: ("50 KiB", 400, 10),
    MIB: ("1 MiB", 48, 6),
}
# What takes ten times as long is sent fewer.
FEWER = {"opendkim": 4, "rspamd": 4}
ALGORITHMS = {"RSA-2048": ("rsa:2048", "rsa-2048"), "Ed25519": ("ed25519", "ed25519")}
# What is wanted: (algorithm, size) to a bound.
OF_LIMIT = {
    ("RSA-2048", 2 * KIB): 1.0,
    ("RSA-2048", 50 * KIB): 1.05,
    ("RSA-2048", MIB): 1.25,
    ("Ed25519", 2 * KIB): 1.1,
}
OF_FUNCTION = {"RSA-2048": 1.10, "Ed25519": 1.5}
OF_PEER = {
    ("opendkim", "RSA-2048", 2 * KIB): 4,
    ("opendkim", "Ed25519", 2 * KIB): 7,
    ("opendkim", "RSA-2048", MIB): 4,
    ("opendkim", "Ed25519", MIB): 4,
    ("rspamd", "RSA-2048", 2 * KIB): 1.6,
    ("rspamd", "Ed25519", 2 * KIB): 2.0,
    ("rspamd", "RSA-2048", 50 * KIB): 10,
    ("rspamd", "Ed25519", 50 * KIB): 10,
    ("rspamd", "RSA-2048", MIB): 50,
    ("rspamd", "Ed25519", MIB): 50,
}
OF_HASH = {"simple": 0.8, "relaxed": 0.6}
OURS, LIMIT = "millgate-dkim", "the least"
SETTINGS = """keys = "%s"
internal_networks = { "203.0.113.0/24" }
resolver { servers = { "127.0.0.1@%d" } }
"""


class Signer:
    """A filter under load: its process, where it listens, and the field that it adds."""

    def __init__(self, name, child, where, field="DKIM-Signature"):
        self.name, self.child, self.where, self.field = name, child, where, field

    def load(self, size, connections=CONNECTIONS):
        """Sends a round of messages; (seconds, how many)."""
        _, count, each = SIZES[size]
        count //= FEWER.get(self.name, 1)
        each = max(1, min(each, count // connections))
        return machine.load(self.where, count, each, connections, size, self.field), count

    def cpu(self, size):
        """µs a message."""
        before = machine.cpu_seconds_of_family(self.child.pid)
        _, count = self.load(size)
        used = machine.cpu_seconds_of_family(self.child.pid) - before
        return used / count * MICROSECONDS

    def rate(self, connections):
        seconds, count = self.load(2 * KIB, connections)
        return count / seconds


def ours(key):
    # Nobody answers there: a resolver that is down is no hindrance.
    settings = SETTINGS % (os.path.dirname(os.path.dirname(key.path)), children.free_port())
    daemon = machine.daemon(OURS, OURS, settings)
    return Signer(OURS, daemon.child, machine.endpoint(daemon))


def signers(bench, kind):
    """Ours, and of the others those that are installed."""
    key = Key(children.temporary_directory("bench"), DOMAIN, "s1", kind)
    found = {OURS: ours(key)}
    for name, start in (("opendkim", peers.opendkim_signing), ("rspamd", peers.rspamd_signing)):
        program = bench.peer(name)
        if program:
            found[name] = Signer(name, *start(program, key))
    for signer in found.values():
        signer.load(2 * KIB)
    return found


# --- the parts of the least, by programs that print one JSON object ---


def told(program, rounds):
    return json.loads(subprocess.check_output([machine.built("t/bench/" + program), str(rounds)]))


def bare(rounds=101):
    """By algorithm: µs of the operation alone, of the function around it, and their ratio."""
    return told("sign_bare", rounds)


def bare_on_all(algorithm, rounds=21):
    """µs of the operation, mean of one on every processor at a time: so the daemon signs, and what
    one processor has alone is more than what each has when all are at work."""
    command = [machine.built("t/bench/sign_bare"), str(rounds)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(os.cpu_count())]
    each = [json.loads(child.communicate()[0]) for child in running]
    return sum(one[ALGORITHMS[algorithm][1]]["bare_us"] for one in each) / len(each)


def hash_alone(size):
    """µs of SHA-256, by OpenSSL."""
    content = b"x" * size
    times = max(5, 4 * MIB // size)
    began = time.thread_time()
    for _ in range(times):
        hashlib.sha256(content).digest()
    return (time.thread_time() - began) / times * MICROSECONDS


def least(plain, algorithm, size):
    return lambda: bare_on_all(algorithm) + hash_alone(size) + plain.cpu(size)


# --- the measures ---


def function(bench):
    """(a)"""
    found = []

    def part(name, which):
        def run():
            if which == "bare_us":
                found.append(bare())
            return found[-1][name][which]

        return run

    for algorithm, (_, name) in ALGORITHMS.items():
        bench.measure(
            "(a) signing function, %s" % algorithm,
            "us",
            {"bare operation": part(name, "bare_us"), "whole": part(name, "whole_us")},
            limit="bare operation",
        )
        ratios = sorted(each[name]["ratio"] for each in found)
        title = "(a) function / operation, %s, 2 KiB" % algorithm
        bench.goal(title, ratios[len(ratios) // 2], at_most=OF_FUNCTION[algorithm])


def canonical(bench):
    """(d)"""
    found = [told("canon", 5) for _ in range(bench.rounds)]

    def taken(kind, way):
        rounds = iter(found)
        return lambda: next(rounds)[kind][way] / 1e6

    for kind in ("text", "base64", "html"):
        medians = bench.measure(
            "(d) canonical form and hash, 1 MiB of %s" % kind,
            "MB/s",
            {way: taken(kind, way) for way in ("sha256", "simple", "relaxed")},
        )
        for way, bound in OF_HASH.items():
            title = "(d) %s / sha256, %s" % (way, kind)
            bench.goal(title, medians[way] / medians["sha256"], at_least=bound)
    bench.measure(
        "(d) relaxed, bodies that are hard",
        "MB/s",
        {kind: taken(kind, "relaxed") for kind in found[0] if kind not in ("text", "html")},
    )


def daemons(bench, plain, algorithm, running):
    """(b) and (c)"""
    for size, (name, _, _) in SIZES.items():
        variants = {LIMIT: least(plain, algorithm, size)}
        variants.update(
            (each, lambda signer=signer: signer.cpu(size)) for each, signer in running.items()
        )
        rounds = 3 if size == MIB else None
        medians = bench.measure(
            "CPU, %s, %s" % (algorithm, name), "us/message", variants, LIMIT, rounds
        )
        if (algorithm, size) in OF_LIMIT:
            bench.goal(
                "(b) %s / %s, %s, %s" % (OURS, LIMIT, algorithm, name),
                medians[OURS] / medians[LIMIT],
                at_most=OF_LIMIT[algorithm, size],
            )
        for peer in running:
            if (peer, algorithm, size) in OF_PEER:
                bench.goal(
                    "(c) %s / %s, CPU, %s, %s" % (peer, OURS, algorithm, name),
                    medians[peer] / medians[OURS],
                    at_least=OF_PEER[peer, algorithm, size],
                )


def rates(bench, algorithm, running):
    for connections in (CONNECTIONS, MANY_CONNECTIONS):
        bench.measure(
            "Rate, %s, 2 KiB, %d connections" % (algorithm, connections),
            "messages/s",
            {
                name: lambda signer=signer, connections=connections: signer.rate(connections)
                for name, signer in running.items()
            },
            rounds=3,
        )


def bench():
    bench = Bench("sign", "a signature; %d connections where none are named" % CONNECTIONS)
    function(bench)
    plain = Signer("plain", *machine.plain(FIELD_SIZE), field="X-Plain")
    for algorithm, (kind, _) in ALGORITHMS.items():
        running = signers(bench, kind)
        daemons(bench, plain, algorithm, running)
        rates(bench, algorithm, running)
        for signer in running.values():
            children.end(signer.child)
    canonical(bench)
    return bench
