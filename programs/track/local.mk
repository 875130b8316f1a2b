# SPDX-License-Identifier: ISC
# millgate-track. All but its main is a library: tests, fuzzers and the manual's lists use it, too.

noinst_LIBRARIES += programs/track/libmgtrack.a
programs_track_libmgtrack_a_SOURCES = \
	programs/track/client.c programs/track/client.h \
	programs/track/due.c \
	programs/track/filters.c \
	programs/track/follow.c programs/track/follow.h \
	programs/track/follow_change.c \
	programs/track/follow_private.h \
	programs/track/generation.c programs/track/generation.h \
	programs/track/join.c programs/track/join.h \
	programs/track/join_private.h \
	programs/track/line.c programs/track/line.h \
	programs/track/line_cursor.c programs/track/line_cursor.h \
	programs/track/line_delivery.c \
	programs/track/line_parts.c \
	programs/track/line_pattern.c \
	programs/track/line_private.h \
	programs/track/line_queue.c \
	programs/track/line_screen.c \
	programs/track/line_silent.c \
	programs/track/line_smtpd.c \
	programs/track/line_tls.c \
	programs/track/links.c \
	programs/track/logs.c programs/track/logs.h \
	programs/track/message.c programs/track/message.h \
	programs/track/output.c programs/track/output.h \
	programs/track/pack.c programs/track/pack.h \
	programs/track/place.c programs/track/place.h \
	programs/track/postqueue.c programs/track/postqueue.h \
	programs/track/queue.c \
	programs/track/recipient.c \
	programs/track/refuse.c \
	programs/track/report.c \
	programs/track/session.c programs/track/session.h \
	programs/track/settings.c programs/track/settings.h \
	programs/track/source.c programs/track/source.h \
	programs/track/source_file.c programs/track/source_file.h \
	programs/track/source_journal.c programs/track/source_journal.h \
	programs/track/source_private.h \
	programs/track/stages.c \
	programs/track/stamp.c programs/track/stamp.h \
	programs/track/stream.c programs/track/stream.h \
	programs/track/track.c programs/track/track.h \
	programs/track/trail.c programs/track/trail.h \
	programs/track/trail_private.h \
	programs/track/trail_turn.c \
	programs/track/watch.c programs/track/watch.h \
	programs/track/written.c programs/track/written.h

sbin_PROGRAMS += millgate-track
millgate_track_SOURCES = programs/track/main.c
millgate_track_LDADD = $(TRACK_LDADD)
