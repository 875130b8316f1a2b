/* SPDX-License-Identifier: ISC */
/* store_memory: "memory:", a store of this process alone, gone when it is closed. Trees that are
 * never changed but copied along the path to what is put or deleted: a view keeps the trees it began
 * with, and a change that is not kept drops its own. */
#ifndef MG_BASE_STORE_MEMORY_H
#define MG_BASE_STORE_MEMORY_H
#include "base/store_private.h"

extern const struct mg_store_kind mg_store_memory;
#endif
