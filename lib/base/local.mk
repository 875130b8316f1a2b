# SPDX-License-Identifier: ISC
# A module a line.

noinst_LIBRARIES += lib/base/libmgbase.a
lib_base_libmgbase_a_SOURCES = \
	lib/base/arena.c lib/base/arena.h \
	lib/base/buf.c lib/base/buf.h \
	lib/base/clock.c lib/base/clock.h \
	lib/base/conf.h \
	lib/base/endpoint.c lib/base/endpoint.h \
	lib/base/error.c lib/base/error.h \
	lib/base/log.c lib/base/log.h \
	lib/base/metrics.c lib/base/metrics.h \
	lib/base/net.c lib/base/net.h \
	lib/base/str.c lib/base/str.h \
	lib/base/table.h
