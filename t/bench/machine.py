# SPDX-License-Identifier: ISC
"""What benches and soak tests run and look at: a daemon by itself, load for it, and what the system
tells of a process."""
import os
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gateway"))
from harness import children, milter, wait

BUILD = os.path.abspath(os.environ.get("MG_BUILDDIR", "."))
ENGINES = ("native", "libmilter")
CPUCLOCK_SCHED = 2


def built(name):
    """A program of the build tree."""
    path = os.path.join(BUILD, name)
    if not os.access(path, os.X_OK):
        raise AssertionError("no %s: make bench builds it" % path)
    return path


# --- a process ---


def cpu_seconds(pid):
    """User and system time of a process so far, threads that ended included."""
    # The clock of another process: clock_getcpuclockid(3).
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)


def cpu_seconds_of_family(pid):
    """Of all its processes together."""
    return sum(cpu_seconds(each) for each in _family(pid))


def _family(pid):
    """A process and all below it."""
    found = [pid]
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/children" % (pid, task)) as file:
                children_of_task = file.read().split()
        except FileNotFoundError:
            continue  # the thread has ended
        for child in children_of_task:
            found += _family(int(child))
    return found


def status_number(pid, field):
    with open("/proc/%d/status" % pid) as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise AssertionError("%s of %d is not told" % (field, pid))


def resident_kib(pid):
    return status_number(pid, "VmRSS")


def threads(pid):
    return status_number(pid, "Threads")


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def settled(look, seconds=10):
    """The value of look() once it has been the same for half a second, at the latest after
    `seconds`."""
    deadline = time.monotonic() + seconds
    value, since = look(), time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < 0.5:
        time.sleep(0.02)
        if look() != value:
            value, since = look(), time.monotonic()
    return value


# --- what runs ---


class Alone:
    """The part of a Postfix that harness.milter asks for."""

    def __init__(self, directory):
        self.queue_directory = directory
        os.makedirs(directory + "/millgate")


def daemon(name, path, settings="", events_settings=""):
    """A started daemon without a Postfix; path: of its program in the build tree."""
    milter.PLACES[name] = path
    directory = children.temporary_directory("bench")
    started = milter.Daemon(
        name, Alone(directory), directory, settings=settings, events_settings=events_settings
    )
    return started.start()


def endpoint(daemon):
    return "unix:" + daemon.socket_path


def load(where, messages, each, connections=4, size=2048, field=None):
    """Sends messages, `each` on a connection; the seconds it took. field: a name; each message must
    get a field of it."""
    command = [built("t/bench/load"), where] + [str(n) for n in (connections, messages, each, size)]
    command += [field] if field else []
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if result.returncode != 0:
        raise AssertionError("load: " + result.stderr.decode())
    return float(result.stdout)


def loading(where, messages, each, connections=4, size=2048):
    """The same, as a process that goes on."""
    command = [built("t/bench/load"), where] + [str(n) for n in (connections, messages, each, size)]
    return children.spawn(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def standing(where, connections, size=2048):
    """Connections in the middle of a message; a process that leaves when its stdin is closed."""
    command = [built("t/bench/load"), where, str(connections), "stand", str(size)]
    child = children.spawn(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if child.stdout.readline() != b"standing\n":
        raise AssertionError("load: the connections do not stand")
    return child


def negotiation(path):
    """What a daemon answers to the negotiation of a Postfix 3.7: the bytes of its packet."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(wait.GENEROUS)
        connection.connect(path)
        connection.sendall(struct.pack(">IcIII", 13, b"O", 6, 0x1FF, 0x1FFFFF))
        answer = b""
        while len(answer) < 4 or len(answer) < 4 + struct.unpack(">I", answer[:4])[0]:
            part = connection.recv(4096)
            if not part:
                raise AssertionError("the daemon does not negotiate")
            answer += part
        return answer


def plain(size):
    """t/bench/plain, which adds a field of that many bytes; its process and its endpoint."""
    where = "unix:%s/plain" % children.temporary_directory("bench")
    child = children.spawn([built("t/bench/plain"), where, str(size)], stdout=subprocess.PIPE)
    if child.stdout.readline() != b"listening\n":
        raise AssertionError("plain does not listen")
    return child, where


def bare(options):
    """t/bench/bare, answering a negotiation so; its process and its endpoint."""
    where = "unix:%s/bare" % children.temporary_directory("bench")
    child = children.spawn(
        [built("t/bench/bare"), where, options.hex()], stdout=subprocess.PIPE
    )
    if child.stdout.readline() != b"listening\n":
        raise AssertionError("bare does not listen")
    return child, where
