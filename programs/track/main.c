/* SPDX-License-Identifier: ISC */
#include "run/service.h"
#include "track/track.h"

int main(int argc, char **argv)
{
	return mg_service(&track_service, argc, argv);
}
