# SPDX-License-Identifier: ISC
"""Processes and directories of a test, ended and removed on any exit.

Each child leads a process group of its own. A guard process learns every group and directory
through a pipe; when the pipe closes - the test ended, or was killed - it ends what is left. So no
daemon outlives a test, even kill -9.
"""
import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

GUARD = r"""
import os, shutil, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
groups, directories, mounts = set(), set(), set()
for line in sys.stdin:
    word, value = line.rstrip("\n").split(" ", 1)
    if word == "group":
        groups.add(int(value))
    elif word == "ended":
        groups.discard(int(value))
    elif word == "mount":
        mounts.add(value)
    elif word == "unmounted":
        mounts.discard(value)
    elif word == "directory":
        directories.add(value)
    elif word == "keep":
        directories.discard(value)
for end in (signal.SIGTERM, signal.SIGKILL):
    for group in groups:
        try:
            os.killpg(group, end)
        except OSError:
            pass
    if end == signal.SIGTERM and groups:
        time.sleep(1)
for path in mounts:
    subprocess.call(["umount", "-l", path], stderr=subprocess.DEVNULL)
for directory in directories:
    shutil.rmtree(directory, ignore_errors=True)
"""

_guard = None
_children = []
_directories = []
_mounts = []


def _tell(word, value):
    global _guard
    if _guard is None:
        _guard = subprocess.Popen(
            [sys.executable, "-c", GUARD], stdin=subprocess.PIPE, start_new_session=True
        )
        atexit.register(_end_all)
        signal.signal(signal.SIGTERM, _exit_by_signal)
        signal.signal(signal.SIGINT, _exit_by_signal)
        signal.signal(signal.SIGHUP, _exit_by_signal)
    _guard.stdin.write(("%s %s\n" % (word, value)).encode())
    _guard.stdin.flush()


def _exit_by_signal(number, _frame):
    sys.exit(128 + number)


def spawn(arguments, **options):
    """Starts a child, as subprocess.Popen does, that this module will end."""
    child = subprocess.Popen(arguments, start_new_session=True, **options)
    _tell("group", child.pid)
    _children.append(child)
    return child


def end(child, how=signal.SIGTERM, seconds=60):
    """Signals a child and waits for it; after the deadline kills its group. Returns its exit
    status."""
    if child.poll() is None:
        try:
            os.kill(child.pid, how)
        except ProcessLookupError:
            pass
    status = _wait(child, seconds)
    if status is None:
        _kill_group(child)
        status = child.wait()
    _kill_group(child)
    if child in _children:
        _children.remove(child)
        _tell("ended", child.pid)
    return status


def _wait(child, seconds):
    try:
        return child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None


def _kill_group(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def temporary_directory(name):
    """A directory that other users may pass through; removed at the end unless kept."""
    path = tempfile.mkdtemp(prefix="millgate-%s-" % name)
    os.chmod(path, 0o755)
    _directories.append(path)
    _tell("directory", path)
    return path


def keep(path):
    """Leaves a temporary directory where it is."""
    _directories.remove(path)
    _tell("keep", path)


def small_disk(path, size):
    """Mounts an empty file system of `size` ("1m") at a directory that is there; False where this
    is not allowed."""
    try:
        if (
            subprocess.call(
                ["mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", path],
                stderr=subprocess.DEVNULL,
            )
            != 0
        ):
            return False
    except FileNotFoundError:
        return False
    _mounts.append(path)
    _tell("mount", path)
    return True


def _end_all():
    for child in reversed(list(_children)):
        end(child, seconds=10)
    for path in _mounts:
        if subprocess.call(["umount", "-l", path]) == 0:
            _tell("unmounted", path)
    for path in _directories:
        shutil.rmtree(path, ignore_errors=True)
    _guard.stdin.close()
    _guard.wait()


def free_port(address="127.0.0.1"):
    """A port nobody listens at, below the range that outgoing connections take theirs from."""
    chooser = random.SystemRandom()
    for _ in range(200):
        port = chooser.randrange(10000, 32000)
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port at " + address)


def free_ports(count):
    """As many ports, each another one."""
    ports = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)
