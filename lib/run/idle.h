/* SPDX-License-Identifier: ISC */
/* idle: threads whose connection ended wait a little for the next one, for making a thread costs
 * more than a message. The last to come is the first to go on, so that those too many end: 32 wait
 * at most, 2 s each. One mutex guards who waits. */
#ifndef MG_RUN_IDLE_H
#define MG_RUN_IDLE_H
#include <stdbool.h>

/* Waits for a descriptor; -1 when none came, or too many wait already: the thread ends. */
int mg_idle_wait(void);
/* Gives a descriptor to a thread that waits; false when none does. */
bool mg_idle_give(int fd);
#endif
