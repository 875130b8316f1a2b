# SPDX-License-Identifier: ISC
# A module a line.

noinst_LIBRARIES += lib/run/libmgrun.a
lib_run_libmgrun_a_SOURCES = \
	lib/run/block.c lib/run/block.h \
	lib/run/chain.c lib/run/chain.h \
	lib/run/client.c lib/run/client.h \
	lib/run/client_message.c \
	lib/run/client_reply.c lib/run/client_reply.h \
	lib/run/command_line.c lib/run/command_line.h \
	lib/run/connections.c lib/run/connections.h \
	lib/run/content.c \
	lib/run/cut.c lib/run/cut.h \
	lib/run/daemon.c lib/run/daemon.h \
	lib/run/edits.c \
	lib/run/front.h \
	lib/run/front_libmilter.c lib/run/front_libmilter.h \
	lib/run/front_native.c lib/run/front_native.h \
	lib/run/host.c lib/run/host.h \
	lib/run/idle.c lib/run/idle.h \
	lib/run/judge_case.c lib/run/judge_case.h \
	lib/run/link.c lib/run/link.h \
	lib/run/native_connection.c lib/run/native_connection.h \
	lib/run/negotiate.c lib/run/negotiate.h \
	lib/run/notify.c lib/run/notify.h \
	lib/run/offline.c lib/run/offline.h \
	lib/run/order.c lib/run/order.h \
	lib/run/process.c lib/run/process.h \
	lib/run/reply.c lib/run/reply.h \
	lib/run/resolver.c lib/run/resolver.h \
	lib/run/serve.c lib/run/serve.h \
	lib/run/service.c lib/run/service.h \
	lib/run/session.c lib/run/session.h lib/run/session_private.h \
	lib/run/settings.c lib/run/settings.h \
	lib/run/snapshot.c lib/run/snapshot.h \
	lib/run/told_macros.c lib/run/told_macros.h \
	lib/run/verdict.c \
	lib/run/watchdog.c lib/run/watchdog.h \
	lib/run/wire.c lib/run/wire.h
