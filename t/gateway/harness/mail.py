# SPDX-License-Identifier: ISC
"""The clients: SMTP spoken word by word, so that a test can stop, pipeline or break off anywhere.

Client remembers what a milter ought to be told of it: source, helo, user, tls version and cipher.
"""
import base64
import re
import socket
import ssl

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE

QUEUED = re.compile(r"queued as ([0-9A-Za-z]+)")


class Reply:
    def __init__(self, code, lines):
        self.code = code
        self.lines = lines

    def __repr__(self):
        return "%d %s" % (self.code, " / ".join(self.lines))

    @property
    def good(self):
        return self.code < 400

    @property
    def queue_id(self):
        """The id Postfix gives the message in its answer to the final dot; None without."""
        found = QUEUED.search(self.lines[-1])
        return found.group(1) if found else None


class Closed(Exception):
    """The server ended the connection."""


class Client:
    """One connection. source: the loopback address to come from; tls_from_start: as port 465 wants
    it."""

    def __init__(self, port, source="127.0.0.1", tls_from_start=False, greet=True):
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        server = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self.socket = socket.create_connection(
            (server, port), timeout=300, source_address=(source, 0)
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address, self.port = self.socket.getsockname()[:2]
        self.helo = self.user = self.tls_version = self.tls_cipher = None
        self.buffer = b""
        if tls_from_start:
            self._secure()
        if greet:
            self.greeting = self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        """Reads one reply, all its lines."""
        lines = []
        while True:
            while b"\n" not in self.buffer:
                try:
                    data = self.socket.recv(65536)
                except ConnectionError as error:
                    raise Closed(str(error))
                if not data:
                    raise Closed("end of file")
                self.buffer += data
            line, self.buffer = self.buffer.split(b"\n", 1)
            text = line.rstrip(b"\r").decode("utf-8", "surrogateescape")
            lines.append(text[4:])
            if text[3:4] != "-":
                return Reply(int(text[:3]), lines)

    def command(self, line):
        self.send(line.encode("utf-8", "surrogateescape") + b"\r\n")
        return self.reply()

    def ehlo(self, name="client.example.com"):
        self.helo = name
        return self.command("EHLO " + name)

    def starttls(self):
        reply = self.command("STARTTLS")
        if reply.good:
            self._secure()
        return reply

    def _secure(self):
        self.socket = TLS.wrap_socket(self.socket)
        self.tls_version = self.socket.version()
        self.tls_cipher = self.socket.cipher()[0]

    def auth(self, user, password):
        token = base64.b64encode(("\0%s\0%s" % (user, password)).encode()).decode()
        reply = self.command("AUTH PLAIN " + token)
        if reply.good:
            self.user = user
        return reply

    def envelope(self, sender, recipients, pipelined=False, parameters=""):
        """MAIL and each RCPT; returns (reply to MAIL, or to the last RCPT if none was taken;
        recipients taken). parameters: of MAIL, " SMTPUTF8"."""
        lines = ["MAIL FROM:<%s>%s" % (sender, parameters)] + [
            "RCPT TO:<%s>" % recipient for recipient in recipients
        ]
        if pipelined:
            self.send("".join(line + "\r\n" for line in lines).encode())
            replies = [self.reply() for _ in lines]
        else:
            replies = [self.command(line) for line in lines]
        taken = [recipient for recipient, reply in zip(recipients, replies[1:]) if reply.good]
        return (replies[0] if taken or not replies[0].good else replies[-1]), taken

    def data(self, content):
        """DATA, the content and the final dot; returns the reply that ended it."""
        reply = self.command("DATA")
        if reply.code != 354:
            return reply
        self.send(dot_stuffed(content) + b".\r\n")
        return self.reply()

    def chunked(self, content, size=1000):
        """The content by BDAT (RFC 3030) instead of DATA; returns the reply that ended it."""
        chunks = [content[start : start + size] for start in range(0, len(content), size)] or [b""]
        for number, chunk in enumerate(chunks, 1):
            last = b" LAST" if number == len(chunks) else b""
            self.send(b"BDAT %d%s\r\n" % (len(chunk), last) + chunk)
            reply = self.reply()
            if not reply.good:
                break
        return reply

    def message(self, sender, recipients, content, pipelined=False, parameters=""):
        """A whole message; returns (reply that decided it, recipients that were taken)."""
        reply, taken = self.envelope(sender, recipients, pipelined, parameters)
        return (self.data(content) if taken else reply), taken

    def quit(self):
        try:
            return self.command("QUIT")
        finally:
            self.close()


def field_values(content, name):
    """Values of each field of that name, unfolded, top to bottom."""
    block = content.split(b"\r\n\r\n", 1)[0]
    fields = re.split(rb"\r\n(?![ \t])", block)
    wanted = name.lower().encode() + b":"
    return [
        re.sub(rb"\r\n([ \t])", rb"\1", field[len(wanted) :])
        .strip()
        .decode("utf-8", "surrogateescape")
        for field in fields
        if field.lower().startswith(wanted)
    ]


def dot_stuffed(content):
    """The content as it goes over the wire: CR LF line ends, a final one, dots doubled."""
    text = content if content.endswith(b"\r\n") else content + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", text)


def compose(number, subject="a test", sender="author@example.com", body=b"Hello.\r\n", extra=b""):
    """A small message with a Message-ID of its own; returns (message id without <>, content)."""
    message_id = "%s@client.example.com" % number
    content = (
        b"From: Author <%s>\r\nTo: somebody@example.org\r\nSubject: %s\r\n"
        b"Date: Tue, 24 Nov 2026 12:49:20 +0100\r\nMessage-ID: <%s>\r\n%s\r\n%s"
        % (
            sender.encode(),
            subject.encode() if isinstance(subject, str) else subject,
            message_id.encode(),
            extra,
            body,
        )
    )
    return message_id, content
