# SPDX-License-Identifier: ISC
# Mail through a real, private Postfix (root only; else they are skipped).

SCRIPT_TESTS += t/gateway/harness.t t/gateway/log.t t/gateway/kill.t t/gateway/reload.t t/gateway/restart.t \
	t/gateway/fulldisk.t t/gateway/hold.t t/gateway/local.t t/gateway/chain.t t/gateway/demo.t t/gateway/manual.t t/gateway/longlines.t \
	t/gateway/auth.t t/gateway/key.t t/gateway/stuck.t t/gateway/verify.t t/gateway/told.t t/gateway/trace.t
ENGINE_TESTS += t/gateway/log.t t/gateway/kill.t t/gateway/reload.t t/gateway/restart.t \
	t/gateway/fulldisk.t t/gateway/hold.t t/gateway/local.t t/gateway/chain.t

# millgate-track has no engine.
SCRIPT_TESTS += t/gateway/track_life.t

DKIM_TESTS = t/gateway/dkim.t t/gateway/dkim_who.t t/gateway/dkim_keys.t t/gateway/dkim_life.t
SCRIPT_TESTS += $(DKIM_TESTS)
ENGINE_TESTS += $(DKIM_TESTS)

# Lines of Postfix's log, read.
SCRIPT_TESTS += t/gateway/lines.t
check_PROGRAMS += t/gateway/read_lines
t_gateway_read_lines_SOURCES = t/gateway/read_lines.c t/unit/line_fields.c t/unit/line_fields.h
t_gateway_read_lines_LDADD = $(TRACK_LDADD)

SCRIPT_TESTS += t/gateway/dns.t
check_PROGRAMS += t/gateway/resolve
t_gateway_resolve_SOURCES = t/gateway/resolve.c

check_PROGRAMS += t/gateway/write_events
t_gateway_write_events_SOURCES = t/gateway/write_events.c

check_PROGRAMS += t/gateway/opendkim_verify
t_gateway_opendkim_verify_SOURCES = t/gateway/opendkim_verify.c
t_gateway_opendkim_verify_LDADD = $(OPENDKIM_LIBS)

EXTRA_DIST += t/gateway/ecs-8.11.csv t/gateway/harness/__init__.py t/gateway/harness/children.py \
	t/gateway/harness/command.py t/gateway/harness/dns.py t/gateway/harness/events.py \
	t/gateway/harness/foreign.py t/gateway/harness/gateway.py t/gateway/harness/letters.py \
	t/gateway/harness/lines.py t/gateway/harness/mail.py t/gateway/harness/milter.py \
	t/gateway/harness/openssl.py t/gateway/harness/postfix.py t/gateway/harness/postfix_log.py \
	t/gateway/harness/signatures.py t/gateway/harness/signing.py t/gateway/harness/sink.py \
	t/gateway/harness/tap.py t/gateway/harness/told.py t/gateway/harness/track.py t/gateway/harness/traffic.py \
	t/gateway/harness/wait.py

SCRIPT_TESTS += t/gateway/track.t
