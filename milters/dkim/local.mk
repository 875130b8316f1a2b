# SPDX-License-Identifier: ISC
# The filter is a library of its own: millgate-chain, the manual's lists and tests use it, too.

noinst_LIBRARIES += milters/dkim/libmgdkim.a
milters_dkim_libmgdkim_a_SOURCES = \
	milters/dkim/author.c milters/dkim/author.h \
	milters/dkim/dkim.c milters/dkim/dkim.h \
	milters/dkim/fragile.c milters/dkim/fragile.h \
	milters/dkim/key_ask.c milters/dkim/key_ask.h \
	milters/dkim/key_choice.c milters/dkim/key_choice.h \
	milters/dkim/key_notice.c milters/dkim/key_notice.h \
	milters/dkim/key_store.c milters/dkim/key_store.h \
	milters/dkim/key_tell.c milters/dkim/key_tell.h \
	milters/dkim/key_watch.c milters/dkim/key_watch.h \
	milters/dkim/keys.c milters/dkim/keys.h \
	milters/dkim/long_lines.c milters/dkim/long_lines.h \
	milters/dkim/own.c milters/dkim/own.h \
	milters/dkim/publish.c milters/dkim/publish.h \
	milters/dkim/report.c milters/dkim/report.h \
	milters/dkim/settings.c milters/dkim/settings.h \
	milters/dkim/signing.c milters/dkim/signing.h

sbin_PROGRAMS += millgate-dkim
millgate_dkim_SOURCES = milters/dkim/main.c
millgate_dkim_LDADD = milters/dkim/libmgdkim.a $(LDADD)
