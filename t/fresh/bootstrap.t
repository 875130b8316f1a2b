#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The README's two commands on bare Debian machines: a tree of debootstrap each, in which nothing
but Debian's minimum is installed. Run by `make fresh`; FRESH="trixie" for one release.

The mirror is the one this machine's own apt uses. A tree takes 1.5 GB for ten minutes; it is made
below TMPDIR and removed, its processes have a process-id space of their own and end with it."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "../gateway"))
from harness import tap
from harness.tap import Skip, equal, none, true

RELEASES = os.environ.get("FRESH", "").split() or ["bookworm", "trixie"]
APT_HELPER = "/usr/lib/apt/apt-helper"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Of this machine's apt settings those that tell how to reach a mirror.
REACH = re.compile(r"^Acquire::(https?::Proxy|https?::CaInfo|Check-|Retries)", re.I)

# In the tree, as the first process of its own process-id space.
INSIDE = r"""
mount -t proc proc /proc && mount -t tmpfs tmpfs /dev/shm || exit 99
mount -t devpts devpts /dev/pts && cd /root/millgate || exit 99
"$@"
status=$?
# The pattern is read before there is a process to look at the others.
for process in /proc/[0-9]*; do
	[ "${process#/proc/}" = $$ ] || echo "left: $(tr '\0' ' ' 2>/dev/null <"$process/cmdline")"
done
exit $status
"""


def output(*command):
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def mirror():
    """The address from which this machine gets Debian itself."""
    wanted = "$(LABEL)|$(COMPONENT)|$(REPO_URI)"
    listed = output("apt-get", "indextargets", "--format", wanted, "Created-By: Packages")
    for line in listed.stdout.decode().splitlines():
        label, _, rest = line.partition("|")
        if label == "Debian" and rest.startswith("main|"):
            return rest[len("main|"):].rstrip("/")
    raise Skip("this machine's apt knows no mirror of Debian")


def needs(where, release):
    """The mirror has the release."""
    with tempfile.TemporaryDirectory() as directory:
        address = "%s/dists/%s/InRelease" % (where, release)
        got = output(APT_HELPER, "download-file", address, directory + "/InRelease")
    if got.returncode != 0:
        raise Skip("%s has no %s: %s" % (where, release, got.stdout.decode().strip()))


def copy_sources(target):
    """What a checkout has, or a tarball: no build tree, nothing configure wrote."""
    os.makedirs(target)
    git = ["git", "-c", "safe.directory=" + SOURCE, "-C", SOURCE, "ls-files", "-z"]
    listed = subprocess.run(git, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if listed.returncode != 0:
        ignore = shutil.ignore_patterns("build", "build-*", "autom4te.cache", "*.o", "*.a")
        shutil.copytree(SOURCE, target, symlinks=True, dirs_exist_ok=True, ignore=ignore)
        return
    for name in listed.stdout.decode().split("\0"):
        path = os.path.join(SOURCE, name)
        if name and os.path.lexists(path):
            os.makedirs(os.path.dirname(os.path.join(target, name)), exist_ok=True)
            shutil.copy2(path, os.path.join(target, name), follow_symlinks=False)


class Tree:
    def __init__(self, release, where, directory):
        self.root = os.path.join(directory, release)
        options = ("--variant=minbase", "--keyring=" + KEYRING)
        made = output("debootstrap", *options, release, self.root, where)
        true(made.returncode == 0, "debootstrap:\n" + made.stdout.decode()[-2000:])
        reach = output("apt-config", "dump").stdout.decode().splitlines()
        with open(self.root + "/etc/apt/apt.conf.d/99reach", "w") as file:
            file.write("".join(line + "\n" for line in reach if REACH.match(line)))
        copy_sources(self.root + "/root/millgate")
        self.files = self.files_of_others()

    def files_of_others(self):
        """What is there of the service policy and of a mail system's configuration."""
        return [path for path in ("usr/sbin/policy-rc.d", "etc/postfix/main.cf")
                if os.path.lexists(os.path.join(self.root, path))]

    def run(self, *command):
        """Status, lines, and what still ran when it was over."""
        result = output(
            *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("chroot", self.root, "/usr/bin/env", "-i", "HOME=/root"),
            *("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-c", INSIDE, "sh"),
            *command,
        )
        lines = result.stdout.decode("utf-8", "replace").splitlines()
        # One that ended and that nobody waited for has no command line.
        left = [line for line in lines if re.match("left: .", line)]
        return result.returncode, [line for line in lines if not line.startswith("left: ")], left


def test_release(t, release, where, directory):
    tree = None
    with t.test("%s: debootstrap makes a bare machine" % release):
        needs(where, release)
        tree = Tree(release, where, directory)
    if tree is None:
        return

    with t.test("%s: ./bootstrap check builds there, and every test passes" % release):
        status, lines, left = tree.run("./bootstrap", "check")
        shown = "\n".join(lines[-80:])
        true(status == 0, "status %d:\n%s" % (status, shown))
        t.diag("%s: %s" % (release, lines[-1]))
        true(re.match(r"[1-9]\d* passed, 0 failed, \d+ skipped$", lines[-1]), shown)
        none([line for line in lines if len(line) > 80])

    with t.test("%s: nothing that it installed runs, and mail and policy are as before" % release):
        none(left)
        equal(tree.files_of_others(), tree.files, "files")

    with t.test("%s: ./bootstrap demo shows mail accepted, recorded and delivered" % release):
        status, lines, left = tree.run("./bootstrap", "demo")
        shown = "\n".join(lines[-80:])
        true(status == 0, "status %d:\n%s" % (status, shown))
        true(any("accepted, recorded and delivered" in line for line in lines), shown)
        none([line for line in lines if len(line) > 80])
        none(left)
    shutil.rmtree(tree.root)


def tests(t):
    tap.needs_root("debootstrap makes a tree with devices")
    for program in ("debootstrap", "unshare", "chroot", "apt-get"):
        if shutil.which(program) is None:
            raise Skip("%s is not installed" % program)
    where = mirror()
    with tempfile.TemporaryDirectory(prefix="millgate-fresh-") as directory:
        for release in RELEASES:
            test_release(t, release, where, directory)


tap.main(tests)
