/* SPDX-License-Identifier: ISC */
/* mta_model: what a message becomes by the edits of a filter, as Postfix 3.7 carries them out: its
 * own Received field stands on top and is hidden from filters, insertions count it, changes do not;
 * a deletion is done at once, so the occurrences behind it move up; a value goes in as it is when
 * HDR_LEADSPC was negotiated, else with a blank before it. */
#ifndef T_MILTER_MTA_MODEL_H
#define T_MILTER_MTA_MODEL_H
#include <stdbool.h>
#include <stddef.h>

#include "driver.h"

struct mta_model;

/* The message of the letter as it stands before any edit. leading_space: HDR_LEADSPC. */
struct mta_model *mta_model_new(const struct letter *letter, bool leading_space);
void mta_model_free(struct mta_model *model);

/* Carries out the edits, in order. */
void mta_model_apply(struct mta_model *model, const struct mg_client_edit *edits, size_t count);

/* The header block, "Name:value\n" a field, folds as LF; own Received is "Received: own\n". Valid
 * until the next call. */
const char *mta_model_header(struct mta_model *model);
/* The body, CRLF line ends. */
const char *mta_model_body(const struct mta_model *model);
/* Envelope: addresses without <>; the recipients joined by ",". */
const char *mta_model_sender(const struct mta_model *model);
const char *mta_model_recipients(struct mta_model *model);
/* Why the message is held: the reason of a quarantine, or "millgate CODE" by the field
 * X-Millgate-Hold that a filter inserted (hold.regexp in milter_header_checks); "" it is not. */
const char *mta_model_held(const struct mta_model *model);
#endif
