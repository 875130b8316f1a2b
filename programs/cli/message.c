/* SPDX-License-Identifier: ISC */
#include "cli/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

enum { BLOCK = 64 * 1024 };
static const size_t most = (size_t)1 << 30; /* bytes: no MTA takes more */

static enum cli_exit read_all(
	const struct cli_call *call, const char *path, FILE *file, struct mg_buf *text)
{
	char block[BLOCK];
	size_t length;

	mg_buf_init(text, most);
	while ((length = fread(block, 1, sizeof(block), file)) > 0 && !text->failed)
		mg_buf_add(text, block, length);
	if (ferror(file))
		return (enum cli_exit)cli_fail(call, CLI_FAILED, "%s: %s", path, strerror(errno));
	if (text->failed)
		return (enum cli_exit)cli_fail(
			call, CLI_NO_MESSAGE, "%s: over 1 GiB, or out of memory", path);
	return CLI_GOOD;
}

enum cli_exit cli_message_read(
	const struct cli_call *call, const char *path, struct mg_letter *letter)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "re");
	struct mg_buf text = {.limit = 0};
	enum cli_exit status;
	struct mg_error error;

	*letter = (struct mg_letter){.count = 0};
	if (file == NULL)
		return (enum cli_exit)cli_fail(call, errno == EACCES ? CLI_DENIED : CLI_NO_FILE,
			"%s: %s", path, strerror(errno));
	status = read_all(call, path, file, &text);
	if (status == CLI_GOOD && !mg_letter_read(letter, mg_buf_text(&text), text.length, &error))
		status = (enum cli_exit)cli_fail(call, CLI_NO_MESSAGE, "%s: %s", path, error.text);
	mg_buf_free(&text);
	if (!standard)
		fclose(file);
	return status;
}
