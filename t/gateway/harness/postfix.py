# SPDX-License-Identifier: ISC
"""A private Postfix: own configuration, queue, data and log, ports picked free, everything under
one directory.

Several may run at once; the system's own instance and /etc/postfix are never touched. All mail
goes to one next hop. Services: smtp (STARTTLS offered; clients at 127.0.0.1 and SASL users may
relay), submission (STARTTLS and AUTH required, milter_macro_daemon_name ORIGINATING) and
submissions (TLS from the start); sendmail(1). Needs root, as Postfix's master does.
"""
import grp
import json
import os
import pwd
import signal
import socket
import subprocess

from . import children, wait
from .postfix_log import Log

HOST = "mx.example.org"
USERS = {"acme-app": "acme-secret", "crm": "crm-secret"}
UNKNOWN_RECIPIENT = "nobody@example.org"
DAEMONS = "/usr/lib/postfix/sbin"

MAIN = """
compatibility_level = 3.6
myhostname = {host}
mydomain = example.org
myorigin = $mydomain
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
relay_domains = example.org
relayhost = [{relay_address}]:{relay_port}
inet_interfaces = loopback-only
inet_protocols = all
mynetworks = 127.0.0.1/32
queue_directory = {directory}/spool
data_directory = {directory}/data
maillog_file = {directory}/maillog
maillog_file_prefixes = {directory}
smtpd_peername_lookup = no
enable_long_queue_ids = yes
smtpd_client_port_logging = yes
biff = no
notify_classes =
smtp_dns_support_level = disabled
smtp_tls_security_level =
smtp_tls_session_cache_database =
smtpd_tls_security_level = may
smtpd_tls_chain_files = {directory}/tls/server.pem
smtpd_tls_auth_only = yes
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = {directory}/sasl
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ {unknown} = 550 5.1.1 no }} }}
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_client_connection_count_limit = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 2000
smtpd_junk_command_limit = 1000
smtpd_error_sleep_time = 0
smtpd_timeout = 300s
in_flow_delay = 0
initial_destination_concurrency = 20
queue_run_delay = 5s
minimal_backoff_time = 5s
maximal_backoff_time = 10s
milter_default_action = tempfail
"""

MASTER = """
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o milter_macro_daemon_name=ORIGINATING
127.0.0.1:{submissions} inet n - n - - smtpd
  -o syslog_name=postfix/submissions
  -o smtpd_tls_wrappermode=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o milter_macro_daemon_name=ORIGINATING
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

QUEUE = {
    "active": 0o700,
    "bounce": 0o700,
    "corrupt": 0o700,
    "defer": 0o700,
    "deferred": 0o700,
    "flush": 0o700,
    "hold": 0o700,
    "incoming": 0o700,
    "private": 0o700,
    "saved": 0o700,
    "trace": 0o700,
}


class Postfix:
    """directory: an empty one, passable by user postfix. services: more lines of master.cf.
    settings: of main.cf, over those above."""

    def __init__(
        self, directory, relay_port, relay_address="127.0.0.1", services="", **settings
    ):
        self.directory = directory
        self.host = HOST
        self.log = Log(directory + "/maillog")
        self.child = None
        self._services = services
        self._settings = dict(settings)
        self._relay = {"relay_address": relay_address, "relay_port": relay_port}
        self._make_directories()
        self._make_certificate()
        self._make_users()

    def _make_directories(self):
        postfix = pwd.getpwnam("postfix")
        postdrop = grp.getgrnam("postdrop").gr_gid
        self.queue_directory = self.directory + "/spool"
        os.makedirs(self.queue_directory, mode=0o755)
        os.mkdir(self.queue_directory + "/pid", 0o755)
        for name, mode in QUEUE.items():
            _make_directory(self.queue_directory + "/" + name, mode, postfix.pw_uid, -1)
        _make_directory(self.queue_directory + "/public", 0o2710, postfix.pw_uid, postdrop)
        _make_directory(self.queue_directory + "/maildrop", 0o1730, postfix.pw_uid, postdrop)
        _make_directory(self.queue_directory + "/millgate", 0o2750, 0, postfix.pw_gid)
        _make_directory(self.directory + "/data", 0o700, postfix.pw_uid, -1)

    def _make_certificate(self):
        os.mkdir(self.directory + "/tls")
        key = self.directory + "/tls/server.pem"
        self.certificate = self.directory + "/tls/certificate.pem"
        subprocess.run(
            ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
             "-subj /CN=%s -addext subjectAltName=DNS:%s" % (HOST, HOST)).split()
            + ["-keyout", key, "-out", self.certificate],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        os.chmod(key, 0o600)
        with open(self.certificate) as certificate, open(key, "a") as chain:
            chain.write(certificate.read())

    def _make_users(self):
        directory = self.directory + "/sasl"
        os.mkdir(directory)
        database = directory + "/sasldb2"
        with open(directory + "/smtpd.conf", "w") as file:
            file.write(
                "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: %s\n"
                "mech_list: PLAIN LOGIN\nlog_level: 3\n" % database
            )
        for name, password in USERS.items():
            subprocess.run(
                ["saslpasswd2", "-p", "-c", "-f", database, "-u", HOST, name],
                input=password.encode(),
                check=True,
            )
        postfix = pwd.getpwnam("postfix")
        os.chown(database, postfix.pw_uid, postfix.pw_gid)
        os.chmod(database, 0o600)

    def _write_configuration(self):
        main = MAIN.format(
            host=HOST, directory=self.directory, unknown=UNKNOWN_RECIPIENT, **self._relay
        )
        kept = [
            line
            for line in main.strip().split("\n")
            if line.split(" ", 1)[0] not in self._settings
        ]
        kept += ["%s = %s" % setting for setting in self._settings.items()]
        _write(self.directory + "/main.cf", "\n".join(kept) + "\n")
        _write(
            self.directory + "/master.cf",
            MASTER.format(
                smtp=self.smtp_port,
                submission=self.submission_port,
                submissions=self.submissions_port,
            )
            + self._services,
        )

    def start(self):
        for _attempt in range(5):
            self.smtp_port, self.submission_port, self.submissions_port = children.free_ports(3)
            self._write_configuration()
            self.child = children.spawn(
                [DAEMONS + "/master", "-c", self.directory, "-s"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if (
                wait.until(
                    lambda: self._greets() or self.child.poll() is not None,
                    lambda: "Postfix to greet; %s" % self.log.tail(),
                )
                is True
                and self.child.poll() is None
            ):
                return self
            children.end(self.child)
        raise RuntimeError("Postfix does not start: " + self.log.tail())

    def _environment(self):
        return dict(os.environ, MAIL_CONFIG=self.directory)

    def _greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.smtp_port), timeout=5) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            return False

    def configure(self, **settings):
        """Changes main.cf; where it runs already, processes that are in a session finish it with
        the old settings."""
        self._settings.update(settings)
        if self.child is not None:
            self._write_configuration()
            os.kill(self.child.pid, signal.SIGHUP)

    def stop(self):
        if self.child is not None:
            children.end(self.child, seconds=20)
            self.child = None

    def command(self, name, *arguments, stdin=b""):
        """Runs one of Postfix's commands on this instance; returns the CompletedProcess, output as
        bytes."""
        return subprocess.run(
            ["/usr/sbin/" + name, *arguments],
            input=stdin,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def sendmail(self, content, recipients, sender):
        """Submits as sendmail(1); the sender "" is the null sender."""
        result = self.command(
            "sendmail",
            "-C",
            self.directory,
            "-i",
            "-f",
            sender or "<>",
            "--",
            *recipients,
            stdin=content
        )
        if result.returncode != 0:
            raise RuntimeError("sendmail: %r" % result.stderr)

    def queue(self):
        """The queue as Postfix tells it: one object a message (queue_name, queue_id, sender,
        recipients...)."""
        result = self.command("postqueue", "-c", self.directory, "-j")
        if result.returncode != 0:
            raise RuntimeError("postqueue: %r" % result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def maildrop_count(self):
        return len(os.listdir(self.queue_directory + "/maildrop"))

    def wait_until_empty(self):
        """Waits until nothing but held mail is in the queue."""

        def moving():
            return [entry for entry in self.queue() if entry["queue_name"] != "hold"]

        wait.until(
            lambda: self.maildrop_count() == 0 and not moving(),
            lambda: "the queue to become empty: %d left; %s" % (len(moving()), self.log.tail()),
            pause=0.1,
        )


def _make_directory(path, mode, user, group):
    os.mkdir(path)
    os.chown(path, user, group)
    os.chmod(path, mode)


def _write(path, text):
    """An old date, for Postfix waits until a file just written has settled."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.utime(path + ".new", (0, 0))
    os.rename(path + ".new", path)
