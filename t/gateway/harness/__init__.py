# SPDX-License-Identifier: ISC
"""A gateway for tests: a private Postfix, what stands around it, and the daemons under test.

One decision a module; children.py ends everything that was started, whatever happens to the test.
"""
import sys

sys.dont_write_bytecode = True
