# SPDX-License-Identifier: ISC
"""Waiting for what will happen: polled, with a deadline generous enough for a busy machine."""
import time

GENEROUS = 120


def until(condition, what, seconds=GENEROUS, pause=0.02):
    """Returns the first true value of condition(); AssertionError with `what` after the
    deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(
                "waited %d s for %s" % (seconds, what() if callable(what) else what)
            )
        time.sleep(pause)
