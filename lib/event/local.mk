# SPDX-License-Identifier: ISC

noinst_LIBRARIES += lib/event/libmgevent.a
lib_event_libmgevent_a_SOURCES =
