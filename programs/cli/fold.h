/* SPDX-License-Identifier: ISC */
/* fold: what a remote server replied, without what differs from mail to mail, so that the same
 * replies are counted together: names, addresses and ids become "…", numbers "#". */
#ifndef MG_CLI_FOLD_H
#define MG_CLI_FOLD_H
#include <stddef.h>

/* The reply code and the status at its begin stay. Into target (size bytes; a folded text may be a
 * little longer than the text: it is cut), ended by NUL; returns target. */
char *cli_fold(char *target, size_t size, const char *text);
#endif
