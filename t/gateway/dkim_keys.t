#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The folder of keys while mail flows: a rotation without a gap, keys that are refused, new and
gone, and 100,000 domains."""
import ctypes
import datetime
import os
import resource
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import children, tap, wait
from harness.events import get
from harness.letters import AUTHOR
from harness.mail import Client, compose
from harness.openssl import Key
from harness.signing import DOMAIN, Signing
from harness.tap import equal, none, true
from harness.traffic import Load

FOLDERS = 100000
USED = 100
# A file may have some ten thousand names, no more.
NAMES_OF_A_FILE = 20000


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def time_of(event):
    return datetime.datetime.fromisoformat(get(event, "@timestamp").replace("Z", "+00:00"))


def signed_with(gateway, selector):
    return [
        event
        for event in gateway.daemon.events("message-signed")
        if get(event, "millgate.dkim.selector") == selector
    ]


def rotation(t):
    """A second key comes, waits, is published, signs; the first one leaves DNS, and its folder."""
    with Signing() as gateway:
        first = gateway.keys[0]
        load = Load(gateway.postfix.smtp_port, per_connection=5, author=AUTHOR)
        load.wait_for(10)
        second = gateway.new_key(DOMAIN, "s2")

        with t.test("A key that DNS does not have waits, and an event says so once"):
            event = gateway.daemon.wait_for_events("key-waiting")[0]
            equal(get(event, "millgate.dkim.selector"), "s2", "selector")
            load.wait_for(50)
            equal(signed_with(gateway, "s2"), [], "messages signed with it")

        published = now()
        gateway.publish([first, second])
        gateway.daemon.wait_for_events("key-switched")
        load.wait_for(20)
        wait.until(lambda: signed_with(gateway, "s2"), "a message signed with the new key")
        # Messages of the old key are over once a whole round of all clients is.
        load.wait_for(20)
        left = now()
        gateway.publish([second])
        load.wait_for(50)
        os.unlink(first.path)
        load.wait_for(50)
        load.stop()
        gateway.postfix.wait_until_empty()

        with t.test("In a rotation under load every message is signed, and nothing is refused"):
            none([repr(reply) for reply in load.refused] + load.broken)
            none([repr(event) for event in gateway.daemon.events("message-unsigned")])
            verdicts = gateway.verify(gateway.sink.messages())
            equal(len(verdicts), len(load.accepted), "messages that arrived")
            none([repr(verdict) for verdict in verdicts if verdict != [True]])

        with t.test("Each is signed with a key that DNS has at that moment"):
            none(
                [repr(each) for each in signed_with(gateway, "s2") if time_of(each) < published]
                + [repr(each) for each in signed_with(gateway, "s1") if time_of(each) > left]
            )
            true(signed_with(gateway, "s1") and signed_with(gateway, "s2"), "one key signed all")

        with t.test("The switch is told once, and each key that waited once"):
            for action in ("key-switched", "key-waiting"):
                equal(len(gateway.daemon.events(action)), 1, action)


def changes(t):
    """Files that come and go while it runs."""
    with Signing() as gateway:

        def state(content=None):
            event, message = gateway.deliver(content or compose("state", sender=AUTHOR)[1])
            return get(event, "event.code") or "signed", len(gateway.verify([message])[0])

        equal(state(), ("signed", 1), "with the key as it should be")

        with t.test("A key that others can read is refused within a second or two, once"):
            os.chmod(gateway.keys[0].path, 0o644)
            wait.until(lambda: state() == ("key-refused", 0), "the refusal")
            for _ in range(5):
                equal(state(), ("key-refused", 0), "state")
            (event,) = gateway.daemon.events("key-refused")
            equal(get(event, "millgate.dkim.path"), gateway.keys[0].path, "path")
            reason = get(event, "event.reason")
            true("chmod" in reason and "644" in reason, "reason %r" % reason)

        with t.test("Mended, it signs again without a reload"):
            os.chmod(gateway.keys[0].path, 0o640)
            wait.until(lambda: state() == ("signed", 1), "a signature")

        with t.test("With a new folder a domain is signed without a reload"):
            other = compose("new", sender="a@new.example")[1]
            equal(state(other), ("no-key", 0), "before")
            key = Key(gateway.folder, "new.example", "n1", "ed25519")
            gateway.keys.append(key)
            wait.until(lambda: state(other) == ("signed", 1), "a signature")

        with t.test('unsigned = "tempfail" defers what should be signed and cannot be'):
            gateway.daemon.configure(gateway.own_settings + 'unsigned = "tempfail"\n')
            gateway.daemon.reload()
            gateway.daemon.wait_for_events("config-loaded", 2)
            os.chmod(gateway.keys[0].path, 0o644)
            content = compose("deferred", sender=AUTHOR)[1]
            reply = wait.until(
                lambda: (lambda found: found if not found.good else None)(gateway.send(content)),
                "a refusal",
            )
            equal(reply.code, 451, "reply %r" % reply)
            event = gateway.daemon.events("message-unsigned")[-1]
            equal(get(event, "event.code"), "key-refused", "code")
            stranger = compose("stranger", sender="a@stranger.example")[1]
            equal(state(stranger), ("no-key", 0), "mail of a domain that has no key")


def published(t):
    """What DNS has of the key, before mail is sent."""
    with Signing(settings='verify_before_send = "log"\n') as gateway:
        letter = compose("checked", sender=AUTHOR)[1]
        key = gateway.keys[0]

        with t.test("With the key in DNS nothing is told but the signature"):
            event, _ = gateway.deliver(letter)
            equal(get(event, "event.action"), "message-signed", "action")
            equal(gateway.daemon.events("key-mismatch"), [], "mismatches")

        other = Key(gateway.directory, DOMAIN, key.selector)
        gateway.publish([other])
        with t.test("With another key in DNS that is told, with the record to publish"):

            def mismatches():
                gateway.deliver(letter)
                return gateway.daemon.events("key-mismatch")

            event = wait.until(mismatches, "a mismatch")[0]
            equal(get(event, "millgate.dkim.dns"), "other", "what DNS has")
            record = get(event, "millgate.dkim.record").replace('" "', "")
            true(key.name in record and key.record in record, "record %r" % record)

        with t.test('With verify_before_send = "tempfail" nothing is sent that fails'):
            strict = 'verify_before_send = "tempfail"\n'
            gateway.daemon.configure(gateway.own_settings + strict)
            gateway.daemon.reload()
            gateway.daemon.wait_for_events("config-loaded", 2)
            reply = gateway.send(letter)
            equal(reply.code, 451, "reply %r" % reply)

        with t.test("Once DNS has the key, mail is sent again"):
            gateway.publish([key])
            wait.until(lambda: gateway.send(letter).good, "a message that is accepted")
            verdicts = gateway.verify(gateway.arrived(gateway.sink.count())[-1:])
            equal(verdicts, [[True]], "verdict")


def pinned(t):
    with Signing(settings='sign { selectors = { "s2" } }\n') as gateway:
        gateway.new_key(DOMAIN, "s2")
        with t.test("A selector that is pinned signs, whatever DNS says"):
            event, message = gateway.deliver(compose("pinned", sender=AUTHOR)[1])
            equal(get(event, "millgate.dkim.selector"), "s2", "selector")
            equal(gateway.verify([message]), [[True]], "verdict")


class Watch:
    """Which names in a folder are opened, by inotify(7)."""

    OPEN = 0x20

    def __init__(self, folder):
        library = ctypes.CDLL(None, use_errno=True)
        self.descriptor = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if library.inotify_add_watch(self.descriptor, folder.encode(), self.OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch")

    def names(self):
        """Since the last look; "" is the folder itself."""
        found, data = set(), b""
        try:
            while True:
                data += os.read(self.descriptor, 1 << 20)
        except BlockingIOError:
            pass
        while data:
            length = struct.unpack("iIII", data[:16])[3]
            found.add(data[16 : 16 + length].rstrip(b"\0").decode())
            data = data[16 + length :]
        return found


def resident(pid):
    with open("/proc/%d/statm" % pid) as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def make_folders(gateway):
    """100,000 domains that share a few keys; None published."""
    keys = [
        Key(gateway.folder, "shared-%d.example" % number, "s")
        for number in range(FOLDERS // NAMES_OF_A_FILE)
    ]
    for number in range(FOLDERS):
        folder = "%s/d%d.example" % (gateway.folder, number)
        os.mkdir(folder, 0o750)
        os.link(keys[number // NAMES_OF_A_FILE].path, folder + "/s.pem")


def many(t):
    gateway = Signing()
    children.small_disk(gateway.folder, "1g")  # quick to fill; an ordinary folder will do
    os.chmod(gateway.folder, 0o750)
    make_folders(gateway)
    watch = Watch(gateway.folder)
    started = time.monotonic()
    with gateway:
        pid = gateway.daemon.child.pid
        before = resident(pid)
        t.diag(
            "%d domains: ready after %.3f s, with Postfix; RSS %.1f MiB"
            % (FOLDERS, time.monotonic() - started, before / 2**20)
        )

        with t.test("With 100,000 domains the start opens no domain's folder"):
            none(sorted(watch.names() - {""}))

        with t.test("A domain's folder is opened when it is first used, and no other"):
            send_for(gateway, range(1))
            equal(watch.names() - {""}, {"d0.example"}, "folders opened")

        with t.test("Memory grows with the domains that are used"):
            send_for(gateway, range(USED))
            none(
                [repr(each) for each in gateway.daemon.events("message-unsigned")]
                + sorted(watch.names() - {""} - {"d%d.example" % each for each in range(USED)})
            )
            grown = resident(pid) - before
            t.diag("after %d domains: %.1f KiB a domain" % (USED, grown / 1024 / USED))
            true(grown < USED * 100 * 1024, "%d bytes for %d domains" % (grown, USED))


def send_for(gateway, numbers):
    with Client(gateway.postfix.smtp_port) as client:
        client.ehlo()
        for number in numbers:
            _, content = compose("many", sender="a@d%d.example" % number)
            reply, _ = client.message("a@example.org", ["to@example.net"], content)
            true(reply.good, "%r" % reply)
        client.quit()


def tests(t):
    rotation(t)
    changes(t)
    published(t)
    pinned(t)
    many(t)


tap.main(tests)
