# SPDX-License-Identifier: ISC
# The filter is a library of its own: the manual's lists and tests use it, too.

noinst_LIBRARIES += milters/log/libmglog.a
milters_log_libmglog_a_SOURCES = \
	milters/log/attachments.c milters/log/attachments.h \
	milters/log/auth.c milters/log/auth.h \
	milters/log/content.c milters/log/content.h \
	milters/log/header.c milters/log/header.h \
	milters/log/hosts.c milters/log/hosts.h \
	milters/log/json.c milters/log/json.h \
	milters/log/log.c milters/log/log.h \
	milters/log/references.c milters/log/references.h \
	milters/log/settings.c milters/log/settings.h \
	milters/log/tags.c milters/log/tags.h \
	milters/log/urls.c milters/log/urls.h

sbin_PROGRAMS += millgate-log
millgate_log_SOURCES = milters/log/main.c
millgate_log_LDADD = milters/log/libmglog.a $(LDADD)
