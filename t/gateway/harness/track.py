# SPDX-License-Identifier: ISC
"""millgate-track behind a private Postfix.

    with Gateway("log") as gateway, Tracker(gateway) as tracker:
        ...
        tracker.wait_for_events("delivery-succeeded")
"""
import os

from . import milter, wait

milter.PLACES["millgate-track"] = "millgate-track"

COMMON = """# What the milters have, too: passed over.
engine = "native"
on_error = "accept"
bounds {{ headers = 1000 }}
{settings}
metrics = "{directory}"
events {{
	directory = "{events}"
{events_settings}
}}
"""
TRACK = """include("common.conf")
follow = "{follow}"
store = "lmdb:{store}"
queues = {{ "{postfix}" }}
{own}
"""


class Tracker(milter.Daemon):
    """settings: lines of common.conf; own: of track.conf. Its events are beside those of the
    gateway's daemon, whose log it follows. As a context: runs, and ends without error."""

    def __init__(self, gateway, settings='gateway = "mx.example.org"', own="", events_settings=""):
        self.gateway = gateway
        self.own = own
        self.follow = gateway.postfix.log.path
        directory = gateway.directory + "/track"
        os.makedirs(directory, exist_ok=True)
        self.store = directory + "/store"
        super().__init__(
            "millgate-track",
            gateway.postfix,
            directory,
            settings,
            events_settings,
            gateway.daemon.event_directory,
        )

    def configure(self, settings=None, raw=None, own=None):
        if own is not None:
            self.own = own
        super().configure(settings, raw)

    def _text(self, where):
        common = COMMON.format(
            settings=self.settings,
            directory=self.directory,
            events=self.event_directory,
            events_settings=self.events_settings,
        )
        milter.write(self.directory + "/common.conf", common)
        return TRACK.format(
            follow=self.follow,
            store=self.store,
            postfix=self.gateway.postfix.directory,
            own=self.own,
        )

    def __enter__(self):
        return self.start()

    def __exit__(self, failure, *_):
        status = self.stop() if self.running() else 0
        if status != 0 and failure is None:
            raise AssertionError("millgate-track ended with %d: %s" % (status, self.log()[-4000:]))

    def metrics(self):
        """Name and labels but the daemon's -> value, of the file as it is now."""
        rows = {}
        path = self.directory + "/track.prom"
        if not os.path.exists(path):
            return rows
        with open(path) as file:
            for line in file:
                if not line.startswith("#"):
                    name, value = line.rsplit(" ", 1)
                    rows[name.replace('daemon="track",', "").replace('{daemon="track"}', "")] = int(
                        value
                    )
        return rows

    def wait_until_read(self):
        """Waits until the events of all deliveries that Postfix's log has are there."""

        def missing():
            return delivered(self.gateway.postfix.log) - told(self)

        wait.until(
            lambda: not missing(),
            lambda: "the events of %d deliveries; %s" % (len(missing()), self.log()[-1000:]),
            pause=0.1,
        )


def delivered(log):
    """(queue id, recipient) of each delivery that succeeded, as Postfix's log has it."""
    found = set()
    for line in log.lines():
        if " status=sent " in line and ": to=<" in line:
            text = line.split("]: ", 1)[1]
            queue_id, rest = text.split(": to=<", 1)
            found.add((queue_id, rest.split(">", 1)[0]))
    return found


def told(tracker):
    """(queue id, recipient) of each delivery that has an event."""
    return {
        (event["email"]["local_id"], event["millgate"]["delivery"]["recipient"])
        for event in tracker.events("delivery-succeeded")
    }
