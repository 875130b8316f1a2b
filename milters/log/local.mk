# SPDX-License-Identifier: ISC
# The filter is a library of its own: the manual's lists and tests use it, too.

noinst_LIBRARIES += milters/log/libmglog.a
milters_log_libmglog_a_SOURCES = milters/log/log.c milters/log/log.h

sbin_PROGRAMS += millgate-log
millgate_log_SOURCES = milters/log/main.c
millgate_log_LDADD = milters/log/libmglog.a $(LDADD)
