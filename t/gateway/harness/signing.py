# SPDX-License-Identifier: ISC
"""A gateway that signs: millgate-dkim, a folder of keys, and a name server that has their records.

    with Signing() as gateway:
        gateway.send(content, ...)
        gateway.arrived()
"""
import os

from . import signatures, wait
from .dns import NameServer
from .events import get
from .gateway import INSIDE, Gateway
from .mail import Client
from .openssl import Key, records

DOMAIN = "example.org"
KEYS = ((DOMAIN, "s1", "rsa:2048"),)
SIGNING = """keys = "%s"
check_dns = "1s"
resolver { servers = { "%s@%d" } timeout = "2s" }
"""


class Signing(Gateway):
    """keys: (domain, selector, kind) of each, all of them published. settings: further lines of
    dkim.conf. Others: as in Gateway."""

    def __init__(self, keys=KEYS, settings="", **options):
        super().__init__("dkim", **options)
        self.folder = self.directory + "/keys"
        os.mkdir(self.folder, 0o750)
        self.keys = [Key(self.folder, *key) for key in keys]
        self.published = list(self.keys)
        # One zone a domain, and no zone within another.
        self.zones = sorted({key.domain for key in self.keys} or {DOMAIN})
        self.dns = NameServer(
            self.directory + "/dns", {origin: self._zone(origin) for origin in self.zones}
        )
        self.own_settings = self.daemon.settings + SIGNING % (
            self.folder,
            self.dns.address,
            self.dns.port,
        )
        self.daemon.configure(self.own_settings + settings)

    def _zone(self, origin):
        return "\n".join(
            key.zone_line(origin) for key in self.published if key.domain == origin
        )

    def publish(self, keys):
        """DNS has these from now on, and no others."""
        self.published = list(keys)
        for origin in self.zones:
            self.dns.change(origin, self._zone(origin))

    def records(self):
        """Of all keys that there were, published or not."""
        return records(self.keys)

    def new_key(self, domain, selector, kind="rsa:2048"):
        """Makes one that is not published; returns it."""
        self.keys.append(Key(self.folder, domain, selector, kind))
        return self.keys[-1]

    def send(self, content, sender="bounce@example.org", recipients=("to@example.net",), **how):
        """One message by a client of the inside; the reply."""
        source, parameters = how.get("source", INSIDE), how.get("parameters", "")
        with Client(self.postfix.smtp_port, source) as client:
            client.ehlo()
            reply, _ = client.message(sender, recipients, content, parameters=parameters)
            client.quit()
        return reply

    def arrived(self, count):
        """The first messages at the sink, that many, in order of arrival."""
        wait.until(
            lambda: self.sink.count() >= count,
            lambda: "%d messages at the sink, there are %d; %s"
            % (count, self.sink.count(), self.postfix.log.tail()),
        )
        return self.sink.messages()

    def deliver(self, content, **how):
        """Sends one message, which is accepted, and waits for it: (event, what arrived)."""
        before, decided = self.sink.count(), len(self.decided())
        reply = self.send(content, **how)
        if not reply.good:
            raise AssertionError("refused: %r" % reply)
        message = self.arrived(before + 1)[before]
        wait.until(lambda: len(self.decided()) > decided, "the event of the message")
        return self.decided()[decided], message

    def decided(self):
        """The events that tell what became of a message."""
        return [event for event in self.daemon.events() if get(event, "event.action") in DECISIONS]

    def verify(self, messages):
        """For each message a list of bool, one a signature, from the top."""
        return signatures.verified([message.content for message in messages], self.records())

    def __exit__(self, *failure):
        super().__exit__(*failure)
        self.dns.stop()


DECISIONS = ("message-signed", "message-unsigned", "message-passed")
