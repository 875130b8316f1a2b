# SPDX-License-Identifier: ISC
"""Mail in quantity: what was sent and what became of it, and load that goes on while a test does
its worst."""
import collections
import threading
import time

from . import wait
from .events import get
from .mail import Client, Closed, compose


class Sent:
    """A message that Postfix accepted, and what its event must say."""

    def __init__(self, kind, client, reply, sender, recipients, direction):
        self.kind = kind
        self.queue_id = reply.queue_id
        self.ip, self.port, self.helo = client.address, client.port, client.helo
        self.tls_version, self.tls_cipher = client.tls_version, client.tls_cipher
        self.user = client.user
        self.sender, self.recipients, self.direction = sender, recipients, direction
        self.message_id = self.subject = self.size = None


def record_faults(accepted, daemon):
    """What is wrong with the record: sentences, none if each accepted queue id has its one event
    and no other has."""
    counts = collections.Counter(
        get(event, "email.local_id") for event in daemon.events("message-accepted")
    )
    return [
        "%s was accepted and has %d events" % (queue_id, counts[queue_id])
        for queue_id in accepted
        if counts[queue_id] != 1
    ] + [
        "%s was not accepted and has an event" % queue_id
        for queue_id in set(counts) - set(accepted)
    ]


class Load:
    """Threads that send message after message, `per_connection` on each, until stop().

    accepted: queue ids of messages answered 250; refused: other replies; broken: connections that
    ended early.
    """

    def __init__(self, port, threads=4, per_connection=1, pause=0.0, author="author@example.com"):
        self.port = port
        self.author = author
        self.per_connection = per_connection
        self.pause = pause
        self.accepted, self.refused, self.broken = [], [], []
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(number,), daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def _send(self, thread):
        count = 0
        while not self._stopping.is_set():
            try:
                with Client(self.port) as client:
                    if not client.greeting.good or not client.ehlo().good:
                        self.refused.append(client.greeting)
                        continue
                    for _ in range(self.per_connection):
                        count += 1
                        if not self._one(client, "load-%d-%d" % (thread, count)):
                            break
                    client.quit()
            except (Closed, OSError) as error:
                self.broken.append(repr(error))
            time.sleep(self.pause)

    def _one(self, client, number):
        _, content = compose(number, sender=self.author)
        reply, _ = client.message("load@example.com", ["to@example.org"], content)
        (self.accepted if reply.good else self.refused).append(
            reply.queue_id if reply.good else reply
        )
        return reply.good

    def wait_for(self, more, seconds=wait.GENEROUS):
        """Waits until that many more messages were accepted."""
        wanted = len(self.accepted) + more
        wait.until(
            lambda: len(self.accepted) >= wanted,
            lambda: "%d accepted messages; there are %d, refused %s, broken %s"
            % (wanted, len(self.accepted), self.refused[-3:], self.broken[-3:]),
            seconds,
            pause=0.002,
        )

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(wait.GENEROUS)
            if thread.is_alive():
                raise AssertionError("a client of the load still waits for an answer")
