# SPDX-License-Identifier: ISC
"""What programs read in a message: ours, GMime's (None without it), Python's email."""
import email
import email.message
import email.policy
import os
import subprocess

TOOLS = os.path.join(os.environ.get("MG_BUILDDIR", "."), "t/unit")


class Reading:
    """Of one message: leaves, (type, bytes) each, in their order; other text; facts."""

    def __init__(self):
        self.leaves = []
        self.charsets = []
        self.text = b""
        self.facts = []

    def all_text(self):
        """All that was found, decoded as its character sets say, line ends aside."""
        texts = [
            decoded(content, charset)
            for (_, content), charset in zip(self.leaves, self.charsets)
        ]
        return "\n".join(texts + [decoded(self.text, "utf-8")]).replace("\r", "")


def decoded(content, charset):
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return content.decode("latin-1")


def charset_of(content_type):
    field = email.message.Message()
    field["Content-Type"] = " ".join(content_type.decode("latin-1").split())
    try:
        return field.get_content_charset() or "utf-8"
    except (ValueError, AttributeError):
        return "utf-8"


def ours(paths):
    return _readings("mime_print", paths)


def gmimes(paths):
    if not os.path.exists(os.path.join(TOOLS, "mime_gmime")):
        return None
    return _readings("mime_gmime", paths)


def _readings(tool, paths):
    """Path to Reading; lines as mime_print tells them."""
    command = [os.path.join(TOOLS, tool), *paths]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found = {}
    for line in output.splitlines():
        word, _, rest = line.partition(b" ")
        if word == b"file":
            reading = found[rest.decode()] = Reading()
        elif word == b"leaf":
            kind, content, *more = rest.split(b" ")
            reading.leaves.append((kind.decode().lower(), unhex(content)))
            reading.charsets.append(charset_of(unhex(more[0])) if more else "utf-8")
        elif word == b"text":
            reading.text = unhex(rest)
        elif word == b"fact":
            reading.facts.append(rest.decode())
    return found


def unhex(text):
    return bytes.fromhex(text.decode())


def pythons(path):
    """An empty one where it fails."""
    with open(path, "rb") as file:
        message = email.message_from_bytes(file.read(), policy=email.policy.compat32)
    reading = Reading()
    try:
        _walk(message, reading)
    except ValueError:
        return Reading()
    return reading


def _walk(message, reading):
    payload = message.get_payload()
    if isinstance(payload, list):
        for part in payload:
            _walk(part, reading)
    else:
        content = message.get_payload(decode=True) or b""
        reading.leaves.append((message.get_content_type(), content))


def plain(content):
    """Without what line ends make of it."""
    return content.replace(b"\r", b"").strip(b"\n")


def all_contents(reading):
    return [plain(content) for _, content in reading.leaves]


def contents(reading):
    """Without empty ones: programs differ in whether there is a part between two boundaries."""
    return [text for text in all_contents(reading) if text]


def seen_bytes(path, reading):
    """All bytes that a reading has, with the header of the message, line ends aside."""
    with open(path, "rb") as file:
        header = file.read().replace(b"\r", b"").partition(b"\n\n")[0]
    contents = [content for _, content in reading.leaves]
    return b"\n".join(contents + [reading.text, header]).replace(b"\r", b"")


def unseen_lines(text, seen):
    """Lines of a text that are not in `seen`; both are bytes or str. Boundary lines are no text."""
    carriage, line_end, dashes = ("\r", "\n", "--") if isinstance(text, str) else (b"\r", b"\n", b"--")
    lines = (line.strip() for line in text.replace(carriage, text[:0]).split(line_end))
    return [line for line in lines if line and not line.startswith(dashes) and line not in seen]
