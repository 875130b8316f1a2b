# SPDX-License-Identifier: ISC
"""An authoritative name server (nsd) on a loopback port, from zones given as text.

Zones avoid .test and .invalid: resolver libraries answer those themselves.
"""
import os
import signal

import dns.exception
import dns.message
import dns.query

from . import children, wait

TTL = 5  # seconds
CONFIGURATION = """
server:
    ip-address: {address}@{port}
    server-count: 1
    username: ""
    chroot: ""
    database: ""
    zonesdir: "{directory}"
    zonelistfile: "{directory}/zone.list"
    xfrdfile: "{directory}/xfrd.state"
    xfrdir: "{directory}"
    pidfile: "{directory}/nsd.pid"
    logfile: "{directory}/nsd.log"
    hide-version: yes
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
remote-control:
    control-enable: no
"""


class NameServer:
    """zones: {"example.org": "text of the zone file without SOA and NS"}; port: 0, a free one."""

    def __init__(self, directory, zones, address="127.0.0.1", port=0):
        self._serial = 1
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self.address = address
        self.published = address  # of the name server in its zones
        self.port = port or children.free_port(address)
        configuration = CONFIGURATION.format(address=address, port=self.port, directory=directory)
        for origin, text in zones.items():
            self._write_zone(origin, text)
            configuration += 'zone:\n    name: "%s"\n    zonefile: "%s.zone"\n' % (origin, origin)
        with open(directory + "/nsd.conf", "w") as file:
            file.write(configuration)
        self.child = children.spawn(["/usr/sbin/nsd", "-d", "-c", directory + "/nsd.conf"])
        wait.until(
            lambda: self.child.poll() is None and self._answers(next(iter(zones))),
            lambda: "nsd to answer; %s" % self._log(),
        )

    def _write_zone(self, origin, text):
        with open("%s/%s.zone" % (self.directory, origin), "w") as file:
            file.write(
                "$ORIGIN %s.\n$TTL %d\n@ SOA ns hostmaster %d 3600 600 86400 %d\n"
                "@ NS ns\nns A %s\n%s\n"
                % (origin, TTL, self._serial, TTL, self.published, text)
            )

    def _answers(self, origin):
        query = dns.message.make_query(origin, "SOA")
        try:
            answer = dns.query.udp(query, self.address, port=self.port, timeout=0.5).answer
        except (dns.exception.DNSException, OSError):
            return False
        return bool(answer) and answer[0][0].serial == self._serial

    def change(self, origin, text):
        """Gives a zone another text; returns once it is what is answered."""
        self._serial += 1
        self._write_zone(origin, text)
        os.kill(self.child.pid, signal.SIGHUP)
        wait.until(lambda: self._answers(origin), lambda: "the new zone; %s" % self._log())

    def silence(self):
        """From now on it answers nothing, and refuses nothing."""
        os.killpg(self.child.pid, signal.SIGSTOP)

    def speak(self):
        os.killpg(self.child.pid, signal.SIGCONT)

    def _log(self):
        with open(self.directory + "/nsd.log") as file:
            return file.read()[-2000:]

    def stop(self):
        self.speak()
        children.end(self.child)
