# SPDX-License-Identifier: ISC
"""Other people's filters, started to be compared with. Each function gets the path of the program
and returns its process and its endpoint."""
import os

from harness import children, wait

OPENDKIM = """Mode v
Socket local:%(socket)s
Syslog no
PidFile %(directory)s/pid
"""


def opendkim(program):
    """It verifies; mail without a signature is looked at, and no more."""
    directory = children.temporary_directory("bench")
    path = directory + "/socket"
    with open(directory + "/conf", "w") as file:
        file.write(OPENDKIM % {"socket": path, "directory": directory})
    with open(directory + "/stderr", "wb") as log:
        child = children.spawn(
            [program, "-f", "-x", directory + "/conf"], stdout=log, stderr=log
        )

    def ready():
        if child.poll() is not None:
            with open(directory + "/stderr") as log:
                raise AssertionError("opendkim ended: " + log.read())
        return os.path.exists(path)

    wait.until(ready, "the socket of opendkim")
    return child, "unix:" + path
