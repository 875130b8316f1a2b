# SPDX-License-Identifier: ISC
"""A Millgate daemon under test: its configuration, its life, its events.

Daemons are found under $MG_BUILDDIR (default: the current directory), where the build put them.
"""
import copy
import os
import select
import signal
import socket
import subprocess
import time

from . import children, events, wait

PLACES = {
    "millgate-log": "millgate-log",
    "millgate-dkim": "millgate-dkim",
    "millgate-chain": "millgate-chain",
    "millgate-probe": "t/milter/millgate-probe",
    "millgate-probe-chain": "t/milter/millgate-probe-chain",
}


# $MILLGATE_ENGINE: the engine of all daemons; else the default.
ENGINE = os.environ.get("MILLGATE_ENGINE", "")
CONFIGURATION = """socket = "{socket}"
{settings}
{engine}
metrics = "{metrics}"
events {{
	directory = "{events}"
{events_settings}
}}
"""
CHAIN_CONFIGURATION = """socket = "{socket}"
filters = {{ {filters} }}
{settings}
{engine}
metrics = "{metrics}"
"""
AS_SYSTEMD = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&%d'


def program(name):
    """The daemon's path; $MG_MILLGATE_LOG and the like name another one."""
    build = os.path.abspath(os.environ.get("MG_BUILDDIR", "."))
    path = os.environ.get("MG_" + name.upper().replace("-", "_"), os.path.join(build, PLACES[name]))
    if not os.access(path, os.X_OK):
        raise AssertionError("no %s at %s; build first, or set MG_BUILDDIR" % (name, path))
    return path


class Daemon:
    """One daemon with a directory of its own.

    settings: lines of its configuration, after socket and events. descriptor: the listening socket
    is ours and outlives the daemon, so that a restart refuses nobody; "fd": it is told by socket =
    "fd:N", "systemd": as a .socket unit does it, by LISTEN_FDS. How the daemon is named in main.cf
    is `milter`.
    """

    def __init__(
        self,
        name,
        postfix,
        directory,
        settings="",
        events_settings="",
        event_directory=None,
        descriptor=None,
    ):
        self.name = name
        self.short = name.replace("millgate-", "")
        self.program = program(name)
        self.directory = directory
        self.settings = settings
        self.events_settings = events_settings
        self.event_directory = event_directory or directory + "/events"
        self.configuration = "%s/%s.conf" % (directory, self.short)
        self.log_path = directory + "/stderr"
        self.descriptor = descriptor
        self.socket_path = "%s/millgate/%s.sock" % (postfix.queue_directory, self.short)
        self.milter = "unix:millgate/%s.sock" % self.short
        self.child = None
        self._ready = None
        os.makedirs(self.event_directory, exist_ok=True)
        self.listener = self._listen() if descriptor else None
        self.configure()

    def _listen(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.socket_path)
        os.chmod(self.socket_path, 0o660)
        listener.listen(512)
        return listener

    def configure(self, settings=None, raw=None):
        """Writes the configuration file; raw: the whole file as it stands."""
        if settings is not None:
            self.settings = settings
        where = (
            "fd:%d" % self.listener.fileno()
            if self.descriptor == "fd"
            else "unix:" + self.socket_path
        )
        text = raw if raw is not None else self._text(where)
        write(self.configuration, text)

    def _text(self, where):
        return CONFIGURATION.format(
            socket=where,
            settings=self.settings,
            engine='engine = "%s"' % ENGINE if ENGINE else "",
            metrics=self.directory,
            events=self.event_directory,
            events_settings=self.events_settings,
        )

    def start(self, ready=True):
        """Starts it and waits for READY=1. Returns self."""
        self._ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self.directory + "/notify"
        if os.path.exists(path):
            os.unlink(path)
        self._ready.bind(path)
        environment = dict(os.environ, NOTIFY_SOCKET=path)
        for name in ("LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC"):
            environment.pop(name, None)
        command = [self.program, "-c", self.configuration]
        if self.descriptor == "systemd":
            command = ["/bin/bash", "-c", AS_SYSTEMD % self.listener.fileno(), "bash"] + command
        with open(self.log_path, "ab") as log:
            self.child = children.spawn(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self.listener.fileno()] if self.listener else [],
            )
        if ready:
            self.wait_until_ready()
        return self

    def wait_until_ready(self):
        self.wait_for_notice("READY=1")

    def wait_for_notice(self, notice):
        """Waits for a line of the notification protocol of systemd."""
        deadline = time.monotonic() + wait.GENEROUS
        while time.monotonic() < deadline:
            if select.select([self._ready], [], [], 0.05)[0]:
                if notice in self._ready.recv(4096).decode().split("\n"):
                    return
            elif self.child.poll() is not None:
                raise AssertionError(
                    "%s ended with %d: %s" % (self.name, self.child.returncode, self.log()[-2000:])
                )
        raise AssertionError("%s does not send %s: %s" % (self.name, notice, self.log()[-2000:]))

    def check(self):
        """`-t` on the configuration as it is; the CompletedProcess."""
        return subprocess.run(
            [self.program, "-c", self.configuration, "-t"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def print(self):
        """`-T`: the effective configuration."""
        return subprocess.check_output([self.program, "-c", self.configuration, "-T"]).decode()

    def verify(self):
        """`--verify`: the hash chain of its event log; the CompletedProcess."""
        return subprocess.run(
            [self.program, "-c", self.configuration, "--verify"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def running(self):
        return self.child is not None and self.child.poll() is None

    def reload(self):
        os.kill(self.child.pid, signal.SIGUSR1)

    def kill(self):
        """kill -9, and wait until it is gone."""
        children.end(self.child, signal.SIGKILL)
        self._ready.close()

    def terminate(self):
        """SIGTERM; returns once the daemon says that it is stopping."""
        os.kill(self.child.pid, signal.SIGTERM)
        self.wait_for_notice("STOPPING=1")

    def wait_until_ended(self):
        """Returns the exit status."""
        status = children.end(self.child, how=0, seconds=wait.GENEROUS)
        self._ready.close()
        return status

    def stop(self):
        """SIGTERM; returns the exit status."""
        os.kill(self.child.pid, signal.SIGTERM)
        return self.wait_until_ended()

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def events(self, action=None):
        """Its events in order; AssertionError when the chain is broken."""
        records = events.read(self.event_directory, self.short)
        return [
            record for record in records if action is None or record["event"]["action"] == action
        ]

    def wait_for_events(self, action, count=1):
        """Waits until there are that many of an action; returns them."""
        mark = b'"action":"%s"' % action.encode()

        def there():
            return sum(mark in line for line in events.raw(self.event_directory, self.short))

        wait.until(
            lambda: there() >= count,
            lambda: "%d %s; there are %d; %s" % (count, action, there(), self.log()[-1000:]),
        )
        return self.events(action)


class Chain(Daemon):
    """Several filters in one daemon. filters: name -> lines of its NAME.conf, in their order;
    settings: those of chain.conf. Events are of the filter `name`."""

    def __init__(self, name, postfix, directory, filters, settings="", descriptor=None):
        self.filters = filters
        super().__init__(name, postfix, directory, settings, descriptor=descriptor)

    def configure(self, settings=None, raw=None):
        for name, lines in self.filters.items():
            text = '%s\nevents { directory = "%s" }\n' % (lines, self.event_directory)
            write("%s/%s.conf" % (self.directory, name), text)
        super().configure(settings, raw)

    def _text(self, where):
        return CHAIN_CONFIGURATION.format(
            socket=where,
            filters=", ".join('"%s"' % name for name in self.filters),
            settings=self.settings,
            engine='engine = "%s"' % ENGINE if ENGINE else "",
            metrics=self.directory,
        )

    def of(self, name):
        """The same daemon, its events those of that filter."""
        view = copy.copy(self)
        view.short = name
        return view


def write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)
