# SPDX-License-Identifier: ISC
"""mime: what reading MIME costs, decoding included, beside GMime: messages as people send them, and
those that a stranger makes to cost much (t/bench/mime_messages.c has them all)."""
import json
import subprocess

import machine
from frame import Bench

USUAL = 5  # the first kinds
SECONDS = 0.3  # of a round
MBYTE = 1e6
MIB = 1024 * 1024
# What is wanted.
MBYTES_A_SECOND = 2000
OF_GMIME = 2.5
HOSTILE_SECONDS = 1.0
HOSTILE_MIB = 1.0


def read(kind, reader, seconds=0):
    """What t/bench/mime tells; None: it has not this reader."""
    command = [machine.built("t/bench/mime"), kind, reader, str(seconds)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def rate(kind, reader):
    def run():
        told = read(kind, reader, SECONDS)
        return told["bytes"] * told["times"] / told["seconds"] / MBYTE

    return run


def usual(bench, kind, readers):
    medians = bench.measure(kind, "MB/s", {reader: rate(kind, reader) for reader in readers})
    bench.goal("%s, MB/s" % kind, medians["millgate"], at_least=MBYTES_A_SECOND)
    if "gmime" in medians:
        bench.goal(
            "%s, millgate / gmime" % kind,
            medians["millgate"] / medians["gmime"],
            at_least=OF_GMIME,
        )


def hostile(bench, kind, readers):
    """Once by each reader."""
    told = {reader: read(kind, reader) for reader in readers}
    seconds = bench.measure(
        kind, "s", {name: lambda each=each: each["seconds"] for name, each in told.items()}, rounds=1
    )
    bench.measure(
        "  its heap",
        "MiB",
        {name: lambda each=each: each["heap"] / MIB for name, each in told.items()},
        rounds=1,
    )
    bench.goal("%s, s" % kind, seconds["millgate"], at_most=HOSTILE_SECONDS)
    bench.goal("%s, MiB" % kind, told["millgate"]["heap"] / MIB, at_most=HOSTILE_MIB)


def bench():
    bench = Bench("mime", "messages read and decoded, one core")
    kinds = subprocess.run(
        [machine.built("t/bench/mime")], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()
    readers = ["millgate"]
    if read(kinds[0], "gmime") is not None:
        readers.append("gmime")
    else:
        bench.missing.append("libgmime-3.0-dev")
    for kind in kinds[:USUAL]:
        usual(bench, kind, readers)
    for kind in kinds[USUAL:]:
        hostile(bench, kind, readers)
    return bench
