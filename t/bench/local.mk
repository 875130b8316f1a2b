# SPDX-License-Identifier: ISC
# What Millgate costs, beside what else there is: t/bench/run.
#
#   make bench                    every bench
#   make bench BENCH=floor        one
#
# A bench is t/bench/NAME.py; its programs are built for it only.

BENCH_TOOLS = t/bench/millgate-nothing t/bench/load t/bench/bare t/bench/plain t/bench/sign_bare \
	t/bench/canon t/bench/eventlogs t/bench/lines t/bench/mime
EXTRA_PROGRAMS += $(BENCH_TOOLS)
t_bench_millgate_nothing_SOURCES = t/bench/nothing.c
t_bench_load_SOURCES = t/bench/load.c
t_bench_bare_SOURCES = t/bench/bare.c
t_bench_plain_SOURCES = t/bench/plain.c
t_bench_eventlogs_SOURCES = t/bench/eventlogs.c
t_bench_lines_SOURCES = t/bench/lines.c
t_bench_lines_LDADD = programs/track/libmgtrack.a $(LDADD)
t_bench_canon_SOURCES = t/bench/canon.c
t_bench_mime_SOURCES = t/bench/mime.c t/bench/mime_messages.c t/bench/mime_messages.h
if HAVE_GMIME
t_bench_mime_CFLAGS = $(AM_CFLAGS) -DWITH_GMIME $(GMIME_CFLAGS)
t_bench_mime_LDADD = $(LDADD) $(GMIME_LIBS)
endif
t_bench_sign_bare_SOURCES = t/bench/sign_bare.c
CLEANFILES += $(BENCH_TOOLS) bench.json

EXTRA_DIST += t/bench/run t/bench/frame.py t/bench/machine.py t/bench/peers.py t/bench/floor.py \
	t/bench/sign.py t/bench/trace.py t/bench/track.py t/bench/mime.py t/bench/peers

bench: all $(BENCH_TOOLS)
	@$(TEST_ENVIRONMENT) $(srcdir)/t/bench/run $(BENCH)

.PHONY: bench
