# SPDX-License-Identifier: ISC
"""DKIM keys made by openssl(1), and their records."""
import base64
import os
import subprocess

TYPES = {
    "rsa": ("RSA", "rsa_keygen_bits:%s"),
    "ed25519": ("ED25519", None),
}
RAW_ED25519 = -32  # keys of Ed25519, public or private, end in their bytes, RFC 8410


class Key:
    """DOMAIN/SELECTOR.pem in a folder of keys, made new. kind: "rsa:2048", "ed25519"."""

    def __init__(self, folder, domain, selector, kind="rsa:2048"):
        self.domain, self.selector, self.kind = domain, selector, kind
        self.path = "%s/%s/%s.pem" % (folder, domain, selector)
        self.name = "%s._domainkey.%s" % (selector, domain)
        os.makedirs(os.path.dirname(self.path), mode=0o750, exist_ok=True)
        self._make()

    def _make(self):
        algorithm, _, bits = self.kind.partition(":")
        name, option = TYPES[algorithm]
        command = ["openssl", "genpkey", "-algorithm", name, "-out", self.path + ".new"]
        if option:
            command += ["-pkeyopt", option % bits]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.path + ".new", 0o640)
        os.rename(self.path + ".new", self.path)
        public = self._der("-pubout")
        if algorithm == "ed25519":
            public = public[RAW_ED25519:]
        self.record = "v=DKIM1; k=%s; p=%s" % (algorithm, base64.b64encode(public).decode())

    def _der(self, *options):
        return subprocess.check_output(
            ["openssl", "pkey", "-in", self.path, "-outform", "DER", *options]
        )

    def seed(self):
        """The private key of Ed25519, 32 bytes."""
        return self._der()[RAW_ED25519:]

    def zone_line(self, origin):
        """Its line in the zone file of `origin`."""
        name = self.name[: -len(origin) - 1] if self.name.endswith("." + origin) else None
        parts = [self.record[start : start + 250] for start in range(0, len(self.record), 250)]
        return "%s TXT %s" % (name or self.name + ".", " ".join('"%s"' % part for part in parts))


def records(keys):
    return {key.name: key.record for key in keys}
