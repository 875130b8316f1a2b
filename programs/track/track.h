/* SPDX-License-Identifier: ISC */
/* track: millgate-track as a service: settings (settings) and work (follow). */
#ifndef MG_TRACK_TRACK_H
#define MG_TRACK_TRACK_H
#include "run/service.h"

extern const struct mg_service track_service;
#endif
