# SPDX-License-Identifier: ISC
# A module a line.

noinst_LIBRARIES += lib/event/libmgevent.a
lib_event_libmgevent_a_SOURCES = \
	lib/event/chain.c lib/event/chain.h \
	lib/event/cursor.c lib/event/cursor.h \
	lib/event/document.c lib/event/document.h \
	lib/event/event.c lib/event/event.h \
	lib/event/field.h \
	lib/event/index.c lib/event/index.h \
	lib/event/index_file.c lib/event/index_file.h \
	lib/event/json_text.c lib/event/json_text.h \
	lib/event/keys.c lib/event/keys.h \
	lib/event/lines.c lib/event/lines.h \
	lib/event/logs.c lib/event/logs.h \
	lib/event/lookup.c lib/event/lookup.h \
	lib/event/reading.c lib/event/reading.h \
	lib/event/redact.c lib/event/redact.h \
	lib/event/segment.c lib/event/segment.h \
	lib/event/settings.c lib/event/settings.h \
	lib/event/spool.c lib/event/spool.h \
	lib/event/spool_read.c lib/event/spool_read.h \
	lib/event/spool_start.c lib/event/spool_start.h \
	lib/event/spool_trim.c lib/event/spool_trim.h \
	lib/event/spool_writer.c lib/event/spool_writer.h
