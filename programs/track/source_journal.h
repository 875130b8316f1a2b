/* SPDX-License-Identifier: ISC */
/* source_journal: the journal of systemd as a source. Hides libsystemd. */
#ifndef MG_TRACK_SOURCE_JOURNAL_H
#define MG_TRACK_SOURCE_JOURNAL_H
#include "track/source_private.h"

extern const struct track_source_kind track_source_journal;
#endif
