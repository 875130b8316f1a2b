# SPDX-License-Identifier: ISC
# Tests. A test is a program that prints TAP: in C with cmocka (CMOCKA_TESTS,
# compiled to t/FOLDER/NAME.t), or a script (SCRIPT_TESTS, run where it stands).
# Each folder adds its own in t/FOLDER/local.mk.
#
#   make check                            everything
#   make check T='t/unit t/milter/log.t'  those folders and tests
#   make conformance SUITES=DIR           runners of public test data, in DIR
#   make fuzz FUZZ_SECONDS=60             (configure --enable-fuzzers CC=clang)
#   make soak, make fresh, make bench     t/soak, t/fresh, t/bench: no part of make check

CMOCKA_TESTS =
SCRIPT_TESTS =
# Runners that read $SUITES; no part of make check.
CONFORMANCE_TESTS =
# Tests of CMOCKA_TESTS and SCRIPT_TESTS that use several threads: .ci/run
# repeats them under ThreadSanitizer.
TSAN_TESTS =
# Tests whose daemons have an engine: each is run once with every engine.
ENGINE_TESTS =
ENGINES = native libmilter

include t/unit/local.mk
include t/milter/local.mk
include t/gateway/local.mk
include t/demo/local.mk
include t/fuzz/local.mk
include t/bench/local.mk
include t/soak/local.mk
include t/fresh/local.mk

if HAVE_CMOCKA
check_PROGRAMS += $(CMOCKA_TESTS)
endif
EXTRA_DIST += $(SCRIPT_TESTS) t/prove/Millgate.pm t/prove/run t/prove/tsan

# CHECK_FOLDERS is set by configure; empty is all.
# Two jobs at least: gateway tests wait more than they compute.
T = $(CHECK_FOLDERS)
PROVE_FLAGS = --failures --comments -j$(shell n=$$(nproc 2>/dev/null || echo 2); test $$n -gt 2 && echo $$n || echo 2)
# `prove` over the tests given that are in $(T), the compiled ones here, the
# scripts in the source; t/prove/run runs each as a program, TEST@ENGINE with that
# engine. The formatter is prove's own and ends in "N passed, N failed, N skipped".
TEST_ENVIRONMENT = MG_BUILDDIR='$(abs_top_builddir)' MG_SRCDIR='$(abs_top_srcdir)' \
	CMOCKA_MESSAGE_OUTPUT=tap PERL5LIB='$(abs_top_srcdir)/t/prove' PYTHONDONTWRITEBYTECODE=1
run_prove = \
	test -n "$(strip $(1))" || { echo "no tests of this kind"; exit 0; }; \
	test -n "$(PROVE)" || { echo "prove was not found by configure: apt-get install perl" >&2; exit 1; }; \
	set --; \
	for test in $(1); do \
		wanted=$(if $(strip $(T)),no,yes); \
		for part in $(T); do case $$test in $$part|$${part%/}/*) wanted=yes;; esac; done; \
		test $$wanted = yes || continue; \
		test -x $$test || test -x $(srcdir)/$$test || { echo "$$test: cannot be run" >&2; exit 1; }; \
		if test -x $$test; then path=./$$test; else path=$(srcdir)/$$test; fi; \
		case " $(strip $(ENGINE_TESTS)) " in \
		*" $$test "*) for engine in $(ENGINES); do set -- "$$@" $$path@$$engine; done;; \
		*) set -- "$$@" $$path;; \
		esac; \
	done; \
	test $$\# -gt 0 || { echo "no test is named $(T)" >&2; exit 1; }; \
	$(TEST_ENVIRONMENT) $(PROVE) $(PROVE_FLAGS) --formatter Millgate -e '$(srcdir)/t/prove/run' "$$@" </dev/null

check-local: all
if HAVE_CMOCKA
	@$(call run_prove,$(CMOCKA_TESTS) $(SCRIPT_TESTS))
else
	@echo "cmocka was not found by configure: apt-get install libcmocka-dev, then configure again" >&2
	@exit 1
endif

# libmilter's own races at its end are not ours.
check-tsan: all $(check_PROGRAMS)
	@TSAN_OPTIONS='suppressions=$(abs_top_srcdir)/t/prove/tsan'; export TSAN_OPTIONS; $(call run_prove,$(TSAN_TESTS))

conformance: all $(check_PROGRAMS)
	@test -d "$(SUITES)" || { echo "usage: make conformance SUITES=DIR" >&2; exit 1; }
	@SUITES='$(abspath $(SUITES))'; export SUITES; $(call run_prove,$(CONFORMANCE_TESTS))

.PHONY: check-tsan conformance
