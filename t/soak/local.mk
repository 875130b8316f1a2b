# SPDX-License-Identifier: ISC
# Much mail and many reloads through one daemon: nothing grows, nothing is left.
#
#   make soak SOAK_MESSAGES=200000        ten minutes on two cores

SOAK_MESSAGES = 200000
SOAK_TESTS = t/soak/mail.t t/soak/reload.t
EXTRA_DIST += $(SOAK_TESTS) t/soak/steady.py

soak: all t/bench/load
	@SOAK_MESSAGES='$(SOAK_MESSAGES)'; export SOAK_MESSAGES; $(call run_prove,$(SOAK_TESTS))

.PHONY: soak
