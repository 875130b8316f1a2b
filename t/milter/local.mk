# SPDX-License-Identifier: ISC

# The filter of the tests; t/gateway uses it, too.
check_PROGRAMS += t/milter/millgate-probe
t_milter_millgate_probe_SOURCES = t/milter/probe_main.c t/milter/probe.c t/milter/probe.h

check_PROGRAMS += t/milter/millgate-probe-chain
t_milter_millgate_probe_chain_SOURCES = t/milter/probe_chain.c t/milter/probe.c t/milter/probe.h
t_milter_millgate_probe_chain_LDADD = milters/dkim/libmgdkim.a milters/log/libmglog.a $(LDADD)

# The tests drive millgate-log and millgate-probe through the client of lib/run.
MILTER_DRIVER = t/milter/driver.c t/milter/driver.h t/milter/letter.c \
	t/milter/mta_model.c t/milter/mta_model.h

CMOCKA_TESTS += t/milter/steps.t
t_milter_steps_t_SOURCES = t/milter/steps.c $(MILTER_DRIVER)
t_milter_steps_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/split.t
t_milter_split_t_SOURCES = t/milter/split.c $(MILTER_DRIVER)
t_milter_split_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/ugly.t
t_milter_ugly_t_SOURCES = t/milter/ugly.c $(MILTER_DRIVER)
t_milter_ugly_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/strangers.t
t_milter_strangers_t_SOURCES = t/milter/strangers.c $(MILTER_DRIVER)
t_milter_strangers_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/verdicts.t
t_milter_verdicts_t_SOURCES = t/milter/verdicts.c $(MILTER_DRIVER)
t_milter_verdicts_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/edits.t
t_milter_edits_t_SOURCES = t/milter/edits.c $(MILTER_DRIVER)
t_milter_edits_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/local_mail.t
t_milter_local_mail_t_SOURCES = t/milter/local_mail.c $(MILTER_DRIVER)
t_milter_local_mail_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/failures.t
t_milter_failures_t_SOURCES = t/milter/failures.c $(MILTER_DRIVER)
t_milter_failures_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/life.t
t_milter_life_t_SOURCES = t/milter/life.c $(MILTER_DRIVER)
t_milter_life_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/watchdog.t
t_milter_watchdog_t_SOURCES = t/milter/watchdog.c $(MILTER_DRIVER)
t_milter_watchdog_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/differential.t
t_milter_differential_t_SOURCES = t/milter/differential.c t/milter/streams.c t/milter/streams.h \
	$(MILTER_DRIVER)
t_milter_differential_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/native.t
t_milter_native_t_SOURCES = t/milter/native.c $(MILTER_DRIVER)
t_milter_native_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

MILTER_ENGINE_TESTS = t/milter/steps.t t/milter/split.t t/milter/ugly.t t/milter/strangers.t \
	t/milter/verdicts.t t/milter/edits.t t/milter/local_mail.t t/milter/failures.t \
	t/milter/life.t t/milter/watchdog.t
ENGINE_TESTS += $(MILTER_ENGINE_TESTS)
TSAN_TESTS += $(MILTER_ENGINE_TESTS)

# The command line --judge.
SCRIPT_TESTS += t/milter/judge.t t/milter/record.t t/milter/dkim_judge.t

# millgate-dkim; libopendkim verifies what it signs.
DKIM_DRIVER = t/milter/signed.c t/milter/signed.h t/unit/key_place.c t/unit/key_place.h $(MILTER_DRIVER)

CMOCKA_TESTS += t/milter/dkim.t
t_milter_dkim_t_SOURCES = t/milter/dkim.c $(DKIM_DRIVER)
t_milter_dkim_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/dkim_lines.t
t_milter_dkim_lines_t_SOURCES = t/milter/dkim_lines.c $(DKIM_DRIVER)
t_milter_dkim_lines_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/milter/dkim_ugly.t
t_milter_dkim_ugly_t_SOURCES = t/milter/dkim_ugly.c $(DKIM_DRIVER)
t_milter_dkim_ugly_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

DKIM_ENGINE_TESTS = t/milter/dkim.t t/milter/dkim_lines.t t/milter/dkim_ugly.t
ENGINE_TESTS += $(DKIM_ENGINE_TESTS)
TSAN_TESTS += $(DKIM_ENGINE_TESTS)
