# SPDX-License-Identifier: ISC
"""Other people's filters, started to be compared with, each with a configuration of its own in a
directory of its own. A function gets the path of the program and returns its process and its
endpoint."""
import base64
import os

from harness import children, wait

OPENDKIM = """Mode %(mode)s
Socket local:%(directory)s/socket
Syslog no
PidFile %(directory)s/pid
%(settings)s
"""
# What millgate-dkim does as shipped: the same canonical forms, From oversigned.
OPENDKIM_SIGNS = """Domain %(domain)s
Selector %(selector)s
KeyFile %(path)s
SignatureAlgorithm %(algorithm)s-sha256
Canonicalization relaxed/relaxed
OversignHeaders From
InternalHosts 203.0.113.5
RequireSafeKeys no
"""
# One process scans in itself; no module but those that sign.
RSPAMD = """options {
    filters = "dkim";
    pidfile = "%(directory)s/pid";
    tempdir = "%(directory)s";
    hs_cache_dir = "%(directory)s";
    control_socket = "%(directory)s/control mode=0600";
    url_tld = "/usr/share/rspamd/effective_tld_names.dat";
    local_addrs = ["0.0.0.0/0"];
    dns { nameserver = ["127.0.0.1:9"]; }
}
logging { type = "file"; filename = "%(directory)s/log"; level = "error"; }
worker "rspamd_proxy" {
    bind_socket = "%(directory)s/socket mode=0666";
    milter = yes;
    timeout = 120s;
    count = %(count)d;
    upstream "local" { default = yes; self_scan = yes; }
}
dkim { check_local = false; check_authed = false; }
dkim_signing {
    sign_networks = ["0.0.0.0/0"];
    use_domain = "header";
    use_esld = false;
    check_pubkey = false;
    domain { %(domain)s { path = "%(path)s"; selector = "%(selector)s"; } }
}
modules { path = "/usr/share/rspamd/plugins/dkim_signing.lua"; }
"""


def opendkim(program):
    """It verifies; mail without a signature is looked at, and no more."""
    return _opendkim(program, "v", "")


def opendkim_signing(program, key):
    """It signs mail of the domain of a key."""
    algorithm = key.kind.partition(":")[0]
    return _opendkim(program, "s", OPENDKIM_SIGNS % dict(vars(key), algorithm=algorithm))


def _opendkim(program, mode, settings):
    directory = children.temporary_directory("bench")
    with open(directory + "/conf", "w") as file:
        file.write(OPENDKIM % {"directory": directory, "mode": mode, "settings": settings})
    return _started([program, "-f", "-x", directory + "/conf"], directory)


def rspamd_signing(program, key):
    """Likewise, on all cores."""
    directory = children.temporary_directory("bench")
    path = directory + "/key" if key.kind == "ed25519" else key.path
    if path != key.path:
        with open(path, "w") as file:
            file.write(base64.b64encode(key.seed()).decode())
    with open(directory + "/conf", "w") as file:
        values = dict(vars(key), path=path, directory=directory, count=os.cpu_count())
        file.write(RSPAMD % values)
    command = [program, "-f", "-i", "-c", directory + "/conf"]
    if os.geteuid() == 0:
        command += ["-u", "root", "-g", "root"]
    return _started(command, directory)


def _started(command, directory):
    """The process, once there is a socket to connect to; and that."""
    with open(directory + "/stderr", "wb") as log:
        child = children.spawn(command, stdout=log, stderr=log)
    path = directory + "/socket"

    def ready():
        if child.poll() is not None:
            with open(directory + "/stderr") as log:
                raise AssertionError("%s ended: %s" % (command[0], log.read()))
        return os.path.exists(path)

    wait.until(ready, "the socket of " + command[0])
    return child, "unix:" + path
