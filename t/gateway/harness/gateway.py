# SPDX-License-Identifier: ISC
"""The whole picture: clients, Postfix, one daemon, the next hop.

    with Gateway("log") as gateway:
        client = Client(gateway.postfix.smtp_port)
"""
import os

from . import children, events, lines, milter, tap
from .postfix import HOST, Postfix
from .sink import Sink

SOURCE = os.path.abspath(
    os.environ.get("MG_SRCDIR", os.path.join(os.path.dirname(__file__), "../../.."))
)
INSIDE = "127.0.0.1"  # internal_networks: its mail is outbound, and it may relay
OUTSIDE = "127.0.0.2"  # a stranger: inbound, for example.org only
SETTINGS = 'gateway = "%s"\ninternal_networks = { "127.0.0.1", "::1" }\n' % HOST


def schema():
    """Fields an event may have: those of ECS that we use, and millgate.* as the daemons document
    them."""
    fields = events.load_schema(SOURCE + "/t/gateway/ecs-8.11.csv")
    fields.update(
        (name, row)
        for name, row in events.documented(SOURCE + "/lib/mail/fields.h").items()
        if name.startswith("millgate.")
    )
    return fields


class Gateway:
    """One Postfix with one daemon before its queue and a sink behind it; everything in
    gateway.directory. At its end, every line of Postfix's log must be understood.

    name: the daemon without "millgate-". settings, events_settings: lines of its configuration.
    default_action: what Postfix does without it. descriptor: as in milter.Daemon. extensions: of
    the sink. Others: settings of main.cf.
    """

    def __init__(
        self,
        name="log",
        settings="",
        events_settings="",
        default_action="tempfail",
        descriptor=None,
        event_directory=None,
        extensions=True,
        **postfix
    ):
        tap.needs_root("a private Postfix is started")
        self.directory = children.temporary_directory(name)
        self.sink = Sink(self.directory + "/sink", extensions=extensions)
        os.mkdir(self.directory + "/postfix", 0o755)
        os.mkdir(self.directory + "/" + name, 0o755)
        self.postfix = Postfix(self.directory + "/postfix", self.sink.port, **postfix)
        self.daemon = milter.Daemon(
            "millgate-" + name,
            self.postfix,
            self.directory + "/" + name,
            SETTINGS + settings,
            events_settings,
            event_directory,
            descriptor,
        )
        self.attach([self.daemon], default_action)

    def attach(self, daemons, default_action="tempfail"):
        """Names the milters in main.cf, in this order."""
        text = ", ".join(
            "{ %s, default_action=%s }" % (daemon.milter, default_action) for daemon in daemons
        )
        self.postfix.configure(smtpd_milters=text, non_smtpd_milters=text)

    def __enter__(self):
        self.daemon.start()
        self.postfix.start()
        return self

    def __exit__(self, failure, *_):
        self.postfix.stop()
        status = self.daemon.stop() if self.daemon.running() else 0
        self.sink.stop()
        if status != 0 and failure is None:
            raise AssertionError(
                "%s ended with %d: %s" % (self.daemon.name, status, self.daemon.log()[-4000:])
            )
        if failure is None:
            lines.all_understood(lines.read(self.postfix.log.path))
