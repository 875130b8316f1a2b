# SPDX-License-Identifier: ISC
"""A milter of others: it speaks the protocol itself, and does at the end of a message what a field of
it says: `X-Foreign: reject`, `tempfail`, `hold`, `discard`; without one the message passes."""
import os
import re
import socket
import struct
import sys

if __name__ != "__main__":
    from . import children

VERSION, QUARANTINE = 6, 0x20
REPLIES = {
    b"reject": [b"y550 5.7.1 virus found\0"],
    b"tempfail": [b"y451 4.7.1 look again later\0"],
    b"hold": [b"qsuspicious\0", b"c"],
    b"discard": [b"d"],
}
SILENT = b"DAQK"  # macros, abort, quit, quit and begin anew: nobody waits for an answer


class Foreign:
    """Runs from then on; named in main.cf as `milter`."""

    def __init__(self, postfix):
        path = postfix.queue_directory + "/millgate/foreign.sock"
        self.milter = "unix:millgate/foreign.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen(64)
        self.child = children.spawn(
            [sys.executable, "-B", os.path.abspath(__file__), str(listener.fileno())],
            pass_fds=[listener.fileno()],
        )
        listener.close()

    def stop(self):
        children.end(self.child)


def read(connection, length):
    data = b""
    while len(data) < length:
        more = connection.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def answer(connection, packets):
    for packet in packets:
        connection.sendall(struct.pack("!I", len(packet)) + packet)


def session(connection):
    wish = None
    while True:
        packet = read(connection, struct.unpack("!I", read(connection, 4))[0])
        command, data = packet[:1], packet[1:]
        if command == b"O":
            answer(connection, [b"O" + struct.pack("!III", VERSION, QUARANTINE, 0)])
        elif command == b"L":
            found = re.match(rb"X-Foreign\0\s*(\w+)\0", data)
            wish = found.group(1) if found else wish
            answer(connection, [b"c"])
        elif command == b"E":
            answer(connection, REPLIES.get(wish, [b"c"]))
            wish = None
        elif command == b"Q":
            return
        elif command not in SILENT:
            answer(connection, [b"c"])


def serve(descriptor):
    import threading

    def run(connection):
        with connection:
            try:
                session(connection)
            except (EOFError, ConnectionError):
                pass

    listener = socket.socket(fileno=descriptor)
    while True:
        threading.Thread(target=run, args=[listener.accept()[0]], daemon=True).start()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
