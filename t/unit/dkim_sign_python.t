#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# What dkim_sign makes, judged by dkimpy: every letter, both forms of header and body, both algorithms.
import os
import subprocess
import sys
import tempfile

try:
    import dkim
except ImportError:
    print("1..0 # SKIP no python3-dkim")
    sys.exit(0)


def verify(path, record):
    with open(path, "rb") as stream:
        message = stream.read()
    try:
        return dkim.verify(message, dnsfunc=lambda name, timeout=5: record)
    except dkim.DKIMException as error:
        return str(error)


# dkimpy refuses a whole message in which a field has this.
REFUSED = ("blank-before-the-colon",)


def judge(folder, algorithm, forms):
    """Ok when each letter of this kind passes."""
    with open(os.path.join(folder, algorithm + ".txt"), "rb") as stream:
        record = stream.read()
    names = [name for name in sorted(os.listdir(folder)) if name.startswith(f"{algorithm}-{forms}-")]
    names = [name for name in names if not name.endswith(tuple(f"-{what}.eml" for what in REFUSED))]
    wrong = [name for name in names if verify(os.path.join(folder, name), record) is not True]
    return len(names) > 20 and not wrong, wrong


with tempfile.TemporaryDirectory(prefix="millgate-dkim-") as folder:
    subprocess.run([os.path.join(os.environ["MG_BUILDDIR"], "t/unit/dkim_sign_all"), folder], check=True)
    number = 0
    for algorithm in ("rsa", "ed25519"):
        for forms in ("simple-simple", "simple-relaxed", "relaxed-simple", "relaxed-relaxed"):
            number += 1
            good, wrong = judge(folder, algorithm, forms)
            print(f"{'ok' if good else 'not ok'} {number} - {algorithm}, {forms}: every letter verifies")
            for name in wrong:
                print(f"# {name}")
    print(f"1..{number}")
