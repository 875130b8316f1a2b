/* SPDX-License-Identifier: ISC */
/* plain SOCKET BYTES: the least that a filter on libmilter costs which sees a whole message and
 * adds a field of BYTES to it: no step but the end of message is answered, and those that it does
 * not need are not sent. Nothing of Millgate is in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmilter/mfapi.h>

enum { FIELD_MAX = 4096, LINE = 70 };

static char field[FIELD_MAX];

/* MAIL, RCPT, header and body are taken without an answer; the rest is declined. */
static sfsistat negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
	unsigned long unused_2, unsigned long unused_3, unsigned long *wanted_actions,
	unsigned long *wanted_steps, unsigned long *zero_2, unsigned long *zero_3)
{
	const unsigned long declined =
		SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN;
	const unsigned long silent =
		SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY;

	(void)context, (void)unused_2, (void)unused_3;
	*wanted_actions = actions & SMFIF_ADDHDRS;
	*wanted_steps = steps & (declined | silent | SMFIP_HDR_LEADSPC);
	*zero_2 = *zero_3 = 0;
	return SMFIS_CONTINUE;
}

static sfsistat take_envelope(SMFICTX *context, char **arguments)
{
	(void)context, (void)arguments;
	return SMFIS_NOREPLY;
}

static sfsistat take_field(SMFICTX *context, char *name, char *value)
{
	(void)context, (void)name, (void)value;
	return SMFIS_NOREPLY;
}

static sfsistat take_end_of_header(SMFICTX *context)
{
	(void)context;
	return SMFIS_NOREPLY;
}

static sfsistat take_body(SMFICTX *context, unsigned char *chunk, size_t length)
{
	(void)context, (void)chunk, (void)length;
	return SMFIS_NOREPLY;
}

static sfsistat add_field(SMFICTX *context)
{
	char name[] = "X-Plain";

	return smfi_insheader(context, 1, name, field) == MI_SUCCESS ? SMFIS_CONTINUE
								     : SMFIS_TEMPFAIL;
}

int main(int argc, char **argv)
{
	char name[] = "plain";
	struct smfiDesc description = {.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS,
		.xxfi_envfrom = take_envelope,
		.xxfi_envrcpt = take_envelope,
		.xxfi_header = take_field,
		.xxfi_eoh = take_end_of_header,
		.xxfi_body = take_body,
		.xxfi_eom = add_field,
		.xxfi_negotiate = negotiate};
	size_t bytes = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	if (bytes == 0 || bytes >= FIELD_MAX) {
		fputs("usage: plain SOCKET BYTES\n", stderr);
		return 64;
	}
	for (size_t i = 0; i < bytes; i++)
		field[i] = i == 0 ? ' ' : i % LINE == 0 ? '\n' : i % LINE == 1 ? '\t' : 'x';
	if (bytes % LINE <= 1)
		field[bytes - 1] = field[bytes - 2] = 'x';
	if (smfi_setconn(argv[1]) == MI_FAILURE || smfi_register(description) == MI_FAILURE ||
		smfi_opensocket(0) == MI_FAILURE) {
		fprintf(stderr, "plain: %s: cannot listen\n", argv[1]);
		return 69;
	}
	puts("listening");
	fflush(stdout);
	return smfi_main() == MI_SUCCESS ? 0 : 69;
}
