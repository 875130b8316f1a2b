# SPDX-License-Identifier: ISC
"""floor: what a milter costs before it does anything, by both engines, beside bare sockets that
answer the same bytes; what an event costs on top; memory of connections that stand."""
import machine
import peers
from frame import Bench

SIZE = 2048
MESSAGES = {1: 2000, 50: 10000}  # by messages a connection
STANDING = 500
MICROSECONDS = 1e6


def nothing(engine):
    return machine.daemon(
        "millgate-nothing", "t/bench/millgate-nothing", settings='engine = "%s"' % engine
    )


def recorder(engine, events=""):
    return machine.daemon(
        "millgate-log", "millgate-log", settings='engine = "%s"' % engine, events_settings=events
    )


def cpu_per_message(pid, where, each):
    def run():
        before = machine.cpu_seconds(pid)
        machine.load(where, MESSAGES[each], each, size=SIZE)
        return (machine.cpu_seconds(pid) - before) / MESSAGES[each] * MICROSECONDS

    return run


def rate(where, each):
    return lambda: MESSAGES[each] / machine.load(where, MESSAGES[each], each, size=SIZE)


def warm(places):
    for _, where in places.values():
        machine.load(where, 500, 10, size=SIZE)


def floor(bench, places):
    """CPU of a filter that does nothing; medians by messages a connection."""
    medians = {}
    for each in MESSAGES:
        medians[each] = bench.measure(
            "CPU, %d a connection" % each,
            "us/message",
            {name: cpu_per_message(pid, where, each) for name, (pid, where) in places.items()},
            limit="bare sockets",
        )
        bench.goal(
            "native / libmilter, CPU, %d a connection" % each,
            medians[each]["native"] / medians[each]["libmilter"],
            at_most=0.5,
        )
    return medians


def events(bench, recorders):
    """What millgate-log does on top: one event message-accepted a message."""
    bench.measure(
        "CPU with an event, 50 each",
        "us/message",
        {name: cpu_per_message(pid, where, 50) for name, (pid, where) in recorders.items()},
        limit="nothing, native",
    )
    bench.measure(
        "Rate with an event",
        "messages/s",
        {name: rate(where, 50) for name, (_, where) in recorders.items()},
        limit="nothing, native",
    )


def memory_standing(engine):
    """MiB of a new daemon while all the connections stand in the middle of a message."""

    def run():
        daemon = nothing(engine)
        pid = daemon.child.pid
        child = machine.standing(machine.endpoint(daemon), STANDING, SIZE)
        kib = machine.settled(lambda: machine.resident_kib(pid))
        child.stdin.close()
        child.wait()
        daemon.stop()
        return kib / 1024

    return run


def bench():
    bench = Bench("floor", "a filter that does nothing; %d bytes a message, 4 connections" % SIZE)
    daemons = {engine: nothing(engine) for engine in machine.ENGINES}
    places = {name: (d.child.pid, machine.endpoint(d)) for name, d in daemons.items()}
    child, where = machine.bare(machine.negotiation(daemons["native"].socket_path))
    places = {"bare sockets": (child.pid, where), **places}
    program = bench.peer("opendkim")
    if program:
        child, where = peers.opendkim(program)
        places["opendkim, unsigned mail"] = (child.pid, where)
    warm(places)
    floor(bench, places)

    recorders = {"nothing, native": places["native"]}
    for name, engine, settings in (
        ("log, native", "native", ""),
        ("log, libmilter", "libmilter", ""),
        ("log, native, durable", "native", "\tdurable = yes"),
    ):
        daemon = recorder(engine, settings)
        recorders[name] = (daemon.child.pid, machine.endpoint(daemon))
    warm(recorders)
    events(bench, recorders)

    medians = bench.measure(
        "RSS, %d half-way in a message" % STANDING,
        "MiB",
        {engine: memory_standing(engine) for engine in machine.ENGINES},
        rounds=3,
    )
    bench.goal("native, MiB of %d connections" % STANDING, medians["native"], at_most=64)
    return bench
