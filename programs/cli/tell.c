/* SPDX-License-Identifier: ISC */
#include "cli/tell.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/screen.h"
#include "cli/wrap.h"

void cli_tell_quote(struct mg_buf *out, const char *text)
{
	char quoted[CLI_QUOTED_MAX];

	mg_buf_add_text(out, cli_screen_quoted(quoted, text, strlen(text)));
}

void cli_tell_plain(struct mg_buf *out, const char *text)
{
	char printable[1024];

	mg_buf_add_text(out, mg_str_printable(printable, sizeof(printable), text, strlen(text)));
}

void cli_tell_size(struct mg_buf *out, int64_t bytes)
{
	static const char *const units[] = {"bytes", "KB", "MB", "GB"};
	double size = (double)bytes;
	size_t unit = 0;

	for (; size >= 1000 && unit < 3; unit++)
		size /= 1024;
	if (unit == 0)
		mg_buf_add_format(out, "%" PRId64 CLI_WRAP_BLANK "%s", bytes,
			bytes == 1 ? "byte" : units[unit]);
	else
		mg_buf_add_format(out,
			size < 100 && size != (double)(int64_t)size ? "%.1f" CLI_WRAP_BLANK "%s"
								    : "%.0f" CLI_WRAP_BLANK "%s",
			size, units[unit]);
}

void cli_tell_code(struct mg_buf *out, const struct mg_reading *event)
{
	const char *code = mg_reading_text(event, "event.code");
	const char *id = mg_reading_text(event, "event.id");
	size_t length = strlen(id);

	if (code[0] == '\0')
		return;
	mg_buf_add_text(out, " [");
	cli_tell_plain(out, code);
	mg_buf_add_text(out, CLI_WRAP_BLANK);
	cli_tell_plain(out, id + (length > 8 ? length - 8 : 0));
	mg_buf_add_char(out, ']');
}

void cli_tell_host(struct mg_buf *out, const struct mg_reading *event)
{
	const char *domain = mg_reading_text(event, "destination.domain");
	const char *ip = mg_reading_text(event, "destination.ip");

	cli_tell_plain(out, domain[0] != '\0' || ip[0] != '\0'
				    ? domain
				    : mg_reading_text(event, "destination.address"));
	if (ip[0] != '\0')
		mg_buf_add_format(out, domain[0] != '\0' ? "[%s]" : "%s", ip);
}

void cli_tell_reply(struct mg_buf *out, const struct mg_reading *event, const char *prefix)
{
	char name[64], number[24] = "";
	struct mg_buf reply = {0};
	const char *enhanced, *text;
	int64_t code;

	mg_str_format(name, sizeof(name), "%s.code", prefix);
	if (mg_reading_number(event, name, &code))
		mg_str_format(number, sizeof(number), "%" PRId64, code);
	mg_str_format(name, sizeof(name), "%s.enhanced_code", prefix);
	enhanced = mg_reading_text(event, name);
	mg_str_format(name, sizeof(name), "%s.text", prefix);
	text = mg_reading_text(event, name);
	/* A remote reply begins with its codes; of one of Postfix they are apart. */
	if (number[0] != '\0' && strncmp(text, number, strlen(number)) != 0)
		mg_buf_add_format(&reply, "%s ", number);
	if (enhanced[0] != '\0' && strstr(text, enhanced) == NULL)
		mg_buf_add_format(&reply, "%s ", enhanced);
	mg_buf_add_text(&reply, text);
	if (reply.length > 0)
		cli_tell_quote(out, mg_buf_text(&reply));
	mg_buf_free(&reply);
}

void cli_tell_clock(const struct cli_call *call, struct mg_buf *out, int64_t utc, bool milliseconds)
{
	struct tm parts;

	cli_screen_break_down(call, (time_t)(utc / MG_SECOND), &parts);
	mg_buf_add_format(out, "%02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec);
	if (milliseconds)
		mg_buf_add_format(out, ".%03d", (int)(utc % MG_SECOND / MG_MILLISECOND));
}
