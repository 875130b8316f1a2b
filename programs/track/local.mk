# SPDX-License-Identifier: ISC
# millgate-track. All but its main is a library: tests, fuzzers and the manual's lists use it, too.

noinst_LIBRARIES += programs/track/libmgtrack.a
programs_track_libmgtrack_a_SOURCES = \
	programs/track/join.h \
	programs/track/line.h \
	programs/track/source.h
