#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Every line that a real Postfix writes is understood: mail of every kind goes through it, is
delivered, deferred, bounced, held, refused, attacked; then its whole log is read."""
import os
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import children, lines, tap, wait
from harness.gateway import INSIDE, OUTSIDE, Gateway
from harness.mail import Client, Closed, compose
from harness.tap import equal, true

SENDER = "from@example.com"
# Replies of a next hop, by local part of the recipient, that look like the log around them.
RUDE = {
    "fields": "550 5.1.1 to=<x@y.example>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, "
    "status=sent (250 2.0.0 Ok: queued as 4jYh153qZyz1bkdK)",
    "command": "550 5.1.1 no (in reply to DATA command)",
    "params": "450 4.2.0 see https://rude.example/?from=<a>&status=bounced; from=<a> to=<b>",
    "bare": "550 no enhanced code",
    "noise": "550 5.0.0 \x01\x02 \xff\xfe\x1b[31m",
}
INJECTED = '"x, y> status=sent (fake)"@plain.example.net'

SERVICES = """
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
true unix - n n - - pipe
  user=nobody argv=/bin/true
false unix - n n - - pipe
  user=nobody argv=/bin/false
later unix - n n - - pipe
  user=nobody argv={later}
tlsout unix - - n - - smtp
  -o smtp_tls_security_level=may
  -o smtp_tls_loglevel=1
forward unix - - n - - smtp
  -o smtp_send_xforward_command=yes
reuse unix - - n - - smtp
  -o smtp_connection_cache_destinations=static:all
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
smtpd pass - - n - - smtpd
127.0.0.1:{quick} inet n - n - - smtpd
  -o smtpd_timeout=1s
127.0.0.1:{strict} inet n - n - - smtpd
  -o smtpd_hard_error_limit=2
  -o smtpd_soft_error_limit=1
127.0.0.1:{proxy} inet n - n - - smtpd
  -o smtpd_proxy_filter=127.0.0.1:{again}
  -o smtpd_milters=
127.0.0.1:{again} inet n - n - - smtpd
  -o syslog_name=postfix/again
  -o myhostname=again.example.org
  -o smtpd_authorized_xforward_hosts=127.0.0.1
  -o smtpd_milters=
  -o smtpd_recipient_restrictions=check_recipient_access,{again_access}
127.0.0.1:{verify} inet n - n - - smtpd
  -o smtpd_recipient_restrictions=reject_unverified_recipient
127.0.0.1:{early} inet n - n - - smtpd
  -o smtpd_delay_reject=no
  -o smtpd_client_restrictions=check_client_access,static:reject
127.0.0.1:{helo} inet n - n - - smtpd
  -o smtpd_helo_required=yes
  -o smtpd_helo_restrictions=reject_invalid_helo_hostname
  -o smtpd_sender_restrictions=reject_non_fqdn_sender
  -o smtpd_data_restrictions=check_sender_access,{data_access}
  -o smtpd_end_of_data_restrictions=check_sender_access,{end_access}
127.0.0.1:{limited} inet n - n - - smtpd
  -o smtpd_client_event_limit_exceptions=
  -o smtpd_client_message_rate_limit=1
  -o smtpd_client_recipient_rate_limit=1
127.0.0.1:{screen} inet n - n - 1 postscreen
[::1]:{ipv6} inet n - n - - smtpd
"""
PORTS = "quick strict proxy again verify early helo limited screen ipv6".split()

ACCESS = """
reject@act.example.org   REJECT not here
defer@act.example.org    DEFER later
hold@act.example.org     HOLD looked at
discard@act.example.org  DISCARD thrown
warn@act.example.org     WARN seen
info@act.example.org     INFO seen
prepend@act.example.org  PREPEND X-Access: yes
filter@act.example.org   FILTER true:
redirect@act.example.org REDIRECT other@plain.example.net
bcc@act.example.org      BCC copy@plain.example.net
reject-policy@act.example.org 554 5.7.9 "quoted; from=<a@b> to=<c@d> proto=SMTP helo=<x>
"""
CHECKS = r"""
/^X-Check: reject/    REJECT by check
/^X-Check: later/     REJECT 4.7.1 by check
/^X-Check: hold/      HOLD by check
/^X-Check: discard/   DISCARD by check
/^X-Check: warn/      WARN by check
/^X-Check: info/      INFO by check
/^X-Check: filter/    FILTER true:
/^X-Check: prepend/   PREPEND X-Prepended: yes
/^X-Check: replace/   REPLACE X-Check: replaced
/^X-Check: redirect/  REDIRECT other@plain.example.net
/^X-Check: bcc/       BCC copy@plain.example.net
/^X-Check: strip/     STRIP by check
/^X-Check: ignore/    IGNORE
/^X-Check: pass/      PASS by check
"""
CHECK_ACTIONS = (
    "reject later hold discard warn info filter prepend replace redirect bcc strip ignore pass"
).split()
BODY_CHECKS = r"""
/^body reject/  REJECT by body check
/^body hold/    HOLD by body check
/^body warn/    WARN
"""
MILTER_CHECKS = r"""
/^X-Added: reject/   REJECT by milter check
/^X-Added: hold/     HOLD by milter check
/^X-Added: discard/  DISCARD by milter check
/^X-Added: warn/     WARN by milter check
/^X-Added: redirect/ REDIRECT other@plain.example.net
/^X-Added: replace/  REPLACE X-Added: replaced
/^X-Millgate-Hold: ([-a-z0-9]+)$/ HOLD millgate $1
"""
ALIASES = """
forward next@plain.example.net
command "|/bin/true"
file /dev/null
"""
# Domain of a recipient -> transport and next hop.
TRANSPORTS = {
    "true.example.net": "true:",
    "false.example.net": "false:",
    "later.example.net": "later:",
    "lmtp.example.net": "lmtp:unix:{directory}/lmtp.sock",
    "error.example.net": "error:5.1.6 has moved (status=sent)",
    "retry.example.net": "retry:4.3.2 not now",
    "discard.example.net": "discard:thrown away",
    "dead.example.net": "smtp:[127.0.0.1]:1",
    "rude.example.net": "smtp:[127.0.0.1]:{rude}",
    "short.example.net": "smtp:[127.0.0.1]:{short}",
    "busy.example.net": "smtp:[127.0.0.1]:{busy}",
    "tls.example.net": "tlsout:[127.0.0.1]:{again}",
    "forward.example.net": "forward:[127.0.0.1]:{again}",
    "reuse.example.net": "reuse:[127.0.0.1]:{sink}",
    "nowhere.example.net": "nothing:",
}


class Hop:
    """A next hop in a thread: says `greeting` and closes when it is no 220; answers RCPT by
    RUDE."""

    def __init__(self, greeting):
        self.greeting = greeting
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            try:
                with connection, connection.makefile("rb") as commands:
                    self._talk(connection, commands)
            except OSError:
                pass

    def _talk(self, connection, commands):
        def say(text):
            connection.sendall(text.encode("latin-1") + b"\r\n")

        if self.greeting:
            say(self.greeting)
        if not self.greeting.startswith("220"):
            return
        for line in commands:
            command = line.upper()
            if command.startswith(b"RCPT"):
                local = line.split(b"<", 1)[1].split(b"@")[0].decode()
                say(RUDE.get(local, "550 5.1.1 " + local))
            elif command.startswith(b"QUIT"):
                say("221 2.0.0 bye")
                return
            else:
                say("250 2.0.0 ok")

    def close(self):
        self.listener.close()


class Place:
    """The Postfix, its next hops, and what it was sent: name -> queue id."""

    def __init__(self):
        tap.needs_root("a private Postfix is started")
        self.directory = children.temporary_directory("lines")
        self.ids = {}
        self.hops = {
            "rude": Hop("220 rude.example.net ESMTP"),
            "short": Hop(""),
            "busy": Hop("421 4.3.2 too busy (in reply to end of DATA command)"),
        }
        self.ports = dict(zip(PORTS, children.free_ports(len(PORTS))))
        self.ports.update((name, hop.port) for name, hop in self.hops.items())
        self._write_maps()
        services = SERVICES.format(
            again_access=self._access("again", "tls.example.net DISCARD kept\n"
                                      "forward.example.net REDIRECT other@plain.example.net\n"),
            data_access=self._access("data", "data@example.com REJECT no data\n"),
            later=self._script("later", "exit 75"),
            end_access=self._access("end", "end@example.com REJECT no end\n"),
            **self.ports
        )
        self.gateway = Gateway("probe", services=services, **self._settings())
        self.postfix = self.gateway.postfix
        self.postfix.configure(transport_maps="texthash:" + self._transports())
        self._lmtp()

    def _path(self, name):
        return self.directory + "/" + name

    def _write(self, name, text):
        with open(self._path(name), "w") as file:
            file.write(text)
        os.utime(self._path(name), (0, 0))
        return self._path(name)

    def _access(self, name, text):
        return "texthash:" + self._write(name, text)

    def _script(self, name, command):
        path = self._write(name, "#!/bin/sh\n%s\n" % command)
        os.chmod(path, 0o755)
        return path

    def _write_maps(self):
        self._write("access", ACCESS)
        self._write("checks", CHECKS)
        self._write("body", BODY_CHECKS)
        self._write("milter", MILTER_CHECKS)
        self._write("aliases", ALIASES)
        for name in ("boxes", "mail"):
            os.mkdir(self._path(name))
            os.chmod(self._path(name), 0o1777)

    def _transports(self):
        values = dict(self.ports, sink=self.gateway.sink.port, directory=self.directory)
        return self._write(
            "transports",
            "".join("%s %s\n" % (name, hop.format(**values)) for name, hop in TRANSPORTS.items()),
        )

    def _settings(self):
        return {
            "mydestination": "local.example.org",
            "alias_maps": "texthash:" + self._path("aliases"),
            "mail_spool_directory": self._path("mail") + "/",
            "relay_domains": "example.org, act.example.org",
            "virtual_mailbox_domains": "virtual.example.org",
            "virtual_mailbox_base": self._path("boxes"),
            "virtual_mailbox_maps": "inline:{ { box@virtual.example.org = box/ } }",
            "virtual_uid_maps": "static:65534",
            "virtual_gid_maps": "static:65534",
            "virtual_alias_maps": "inline:{ { alias@example.org = real@plain.example.net } }",
            "header_checks": "regexp:" + self._path("checks"),
            "body_checks": "regexp:" + self._path("body"),
            "milter_header_checks": "regexp:" + self._path("milter"),
            "smtpd_recipient_restrictions":
                "check_recipient_access texthash:" + self._path("access")
                + ", warn_if_reject reject_non_fqdn_recipient"
                + ", check_recipient_access inline:{ { nobody@example.org = 550 5.1.1 no } }",
            "smtpd_log_access_permit_actions": "static:all",
            "notify_classes": "bounce, 2bounce, delay, protocol",
            "delay_warning_time": "1s",
            "strict_7bit_headers": "yes",
            "queue_run_delay": "1s",
            "minimal_backoff_time": "1s",
            "maximal_backoff_time": "2s",
            "transport_retry_time": "1s",
            "smtp_tls_loglevel": "1",
            "smtp_helo_timeout": "5s",
            "message_size_limit": "100000",
            "body_checks_size_limit": "51200",
            "postscreen_greet_action": "enforce",
            "postscreen_greet_wait": "1s",
            "postscreen_pipelining_enable": "yes",
            "postscreen_non_smtp_command_enable": "yes",
            "postscreen_bare_newline_enable": "yes",
            "postscreen_access_list": "cidr:" + self._write(
                "screen", "127.0.0.3 reject\n127.0.0.4 permit\n"),
            "postscreen_denylist_action": "enforce",
            "postscreen_cache_map": "",
        }

    def _lmtp(self):
        path = self._path("lmtp.sock")
        self.lmtp = children.spawn(
            ["/usr/sbin/smtp-sink", "-L", "-u", "root", "unix:" + path, "100"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait.until(lambda: os.path.exists(path), "the LMTP sink")
        os.chmod(path, 0o666)

    def __enter__(self):
        self.gateway.__enter__()
        return self

    def __exit__(self, *failure):
        self.gateway.__exit__(*failure)
        children.end(self.lmtp)
        for hop in self.hops.values():
            hop.close()

    def connect(self, port=None, source=INSIDE):
        client = Client(port or self.postfix.smtp_port, source=source)
        client.ehlo()
        return client

    def send(self, name, recipients, sender=SENDER, port=None, extra=b"", **more):
        """One message over a connection of its own; the reply that decided it."""
        body = more.pop("body", b"Hello.\r\n")
        content = compose(name, extra=extra, body=body)[1]
        with self.connect(port) as client:
            reply, _ = client.message(sender, recipients, content, **more)
            self.ids[name] = reply.queue_id
            try:
                client.quit()
            except Closed:
                pass
        return reply


def deliveries(place):
    send = place.send
    send("three", ["a@plain.example.net", "alias@example.org", "reply-550@plain.example.net"])
    send("plain", ["plain@plain.example.net"])
    send("null", ["plain@plain.example.net"], sender="")
    send("injected", [INJECTED])
    for kind in ("true", "false", "later", "lmtp", "error", "retry", "discard", "dead", "short",
                 "busy", "tls", "forward", "nowhere"):
        send(kind, ["to@%s.example.net" % kind])
    send("rude", ["%s@rude.example.net" % local for local in RUDE])
    for number in range(3):
        send("reuse-%d" % number, ["to@reuse.example.net"])
    send("later-too", ["reply-450@plain.example.net"])
    for local in ("forward", "command", "file", "unknown-user", "daemon"):
        send("local-" + local, [local + "@local.example.org"])
    send("virtual", ["box@virtual.example.org", "none@virtual.example.org"])
    send("chunks", ["a@plain.example.net"])
    content = compose("chunked", body=b"x" * 5000)[1]
    with place.connect() as client:
        client.envelope(SENDER, ["a@plain.example.net"])
        place.ids["chunked"] = client.chunked(content).queue_id
    with place.connect() as client:
        client.command("MAIL FROM:<%s> RET=HDRS ENVID=one" % SENDER)
        client.command("RCPT TO:<a@true.example.net> NOTIFY=SUCCESS,FAILURE")
        place.ids["success"] = client.data(compose("success")[1]).queue_id
    place.postfix.sendmail(compose("sendmail")[1], ["a@plain.example.net"], SENDER)
    hops = b"".join(b"Received: by hop%d.example.net\r\n" % number for number in range(60))
    place.postfix.sendmail(hops + compose("hops")[1], ["a@plain.example.net"], SENDER)
    place.postfix.command("sendmail", "-C", place.postfix.directory, "-bv", "x@plain.example.net",
                          "reply-550@plain.example.net")
    with Client(place.ports["ipv6"], source="::1") as client:
        client.ehlo()
        client.message(SENDER, ["a@plain.example.net"], compose("ipv6")[1])


def filtered(place):
    """By the test milter, header and body checks, access maps."""
    send = place.send
    for action in ("reject 550 5.7.1 No; from=<a@b> to=<c@d> proto=SMTP helo=<x>",
                   "tempfail 451 4.7.1 Later", "discard", "hold test-code", "error"):
        send("milter-" + action.split()[0], ["a@plain.example.net", "b@plain.example.net"],
             extra=b"X-Probe: %s\r\n" % action.encode())
    for step, sender, recipients in (
        ("mail", "%s-mail@example.com", ["a@plain.example.net"]),
        ("rcpt", "from@example.com", ["ok@plain.example.net", "%s-rcpt@plain.example.net"]),
    ):
        for action in ("reject", "tempfail", "discard", "hold"):
            send("%s-%s" % (action, step), [(name % action if "%" in name else name)
                                            for name in recipients],
                 sender=sender % action if "%" in sender else sender)
    for action in ("reject", "tempfail", "discard"):
        with Client(place.postfix.smtp_port) as client:
            client.ehlo("%s-helo.example.com" % action)
            client.message(SENDER, ["a@plain.example.net"], compose("helo")[1])
        with place.connect() as client:
            client.command("XCLIENT NAME=%s-connect.example.com" % action)
            client.ehlo()
            client.message(SENDER, ["a@plain.example.net"], compose("connect")[1])
    for action in CHECK_ACTIONS:
        send("check-" + action, ["a@plain.example.net"],
             extra=b"X-Check: %s from h[192.0.2.1]; from=<a@b> to=<c@d>\r\n" % action.encode())
    send("check-clean", ["a@plain.example.net"], extra=b"X-Check: hold\r\n")
    send("check-forged", ["a@plain.example.net"],
         extra=b"X-Check: hold from h[192.0.2.1]; from=<a@b> to=<c@d> proto=SMTP helo=<x>: z\r\n")
    for action in ("reject", "hold", "warn"):
        send("body-" + action, ["a@plain.example.net"], body=b"body %s\r\n" % action.encode())
    for action in ("reject", "hold", "discard", "warn", "redirect", "replace"):
        send("added-" + action, ["a@plain.example.net"],
             extra=b"X-Probe: insert 1 X-Added %s\r\n" % action.encode())
    send("eight-bit", ["a@plain.example.net"], extra=b"X-Name: \xe4\r\n")
    place.postfix.sendmail(
        b"X-Check: warn\r\n" + compose("sendmail-check")[1], ["a@plain.example.net"], SENDER)
    for row in ACCESS.split("\n"):
        if row:
            send("act-" + row.split("@")[0], [row.split()[0]])
    send("not-qualified", ["nodomain"])


def refused(place):
    """Before there is a message."""
    with place.connect(source=OUTSIDE) as client:
        client.message(SENDER, ["relay@plain.example.net"], b"")
        client.message(SENDER, ["nobody@example.org"], b"")
        client.message(SENDER, ['"a; from=<x@y> to=<z@z> proto=SMTP helo=<q> '
                                'sasl_username=<admin>"@plain.example.net'], b"")
        client.message('"s\\"; from=<x@y>"@example.com', ['"\\\\"@plain.example.net'], b"")
        client.message(SENDER, ["a@[bad> literal]"], b"")
        client.command("ETRN example.org")
        client.command("VRFY nobody@example.org")
        client.command("MAIL FROM:<%s> SIZE=999999999" % SENDER)
        client.command("NONSENSE")
    with place.connect(place.ports["helo"]) as client:
        client.ehlo("not_a..name")
        client.message("unqualified", ["a@plain.example.net"], b"")
        client.ehlo()
        client.message("data@example.com", ["a@plain.example.net"], compose("data")[1])
        client.message("end@example.com", ["a@plain.example.net"], compose("end")[1])
    with Client(place.ports["early"]) as client:
        client.ehlo()
        client.quit()
    place.send("too-large", ["a@plain.example.net"], body=b"x" * 99 + b"\r\n" + b"y\r\n" * 60000)
    place.send("proxied", ["forward@forward.example.net"], port=place.ports["proxy"])
    place.send("proxy-refused", ["a@plain.example.net"], port=place.ports["proxy"],
               extra=b"X-Check: reject\r\n")
    for local in ("reply-550", "fine", "reply-450"):
        place.send("verify", [local + "@plain.example.net"], port=place.ports["verify"])
    for number in range(3):
        place.send("limited-%d" % number, ["a@plain.example.net", "b@plain.example.net"],
                   port=place.ports["limited"])


def sessions(place):
    """TLS, SASL, and ends of all kinds."""
    for tls_from_start, port in ((False, place.postfix.submission_port),
                                 (True, place.postfix.submissions_port)):
        with Client(port, tls_from_start=tls_from_start) as client:
            client.ehlo()
            if not tls_from_start:
                client.starttls()
                client.ehlo()
            client.auth("acme-app", "wrong, sasl_username=admin")
            client.auth("nobody, sasl_username=admin", "wrong")
            client.command("AUTH PLAIN")
            client.command("*")
            client.auth("acme-app", "acme-secret")
            client.message(SENDER, ["nobody@example.org", "reject-rcpt@plain.example.net"], b"")
            client.message(SENDER, ["a@plain.example.net"], compose("sasl")[1])
            client.quit()
    with Client(place.postfix.submissions_port, greet=False) as client:
        client.send(b"EHLO no-tls.example.com\r\n" * 10)
        try:
            client.reply()
        except (Closed, ValueError):
            pass
    for said in ([], ["EHLO x"], ["EHLO x", "MAIL FROM:<a@example.com>"],
                 ["EHLO x", "MAIL FROM:<a@example.com>", "RCPT TO:<a@plain.example.net>"],
                 ["EHLO x", "MAIL FROM:<a@example.com>", "RCPT TO:<a@plain.example.net>", "DATA"]):
        with Client(place.postfix.smtp_port) as client:
            for command in said:
                client.command(command)
            client.send(b"half a line")
    with Client(place.postfix.smtp_port) as client:
        client.ehlo()
        client.envelope(SENDER, ["a@plain.example.net"])
        client.send(b"BDAT 1000\r\nx")
    for said in (["EHLO x"], ["EHLO x", "MAIL FROM:<a@example.com>",
                              "RCPT TO:<a@plain.example.net>", "DATA"]):
        with Client(place.ports["quick"]) as client:
            for command in said:
                client.command(command)
            until_closed(client)
    with Client(place.ports["strict"]) as client:
        client.ehlo()
        until_closed(client, b"NONSENSE\r\n" * 5)
    with Client(place.postfix.smtp_port) as client:
        until_closed(client, b"GET / HTTP/1.1\r\nHost: x\r\n")
    with Client(place.postfix.smtp_port, greet=False) as client:
        until_closed(client, b"HELO x\r\nMAIL FROM:<a@example.com>\r\nQUIT\r\n")


def until_closed(client, data=b""):
    try:
        client.send(data)
        while True:
            client.reply()
    except (Closed, ValueError, OSError):
        pass


def screened(place):
    port = place.ports["screen"]
    with Client(port, source="127.0.0.5", greet=False) as client:
        until_closed(client, b"EHLO early.example.com\r\nQUIT\r\n")
    with Client(port, source="127.0.0.3") as client:
        for command in ("EHLO x", "MAIL FROM:<a@example.com>",
                        'RCPT TO:<"x, proto=ESMTP, helo=<y>"@plain.example.net>', "QUIT"):
            client.command(command)
    with Client(port, source="127.0.0.4") as client:
        client.ehlo()
        client.message(SENDER, ["a@example.org"], compose("screened")[1])
        client.quit()
    for source, data in (
        ("127.0.0.6", b"EHLO x\nQUIT\r\n"),
        ("127.0.0.7", b"Subject: x\r\n\r\n"),
        ("127.0.0.8", b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<a@b>\r\n"),
    ):
        with Client(port, source=source) as client:
            until_closed(client, data + b"QUIT\r\n")
    with Client(port, source="127.0.0.9") as client:
        client.ehlo()
        client.starttls()
        client.ehlo()
        until_closed(client, b"QUIT\r\n")
    with Client(port, source="127.0.0.10", greet=False) as client:
        pass


def queue(place):
    """What an operator does to the queue."""
    def super_(option, queue_id):
        place.postfix.command("postsuper", "-c", place.postfix.directory, option, queue_id)

    def deferred(queue_id):
        return any(entry["queue_id"] == queue_id and entry["queue_name"] == "deferred"
                   for entry in place.postfix.queue())

    # Only what is not being delivered is touched: Postfix 3.7's qmgr crashes when a message that
    # it has just deferred, and is to notify a delay of, is gone.
    for name, options in (("deleted", "d"), ("again", "r"), ("gone", "fH")):
        place.send("queue-" + name, ["reply-450@plain.example.net"], extra=b"X-Probe: hold x\r\n")
        for option in options:
            super_("-" + option, place.ids["queue-" + name])
    place.postfix.configure(minimal_backoff_time="1000s", maximal_backoff_time="1000s")
    place.send("queue-held", ["reply-450@plain.example.net"])
    wait.until(lambda: deferred(place.ids["queue-held"]), "a deferred message")
    super_("-h", place.ids["queue-held"])
    super_("-H", place.ids["queue-held"])
    place.postfix.command("postqueue", "-c", place.postfix.directory, "-f")
    place.postfix.log.wait_for(": sender delay notification")
    place.postfix.configure(soft_bounce="yes")
    place.send("soft", ["reply-550@plain.example.net"])
    place.postfix.log.wait_for(place.ids["soft"] + ": .*SOFTBOUNCE")
    place.postfix.configure(
        soft_bounce="no",
        maximal_queue_lifetime="1s",
        bounce_queue_lifetime="1s",
        minimal_backoff_time="1s",
        maximal_backoff_time="2s",
    )
    def expired():
        # A flush is lost when the queue manager is just being replaced.
        place.postfix.command("postqueue", "-c", place.postfix.directory, "-f")
        return place.postfix.log.find(place.ids["later-too"] + ": .*status=expired")

    wait.until(expired, lambda: "the end of a lifetime; " + place.postfix.log.tail(), pause=1)
    place.gateway.daemon.stop()
    place.send("milter-down", ["a@plain.example.net"])
    place.postfix.command("postlog", "-c", place.postfix.directory, "-p", "warn", "a", "warning")
    place.postfix.command("postfix", "-c", place.postfix.directory, "status")


def one(found, kind, **fields):
    """The only line of that kind with those fields."""
    lines_ = lines.find(found, kind, **fields)
    equal(len(lines_), 1, "%s lines with %r" % (kind, fields))
    return lines_[0]


def fields_of(line, *names):
    return {name: line.get(name) for name in names}


def check_deliveries(t, place, found):
    def delivered(name, **fields):
        return one(found, "delivery", queue_id=place.ids[name], **fields)

    with t.test("A recipient that an alias led elsewhere has both addresses"):
        line = delivered("three", orig_to="alias@example.org")
        equal((line["to"], line["status"]), ("real@plain.example.net", "sent"))

    with t.test("A refusal of the next hop has its reply, code and command"):
        line = delivered("three", to="reply-550@plain.example.net")
        equal(
            fields_of(line, "status", "dsn", "reply_code", "reply_command", "text", "remote"),
            {
                "status": "bounced",
                "dsn": "5.7.1",
                "reply_code": "550",
                "reply_command": "RCPT TO",
                "text": "550 5.7.1 as the recipient says",
                "remote": "yes",
            },
        )

    with t.test("A quoted local part that looks like the end of a delivery is only an address"):
        line = delivered("injected")
        equal(
            fields_of(line, "to", "status", "dsn", "relay.address"),
            {
                "to": INJECTED,
                "status": "sent",
                "dsn": "2.0.0",
                "relay.address": "127.0.0.1",
            },
        )

    with t.test("Replies that look like fields of the log give none"):
        for local, reply in RUDE.items():
            if local == "noise":
                continue
            line = lines.find(found, "delivery", queue_id=place.ids["rude"],
                              to=local + "@rude.example.net")[0]
            equal(line["text"], reply, local)
            equal(line["reply_command"], "RCPT TO", local)
            equal(
                line["status"], "deferred" if reply.startswith("4") else "bounced", local
            )
            equal(line.get("queued_as"), None, local)

    with t.test("A greeting that claims to answer a command answers none"):
        line = [
            line
            for line in lines.find(found, "delivery", queue_id=place.ids["busy"])
            if line.get("remote")
        ][0]
        equal(line.get("reply_command"), None)
        equal(line["text"], place.hops["busy"].greeting)

    with t.test("A socket is the address of an LMTP relay"):
        equal(delivered("lmtp")["relay.address"], place.directory + "/lmtp.sock")

    with t.test("What a content filter gives back names the id it had before"):
        again = one(found, "client", service="again", orig_queue_id=place.ids["forward"])
        queued = delivered("forward")["queued_as"]
        equal(again["queue_id"], queued)

    with t.test("Local mail names its child; a probe is told from a delivery"):
        line = delivered("local-forward")
        equal(line["text"], "forwarded as " + line["child"])
        equal(len(lines.find(found, "delivery", status="undeliverable")) > 0, True)

    with t.test("A bounce, a delay and a success are notified by a child of the message"):
        for name, word in (("three", "non-delivery"), ("later-too", "delay"),
                           ("success", "delivery status")):
            line = one(found, "notification", queue_id=place.ids[name], word=word,
                       addressee="sender")
            true(lines.find(found, "active", queue_id=line["child"]), "no child of " + name)

    with t.test("An expired message says so, and one that is bounced softly"):
        one(found, "expired", queue_id=place.ids["later-too"], word="expired")
        one(found, "expired", queue_id=place.ids["queue-gone"], word="force-expired")
        true(lines.find(found, "delivery", queue_id=place.ids["soft"], status="SOFTBOUNCE"), "none")

    with t.test("TLS of a delivery stands before it"):
        line = one(found, "tls-out")
        equal(fields_of(line, "tls_version", "tls_level", "relay.port"),
              {"tls_version": "TLSv1.3", "tls_level": "Untrusted",
               "relay.port": str(place.ports["again"])})


def check_refusals(t, place, found):
    with t.test("A refusal by a milter has its text whole, whatever it looks like"):
        line = one(found, "refusal", word="milter-reject", stage="END-OF-MESSAGE", dsn="5.7.1")
        equal(
            fields_of(line, "text", "from", "to", "client.address"),
            {
                "text": "No; from=<a@b> to=<c@d> proto=SMTP helo=<x>",
                "from": SENDER,
                "to": "b@plain.example.net",
                "client.address": "127.0.0.1",
            },
        )

    with t.test("A refusal by an access map likewise"):
        line = one(found, "refusal", to="reject-policy@act.example.org")
        equal(line["reply_code"], "554")
        wanted = '"quoted; from=<a@b> to=<c@d> proto=SMTP helo=<x>'
        true(line["text"].endswith(wanted), line["text"])

    with t.test("A recipient that looks like the end of a refusal gives no user"):
        refused_ = [line for line in lines.find(found, "refusal", **{"client__address": OUTSIDE})]
        true(len(refused_) >= 4, "%d refusals" % len(refused_))
        equal([line["line"] for line in refused_ if line.get("sasl_username")], [])
        true(
            any(line.get("to", "").startswith('"a; from=<x@y>') for line in refused_),
            "no such recipient",
        )

    with t.test("A user whom a milter refuses is named"):
        line = one(found, "refusal", service="submission", word="milter-reject")
        equal(line["sasl_username"], "acme-app")

    with t.test("A failed log-in has the name that was claimed, commas and all"):
        names = {line.get("sasl_username") for line in lines.find(found, "auth-failed")}
        true("nobody, sasl_username=admin" in names, "names %r" % names)
        true("admin" not in names, "names %r" % names)

    with t.test("A check that holds names the header and what its rule says"):
        line = one(found, "hold", queue_id=place.ids["check-clean"])
        equal(
            fields_of(line, "stage", "content", "text", "from", "client.address"),
            {
                "stage": "header",
                "content": "X-Check: hold",
                "text": "by check",
                "from": SENDER,
                "client.address": "127.0.0.1",
            },
        )

    with t.test("A header that looks like the end of such a line gives no address"):
        line = one(found, "hold", queue_id=place.ids["check-forged"])
        equal(fields_of(line, "from", "to", "client.name", "text"),
              {"from": None, "to": None, "client.name": None, "text": None})

    with t.test("A hold by a milter's header has the text of its rule"):
        line = one(found, "hold", queue_id=place.ids["added-hold"])
        equal((line["word"], line["text"]), ("milter-header-hold", "by milter check"))

    with t.test("postscreen's refusals and its clients are read"):
        line = one(found, "screen", word="reject", **{"client__address": "127.0.0.3"})
        equal(line["to"], '"x, proto=ESMTP, helo=<y>"@plain.example.net')
        words = {line["word"] for line in lines.find(found, "screen")}
        true({"CONNECT", "PREGREET", "ALLOWLISTED", "DENYLISTED", "HANGUP"} <= words, str(words))

    with t.test("An end of a session has its stage"):
        stages = {(line["word"], line["stage"]) for line in lines.find(found, "lost")}
        for wanted in (("lost connection", "BDAT"), ("timeout", "EHLO"),
                       ("too many errors", "UNKNOWN"), ("lost connection", "MAIL")):
            true(wanted in stages, "%r is not in %r" % (wanted, stages))


def tests(t):
    with Place() as place:
        deliveries(place)
        filtered(place)
        refused(place)
        sessions(place)
        screened(place)
        queue(place)
        place.postfix.stop()
        found = lines.read(place.postfix.log.path)

        with t.test("Every line of the log is understood"):
            true(len(found) > 800, "%d lines" % len(found))
            lines.all_understood(found)
        check_deliveries(t, place, found)
        check_refusals(t, place, found)


tap.main(tests)
