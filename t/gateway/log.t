#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""millgate-log behind a real Postfix: a mix of 2,000 messages, each accepted one recorded once and
rightly."""
import base64
import concurrent.futures
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import events, tap, wait
from harness.events import get
from harness.gateway import INSIDE, OUTSIDE, Gateway, schema
from harness.mail import Client, compose
from harness.postfix import HOST, UNKNOWN_RECIPIENT, USERS
from harness.tap import equal, none, true
from harness.traffic import Sent

MESSAGES = 2000
THREADS = 6
LIMIT = 200000

number = itertools.count(1)


def sent(kind, client, sender, recipients, direction, subject="a test", written=None, **options):
    """One message by an open connection; returns [Sent]."""
    how = options.pop("how", client.message)
    message_id, content = compose("%s-%d" % (kind, next(number)), written or subject, **options)
    reply, taken = how(sender, recipients, content)
    equal((reply.good, reply.queue_id is not None), (True, True), "%s: %r" % (kind, reply))
    message = Sent(kind, client, reply, sender, taken, direction)
    message.message_id, message.subject, message.size = message_id, subject, len(content)
    return [message]


def plain_inbound(postfix):
    with Client(postfix.smtp_port, OUTSIDE) as client:
        client.ehlo("stranger.example.com")
        return sent(
            "plain-inbound", client, "stranger@example.com", ["ann@example.org"], "inbound"
        )


def plain_inside(postfix):
    with Client(postfix.smtp_port, INSIDE) as client:
        client.command("HELO inside.example.org")
        client.helo = "inside.example.org"
        return sent(
            "plain-inside",
            client,
            "app@example.org",
            ["far@example.net", "wide@example.net"],
            "outbound",
        )


def over_ipv6(postfix):
    with Client(postfix.smtp_port, INSIDE) as client:
        client.command("XCLIENT ADDR=IPv6:2001:db8::25 PORT=40000 NAME=six.example.net")
        client.address, client.port = "2001:db8::25", 40000
        client.ehlo("six.example.net")
        return sent("ipv6", client, "six@example.net", ["ann@example.org"], "inbound")


def starttls_and_auth(postfix):
    with Client(postfix.submission_port, OUTSIDE) as client:
        client.ehlo()
        client.starttls()
        client.ehlo("laptop.example.com")
        client.auth("acme-app", USERS["acme-app"])
        return sent("submission", client, "acme@example.com", ["far@example.net"], "outbound")


def several_by_submissions(postfix):
    with Client(postfix.submissions_port, OUTSIDE, tls_from_start=True) as client:
        client.ehlo("crm.example.com")
        client.auth("crm", USERS["crm"])
        found = []
        for count in range(5):
            found += sent(
                "submissions",
                client,
                "crm-%d@example.com" % count,
                ["r%d@example.net" % rcpt for rcpt in range(count + 1)],
                "outbound",
            )
        return found


def starttls_without_second_ehlo(postfix):
    with Client(postfix.smtp_port, OUTSIDE) as client:
        client.ehlo("hasty.example.com")
        client.starttls()
        return sent("no-second-ehlo", client, "hasty@example.com", ["ann@example.org"], "inbound")


def pipelined(postfix):
    with Client(postfix.smtp_port, INSIDE) as client:
        client.ehlo()
        return sent(
            "pipelined",
            client,
            "fast@example.com",
            ["a@example.net", "b@example.net", "c@example.net"],
            "outbound",
            how=lambda *message: client.message(*message, pipelined=True),
        )


def reset_then_sent(postfix):
    with Client(postfix.smtp_port, INSIDE) as client:
        client.ehlo()
        client.envelope("never@example.com", ["never-1@example.net", "never-2@example.net"])
        client.command("RSET")
        found = sent(
            "after-rset", client, "always@example.com", ["always@example.net"], "outbound"
        )
        client.command("NONSENSE")
        return found


def aborted(postfix):
    """The connection is dropped in the middle of the content."""
    client = Client(postfix.smtp_port, INSIDE)
    client.ehlo()
    client.envelope("gone@example.com", ["gone@example.net", "gone-2@example.net"])
    client.command("DATA")
    client.send(b"Subject: half a mess")
    client.close()
    return []


def ehlo_again(postfix):
    with Client(postfix.smtp_port, INSIDE) as client:
        client.ehlo("first.example.com")
        found = sent("ehlo-first", client, "one@example.com", ["one@example.net"], "outbound")
        client.envelope("never@example.com", ["never@example.net"])
        client.ehlo("second.example.com")
        found += sent("ehlo-second", client, "two@example.com", ["two@example.net"], "outbound")
        return found + sent(
            "ehlo-third", client, "three@example.com", ["three@example.net"], "outbound"
        )


def null_sender(postfix):
    with Client(postfix.smtp_port, OUTSIDE) as client:
        client.ehlo()
        return sent("null-sender", client, "", ["ann@example.org"], "inbound")


def encoded_subject(postfix):
    with Client(postfix.smtp_port, OUTSIDE) as client:
        client.ehlo()
        return sent(
            "encoded",
            client,
            "a@example.com",
            ["ann@example.org"],
            "inbound",
            subject="Grüße aus Köln €5",
            written="=?iso-8859-1?Q?Gr=FC=DFe?= =?UTF-8?B?IGF1cyBLw7Zs?=\r\n"
            " =?UTF-8?Q?n_=E2=82=AC5?=",
            body="Grüße\r\n".encode(),
            extra=b"MIME-Version: 1.0\r\n"
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
        )


def some_recipients_refused(postfix):
    with Client(postfix.smtp_port, INSIDE) as client:
        client.ehlo()
        found = sent(
            "some-refused",
            client,
            "a@example.com",
            [UNKNOWN_RECIPIENT, "ann@example.org", UNKNOWN_RECIPIENT, "bob@example.org"],
            "outbound",
        )
        equal(found[0].recipients, ["ann@example.org", "bob@example.org"], "recipients taken")
        return found


def all_recipients_refused(postfix):
    with Client(postfix.smtp_port, OUTSIDE) as client:
        client.ehlo()
        reply, _ = client.message(
            "a@example.com", [UNKNOWN_RECIPIENT, "relay@example.net"], b"Subject: no\r\n\r\n"
        )
        true(not reply.good, "a message without recipients was taken")
        return []


def too_large(postfix):
    with Client(postfix.smtp_port, OUTSIDE) as client:
        client.ehlo()
        _, content = compose("large", body=b"0123456789\r\n" * (LIMIT // 10))
        reply, _ = client.message("a@example.com", ["ann@example.org"], content)
        equal(reply.code, 552, "reply to a message over the limit")
        return []


def by_chunks(postfix):
    with Client(postfix.smtp_port, INSIDE) as client:
        client.ehlo()

        def how(sender, recipients, content):
            _, taken = client.envelope(sender, recipients)
            return client.chunked(content), taken

        return sent(
            "bdat",
            client,
            "chunks@example.com",
            ["far@example.net"],
            "outbound",
            how=how,
            body=b".a dot first\r\n" * 300,
        )


# What a message can have: attachments with names in the ways programs write them, URLs, tags.
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
PROGRAM = b"MZ" + bytes(58) + b"\x40\0\0\0" + b"PE\0\0" + bytes(100)
RICH_HEADER = (
    b"Reply-To: replies@example.com\r\n"
    b"Authentication-Results: %s; spf=pass smtp.mailfrom=example.com;\r\n"
    b" dkim=none\r\n"
    b"Authentication-Results: other.example; spf=fail\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; h=from; bh=AA==; b=AA==\r\n"
    b"X-PM-Tag: welcome\r\nX-Mailgun-Tag: book\r\nX-Mailgun-Tag: book\r\n"
    b"X-SES-MESSAGE-TAGS: campaign=autumn, shop=3\r\n"
    b'X-SMTPAPI: {"category": ["welcome", "mail"],\r\n "unique_args": {"order": 118}}\r\n'
    b'X-Mailgun-Variables: {"broken": \r\n'
    b"X-Campaign: autumn\r\nX-Campaign: =?utf-8?q?herbst_=C3=BC?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=outer\r\n"
) % HOST.encode()
RICH_BODY = b"".join(
    (
        b"--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n",
        b"--inner\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
        b"See http://text.exam=\r\nple/a and www.example.net.\r\n",
        b"--inner\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        base64.encodebytes(b'<a href="https&#58;//html.example/?a&amp;b">').replace(b"\n", b"\r\n"),
        b"--inner--\r\n",
        b"--outer\r\nContent-Type: image/png; name=other.png\r\n",
        b"Content-Disposition: attachment; filename*0*=utf-8''%C3%BCbersicht;\r\n",
        b" filename*1=.PDF\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        base64.encodebytes(PDF).replace(b"\n", b"\r\n"),
        b'--outer\r\nContent-Type: application/octet-stream; name="=?utf-8?Q?l=C3=A4uft?=.exe"\r\n',
        b"Content-Transfer-Encoding: base64\r\n\r\n",
        base64.encodebytes(PROGRAM).replace(b"\n", b"\r\n"),
        b"--outer--\r\n",
    )
)


def with_everything(postfix):
    with Client(postfix.smtp_port, INSIDE) as client:
        client.ehlo()
        return sent(
            "rich",
            client,
            "rich@example.com",
            ["far@example.net"],
            "outbound",
            extra=RICH_HEADER,
            body=RICH_BODY,
        )


def file_of(name, extension, mime_type, content):
    return {
        "file": {
            "name": name,
            "extension": extension,
            "mime_type": mime_type,
            "size": len(content),
            "hash": {"sha256": hashlib.sha256(content).hexdigest()},
        }
    }


WINDOWS = "application/vnd.microsoft.portable-executable"
RICH = {
    "email.reply_to.address": ["replies@example.com"],
    "email.content_type": "multipart/mixed",
    "email.attachments": [
        file_of("übersicht.PDF", "pdf", "application/pdf", PDF),
        file_of("läuft.exe", "exe", WINDOWS, PROGRAM),
    ],
    "millgate.attachments": [
        {
            "part": 4,
            "declared_type": "image/png",
            "detected_type": "application/pdf",
            "disposition": "attachment",
        },
        {"part": 5, "declared_type": "application/octet-stream", "detected_type": WINDOWS},
    ],
    "millgate.mime.parts": 6,
    "millgate.mime.attachments": 2,
    "millgate.mime.facts": None,
    "millgate.urls.hosts": ["text.example", "www.example.net", "html.example"],
    "millgate.tags": ["welcome", "book", "mail"],
    "millgate.metadata": {"campaign": "autumn", "shop": "3", "order": "118"},
    "millgate.headers": [
        {"name": "x-campaign", "value": "autumn"},
        {"name": "x-campaign", "value": "herbst ü"},
    ],
    "millgate.dkim.signatures": [
        {"domain": "example.com", "selector": "s1", "algorithm": "rsa-sha256"}
    ],
    "millgate.authentication_results": ["spf=pass smtp.mailfrom=example.com", "dkim=none"],
    "millgate.truncated": None,
}


def without_message_id(postfix):
    with Client(postfix.smtp_port, OUTSIDE) as client:
        client.ehlo()
        reply, taken = client.message(
            "a@example.com", ["ann@example.org"], b"From: bare@example.com\r\n\r\nbare\r\n"
        )
        return [Sent("bare", client, reply, "a@example.com", taken, "inbound")]


KINDS = [
    plain_inbound,
    plain_inside,
    over_ipv6,
    starttls_and_auth,
    several_by_submissions,
    starttls_without_second_ehlo,
    pipelined,
    reset_then_sent,
    aborted,
    ehlo_again,
    null_sender,
    encoded_subject,
    some_recipients_refused,
    all_recipients_refused,
    too_large,
    by_chunks,
    with_everything,
    without_message_id,
]
LOCAL = 60


def send_mix(postfix):
    """All kinds in turn by several threads until there are MESSAGES; raises the first failure."""
    found, failures, lock = [], [], threading.Lock()
    turn = itertools.cycle(KINDS)

    def work():
        while not failures:
            with lock:
                if len(found) >= MESSAGES - LOCAL:
                    return
                kind = next(turn)
            try:
                more = kind(postfix)
            except Exception as error:  # the thread's failure becomes the test's
                failures.append(error)
                raise
            with lock:
                found.extend(more)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    local = send_local(postfix)
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return found, local


def send_local(postfix):
    """sendmail(1), each third with the null sender: Message-ID -> (sender, recipients)."""
    local = {}
    for count in range(LOCAL):
        message_id, content = compose("local-%d" % count)
        sender = "" if count % 3 == 0 else "cron@example.org"
        recipients = ["ops-%d@example.net" % each for each in range(1 + count % 2)]
        postfix.sendmail(content.replace(b"\r\n", b"\n"), recipients, sender)
        local[message_id] = (sender, recipients)
    return local


def compare(entry, event):
    """What is wrong with the event of a message that came by SMTP: sentences."""
    want = {
        "email.local_id": entry.queue_id,
        "source.ip": entry.ip,
        "source.port": entry.port,
        "user.name": entry.user,
        "tls.version": entry.tls_version and entry.tls_version.replace("TLSv", ""),
        "tls.cipher": entry.tls_cipher,
        "tls.version_protocol": "tls" if entry.tls_version else None,
        "email.sender.address": entry.sender or None,
        "millgate.smtp.from": entry.sender,
        "email.to.address": entry.recipients,
        "millgate.smtp.recipient_count": len(entry.recipients),
        "millgate.smtp.helo": entry.helo,
        "email.message_id": entry.message_id,
        "email.subject": entry.subject,
        "email.from.address": ["author@example.com" if entry.message_id else "bare@example.com"],
        "email.direction": entry.direction,
        "network.protocol": "smtp",
        "trace.id": hashlib.sha256((HOST + "\0" + entry.queue_id).encode()).hexdigest()[:32],
        "event.kind": "event",
        "event.category": ["email"],
        "event.type": ["info"],
        "event.outcome": "success",
        "event.provider": "millgate-log",
        "event.dataset": "millgate.log",
    }
    if ":" not in entry.ip:
        want["millgate.session.key"] = "%s:%d" % (entry.ip, entry.port)
    faults = [
        "%s %s: %s is %r, expected %r"
        % (entry.kind, entry.queue_id, name, get(event, name), value)
        for name, value in want.items()
        if get(event, name) != value
    ]
    if entry.message_id and not get(event, "email.origination_timestamp", "").startswith(
        "2026-11-24T11:49:20"
    ):
        faults.append(
            "%s %s: Date is %r"
            % (entry.kind, entry.queue_id, get(event, "email.origination_timestamp"))
        )
    if entry.size and get(event, "millgate.smtp.size") != entry.size:
        faults.append(
            "%s %s: size %r, sent %d"
            % (entry.kind, entry.queue_id, get(event, "millgate.smtp.size"), entry.size)
        )
    if bool(get(event, "tls.established")) != bool(entry.tls_version):
        faults.append(
            "%s %s: tls.established is %r"
            % (entry.kind, entry.queue_id, get(event, "tls.established"))
        )
    return faults


def circumstances(event, entry, local):
    """The case of a message, from what its client gave; of Postfix's record only what the client
    does not know."""
    if entry is None:
        sender, recipients = local
        case = {"local": True, "helo": "localhost", "client": "127.0.0.1"}
    else:
        sender, recipients = entry.sender, entry.recipients
        case = {"client": entry.ip, "port": entry.port, "helo": entry.helo}
        if entry.user:
            case.update(user=entry.user, auth_method=get(event, "millgate.smtp.auth_method"))
        if entry.tls_version:
            case["tls"] = {"version": entry.tls_version, "cipher": entry.tls_cipher}
    case.update(sender=sender, recipients=recipients, queue_id=get(event, "email.local_id"))
    for name, field in (("client_name", "source.domain"), ("listener", "millgate.listener")):
        if get(event, field):
            case[name] = get(event, field)
    return case


def judge(daemon, case, content):
    """The event of --judge."""
    path = "%s/case-%s.json" % (daemon.directory, case["queue_id"])
    with open(path, "w") as file:
        json.dump(case, file)
    done = subprocess.run(
        [daemon.program, "-c", daemon.configuration, "--judge", "-", "--case", path],
        input=content,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    equal((done.returncode, done.stderr), (0, b""), "status and complaints of --judge")
    (event,) = json.loads(done.stdout)["events"]
    return event


def without_ids_and_times(event):
    own = {"id", "sequence", "hash", "duration"}
    kept = {name: value for name, value in event.items() if name not in ("@timestamp", "event")}
    kept["event"] = {name: value for name, value in event["event"].items() if name not in own}
    return kept


def as_the_milter_saw(message):
    """(queue id, content) of a message at the sink: the field that Postfix put above it, which no
    milter is shown, taken off."""
    received, rest = re.match(rb"(Received: .*?\r\n)(?![ \t])(.*)\Z", message.content, re.S).groups()
    return re.search(rb"\bid ([0-9A-Za-z]+)\b", received)[1].decode(), rest


def judged_otherwise(gateway, entries, local, by_id, local_ids):
    """Sentences about messages that --judge records otherwise than the daemon did."""
    by_queue_id = {entry.queue_id: entry for entry in entries}
    contents = dict(as_the_milter_saw(message) for message in gateway.sink.messages())
    equal(sorted(contents), sorted(by_id), "queue ids at the next hop")

    def compare_one(queue_id):
        event, entry = by_id[queue_id], by_queue_id.get(queue_id)
        case = circumstances(event, entry, local.get(local_ids.get(queue_id)))
        found = without_ids_and_times(judge(gateway.daemon, case, contents[queue_id]))
        recorded = without_ids_and_times(event)
        return [
            "%s: %s is %r, the daemon has %r" % (queue_id, name, found.get(name), recorded.get(name))
            for name in sorted(set(found) | set(recorded))
            if found.get(name) != recorded.get(name)
        ]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return [fault for faults in pool.map(compare_one, by_id) for fault in faults]


def tests(t):
    with Gateway(
        "log", settings='headers = { "X-Campaign" }\n', message_size_limit=LIMIT
    ) as gateway:
        entries, local = send_mix(gateway.postfix)
        gateway.postfix.wait_until_empty()
        accepted = gateway.daemon.wait_for_events("message-accepted", len(entries) + len(local))
        by_id = {get(event, "email.local_id"): event for event in accepted}
        log = gateway.postfix.log.messages()
        examine(t, gateway, entries, local, accepted, by_id, log)


def examine(t, gateway, entries, local, accepted, by_id, log):
    local_ids = {
        queue_id: log[queue_id]["message_id"] for queue_id in log if log[queue_id]["local"]
    }

    with t.test("Of %d messages, each accepted one gives exactly one event" % MESSAGES):
        true(
            len(entries) + len(local) >= MESSAGES,
            "only %d were sent" % (len(entries) + len(local)),
        )
        equal(len(by_id), len(accepted), "different queue ids")
        none(
            [
                "no event of %s %s" % (entry.kind, entry.queue_id)
                for entry in entries
                if entry.queue_id not in by_id
            ]
        )
        equal(sorted(local_ids.values()), sorted(local), "local messages in Postfix's log")

    with t.test("What was reset, broken off, refused or too large gives none"):
        known = {entry.queue_id for entry in entries} | set(local_ids)
        none(
            [
                "%s has an event: %r" % (queue_id, by_id[queue_id])
                for queue_id in by_id
                if queue_id not in known
            ]
        )

    with t.test(
        "Client, user, TLS, envelope, direction, Message-ID and subject are what the client gave"
    ):
        none(
            [
                fault
                for entry in entries
                if entry.queue_id in by_id
                for fault in compare(entry, by_id[entry.queue_id])
            ]
        )

    with t.test("Attachments, URLs, tags, signatures and results of a message are told"):
        rich = [by_id[entry.queue_id] for entry in entries if entry.kind == "rich"]
        true(rich, "no such message in the mix")
        none(
            [
                "%s is %r, expected %r" % (name, get(event, name), value)
                for event in rich
                for name, value in RICH.items()
                if get(event, name) != value
            ]
        )

    with t.test("A client that sends no EHLO after STARTTLS is recorded as encrypted"):
        hasty = [by_id[entry.queue_id] for entry in entries if entry.kind == "no-second-ehlo"]
        true(hasty, "no such client in the mix")
        none(
            [
                "%r" % get(event, "tls")
                for event in hasty
                if get(event, "tls.established") is not True
            ]
        )

    with t.test("Queue id, client, port, user and Message-ID agree with Postfix's own log"):
        faults = []
        for queue_id, event in by_id.items():
            line = log.get(queue_id, {})
            if not line.get("local"):
                faults += [
                    "%s: %s is %r, the log says %r"
                    % (queue_id, name, get(event, name), line.get(key))
                    for name, key in (("source.ip", "ip"), ("user.name", "user"))
                    if get(event, name) != line.get(key)
                ]
                if str(get(event, "source.port")) != line.get("port"):
                    faults.append(
                        "%s: port %r, the log says %r"
                        % (queue_id, get(event, "source.port"), line)
                    )
            if get(event, "email.message_id", "") != line.get("message_id", ""):
                faults.append(
                    "%s: message id %r, the log says %r"
                    % (queue_id, get(event, "email.message_id"), line)
                )
        none(faults)

    with t.test(
        "Mail by sendmail(1) is local and outbound, with its sender, recipients and queue id"
    ):
        faults = []
        for queue_id, message_id in local_ids.items():
            event = by_id.get(queue_id, {})
            sender, recipients = local[message_id]
            want = {
                "millgate.local": True,
                "email.direction": "outbound",
                "millgate.smtp.from": sender,
                "email.sender.address": sender or None,
                "email.to.address": recipients,
                "email.message_id": message_id,
                "user.name": None,
                "network.protocol": None,
            }
            faults += [
                "%s: %s is %r, expected %r" % (queue_id, name, get(event, name), value)
                for name, value in want.items()
                if get(event, name) != value
            ]
        none(faults)

    with t.test("Every field of every event is one of ECS 8.11 or of millgate.*, of its type"):
        fields = schema()
        none(
            [fault for event in gateway.daemon.events() for fault in events.faults(event, fields)]
        )

    with t.test("Ids of events are different, times and sequences ascend"):
        all_events = gateway.daemon.events()
        equal(len({get(event, "event.id") for event in all_events}), len(all_events), "ids")
        equal(
            [get(event, "event.sequence") for event in all_events],
            list(range(1, len(all_events) + 1)),
            "sequences",
        )

    with t.test("millgate-log --verify finds the log complete and undamaged"):
        result = gateway.daemon.verify()
        equal(result.returncode, 0, result.stdout.decode())

    with t.test("Each accepted message arrived at the next hop"):
        wait.until(lambda: gateway.sink.count() >= len(by_id), "the sink to have all", seconds=60)
        arrived = {
            value for message in gateway.sink.messages() for value in message.header("Message-ID")
        }
        none(
            [
                "%s did not arrive" % entry.message_id
                for entry in entries
                if entry.message_id
                and entry.message_id not in {value.strip("<>") for value in arrived}
            ]
        )

    with t.test("--judge of each message as it arrived there gives the same event but ids and times"):
        none(judged_otherwise(gateway, entries, local, by_id, local_ids))

    with t.test("SIGTERM ends the daemon with status 0"):
        equal(gateway.daemon.stop(), 0, "exit status; %s" % gateway.daemon.log()[-500:])


tap.main(tests)
