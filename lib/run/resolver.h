/* SPDX-License-Identifier: ISC */
/* resolver: the section `resolver` of common.conf. */
#ifndef MG_RUN_RESOLVER_H
#define MG_RUN_RESOLVER_H
#include "base/conf.h"
#include "base/dns.h"
#include "base/error.h"

/* The settings in the section. */
extern const struct mg_option mg_resolver_options[];

/* The resolver that a configuration with the section `resolver` asks for: the one that is there,
 * where another configuration of this process asks for the same. One use is the caller's. NULL with
 * errors. */
struct mg_dns *mg_resolver_new(const struct mg_conf *conf, struct mg_errors *errors);
#endif
