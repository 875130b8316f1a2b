# SPDX-License-Identifier: ISC
"""Writes the Test Anything Protocol: a sentence a subtest, the plan at the end.

    def tests(tap):
        with tap.test("A refused message gives no event"):
            equal(events, [], "events")

    tap.main(tests)
"""
import contextlib
import os
import sys
import traceback


class Skip(Exception):
    """Raised by a subtest (or, outside of one, by the whole file) that cannot run here."""


class Tap:
    def __init__(self, out=sys.stdout):
        self.out = out
        self.count = 0
        self.failed = 0

    def _result(self, good, sentence, directive=""):
        self.count += 1
        if not good:
            self.failed += 1
        self.out.write(
            "%sok %d - %s%s\n"
            % ("" if good else "not ", self.count, sentence.replace("#", "\\#"), directive)
        )
        self.out.flush()

    def diag(self, text):
        """Comment lines of the protocol: what the reader of a failure needs."""
        for line in str(text).rstrip("\n").split("\n"):
            self.out.write("# " + line.encode("ascii", "backslashreplace").decode() + "\n")
        self.out.flush()

    @contextlib.contextmanager
    def test(self, sentence):
        """One subtest: any exception fails it, with its traceback, and the next one still runs."""
        try:
            yield
        except Skip as skip:
            self._result(True, sentence, " # SKIP %s" % skip)
        except Exception:
            self._result(False, sentence)
            self.diag(traceback.format_exc())
        else:
            self._result(True, sentence)

    def plan(self):
        self.out.write("1..%d\n" % self.count)
        self.out.flush()


def equal(got, want, what="value"):
    """Fails with both values; long ones are cut in the middle."""
    if got != want:
        raise AssertionError("%s:\n  got  %s\n  want %s" % (what, _short(got), _short(want)))


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def none(faults):
    """Fails with the number of faults and the first few."""
    if faults:
        raise AssertionError("%d faults:\n%s" % (len(faults), "\n".join(faults[:8])))


def _short(value, limit=1500):
    text = repr(value)
    return text if len(text) <= limit else text[: limit // 2] + " ... " + text[-limit // 2 :]


def main(tests):
    """Runs tests(tap) and exits: 0 if every subtest passed."""
    tap = Tap()
    try:
        tests(tap)
    except Skip as skip:
        if tap.count == 0:
            print("1..0 # SKIP %s" % skip)
            sys.exit(0)
        tap._result(False, "the file runs to its end")
        tap.diag("skipped half-way: %s" % skip)
    except Exception:
        tap._result(False, "the file runs to its end")
        tap.diag(traceback.format_exc())
    tap.plan()
    sys.exit(1 if tap.failed else 0)


def needs_root(why):
    if os.geteuid() != 0:
        raise Skip("needs root: " + why)
