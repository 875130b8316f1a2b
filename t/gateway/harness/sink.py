# SPDX-License-Identifier: ISC
"""The next hop: an SMTP server that keeps each message byte for byte, with its envelope.

A recipient whose local part begins with `reply-NNN` is answered NNN. Runs in a process of its own:
`sink.py LISTENING-FD DIRECTORY EXTENSIONS`. Message N is N.eml, its envelope N.json, complete once
N.json is there.
"""
import json
import os
import re
import socket
import sys

if __name__ != "__main__":
    from . import children, mail


class Delivered:
    """One message as the sink got it: sender, recipients, content (bytes), esmtp (MAIL
    parameters)."""

    def __init__(self, directory, number):
        with open("%s/%d.json" % (directory, number)) as file:
            envelope = json.load(file)
        with open("%s/%d.eml" % (directory, number), "rb") as file:
            self.content = file.read()
        self.number = number
        self.sender = envelope["sender"]
        self.recipients = envelope["recipients"]
        self.esmtp = envelope["esmtp"]

    def header(self, name):
        """Values of each field of that name, unfolded, top to bottom."""
        return mail.field_values(self.content, name)


class Sink:
    """extensions: whether it offers 8BITMIME and SMTPUTF8."""

    def __init__(self, directory, address="127.0.0.1", extensions=True):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        listener = socket.create_server((address, 0), backlog=512)
        self.address, self.port = listener.getsockname()[:2]
        self.child = children.spawn(
            [sys.executable, "-B", os.path.abspath(__file__)]
            + [str(listener.fileno()), directory, "yes" if extensions else "no"],
            pass_fds=[listener.fileno()],
        )
        listener.close()
        self._read = []

    def count(self):
        return sum(1 for name in os.listdir(self.directory) if name.endswith(".json"))

    def messages(self):
        """All messages so far, in order of arrival."""
        while os.path.exists("%s/%d.json" % (self.directory, len(self._read) + 1)):
            self._read.append(Delivered(self.directory, len(self._read) + 1))
        return list(self._read)

    def with_header(self, name, value):
        return [message for message in self.messages() if value in message.header(name)]

    def stop(self):
        children.end(self.child)


def serve(descriptor, directory, extensions):
    import asyncio
    from aiosmtpd.smtp import SMTP

    class Handler:
        count = 0

        async def handle_EHLO(self, server, session, envelope, hostname, responses):
            session.host_name = hostname
            return [line for line in responses if extensions or "8BITMIME" not in line]

        async def handle_RCPT(self, server, session, envelope, address, options):
            told = re.match(r"<?reply-([45]\d\d)", address)
            if told:
                code = told.group(1)
                return "%s %s.7.1 as the recipient says" % (code, code[0])
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):
            Handler.count += 1
            name = "%s/%d" % (directory, Handler.count)
            with open(name + ".eml", "wb") as file:
                file.write(envelope.original_content)
            with open(name + ".new", "w") as file:
                json.dump(
                    {
                        "sender": "" if envelope.mail_from == "<>" else envelope.mail_from,
                        "recipients": envelope.rcpt_tos,
                        "esmtp": envelope.mail_options,
                    },
                    file,
                )
            os.rename(name + ".new", name + ".json")
            return "250 2.0.0 kept as %d" % Handler.count

    class Server(SMTP):
        line_length_limit = 1 << 20

    async def run():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Server(
                Handler(),
                hostname="sink.example.net",
                data_size_limit=None,
                enable_SMTPUTF8=extensions,
                loop=loop,
            ),
            sock=socket.socket(fileno=descriptor),
            backlog=512,
        )
        await server.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], sys.argv[3] == "yes")
