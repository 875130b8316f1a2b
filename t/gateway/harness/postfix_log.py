# SPDX-License-Identifier: ISC
"""What Postfix's own log says: the second witness of every message."""
import re

from . import wait

LINE = re.compile(r"(?P<program>postfix/[\w/-]+)\[(?P<pid>\d+)\]: (?P<text>.*)$")
CLIENT = re.compile(
    r"(?P<id>[0-9A-Za-z]{6,}): client=(?P<name>[^\[]*)\[(?P<ip>[^\]]*)\]:(?P<port>\d+)"
    r"(?:.*?, sasl_username=(?P<user>[^,]*))?"
)
PICKUP = re.compile(r"(?P<id>[0-9A-Za-z]{6,}): uid=\d+ from=<(?P<sender>[^>]*)>")
MESSAGE_ID = re.compile(
    r"(?P<id>[0-9A-Za-z]{6,}): message-id=(?:<(?P<message_id>[^>]*)>|(?P<bare>.*))$"
)
ACTIVE = re.compile(
    r"(?P<id>[0-9A-Za-z]{6,}): from=<(?P<sender>[^>]*)>, size=(?P<size>\d+), nrcpt=(?P<nrcpt>\d+)"
)


class Log:
    def __init__(self, path):
        self.path = path

    def lines(self):
        try:
            with open(self.path, errors="surrogateescape") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def tail(self, count=12):
        return "\n".join(["end of the Postfix log:"] + self.lines()[-count:])

    def find(self, pattern):
        expression = re.compile(pattern)
        return [line for line in self.lines() if expression.search(line)]

    def wait_for(self, pattern, count=1):
        """Waits until at least `count` lines match; returns them."""
        return wait.until(
            lambda: (lambda found: found if len(found) >= count else None)(self.find(pattern)),
            lambda: "%d lines like %r; %s" % (count, pattern, self.tail()),
        )

    def messages(self):
        """Queue id -> what the log says of it: ip, port, user or local; sender, size, nrcpt once
        it was queued."""
        messages = {}
        for line in self.lines():
            found = LINE.search(line)
            if not found:
                continue
            for pattern in (CLIENT, PICKUP, MESSAGE_ID, ACTIVE):
                facts = pattern.match(found.group("text"))
                if facts:
                    entry = messages.setdefault(facts.group("id"), {})
                    entry.update(
                        {
                            key: value
                            for key, value in facts.groupdict().items()
                            if value is not None
                        }
                    )
                    entry.setdefault("local", False)
                    if pattern is PICKUP:
                        entry["local"] = True
                    if pattern is ACTIVE:
                        entry["queued"] = True
                    break
        return messages
