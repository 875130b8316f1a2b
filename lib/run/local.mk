# SPDX-License-Identifier: ISC

noinst_LIBRARIES += lib/run/libmgrun.a
lib_run_libmgrun_a_SOURCES = \
	lib/run/client.c lib/run/client.h lib/run/client_message.c \
	lib/run/client_reply.c lib/run/client_reply.h \
	lib/run/link.c lib/run/link.h \
	lib/run/wire.c lib/run/wire.h
