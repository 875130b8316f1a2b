# SPDX-License-Identifier: ISC
# The README's two commands on bare machines: root, debootstrap and a mirror.
#
#   make fresh FRESH='bookworm trixie'    twenty minutes on two cores

FRESH = bookworm trixie
FRESH_TESTS = t/fresh/bootstrap.t
EXTRA_DIST += $(FRESH_TESTS)

fresh:
	@FRESH='$(FRESH)'; export FRESH; $(call run_prove,$(FRESH_TESTS))

.PHONY: fresh
