/* SPDX-License-Identifier: ISC */
/* Asks what standard input says, a question a line: "NAME TYPE" or "NAME TYPE fresh", and prints
 * each answer as a JSON object a line. SERVER is an entry of resolver.servers, "-" for none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/dns_case.h"
#include "base/dns_live.h"
#include "base/str.h"
#include "event/json_text.h"

enum { LINE_SIZE = 1024 };

static const int64_t deadline = 600 * MG_SECOND; /* the setting ends a question before */

static int64_t now(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

static void add_record(struct mg_buf *out, const struct mg_dns_record *record)
{
	struct mg_buf text = {0};

	mg_dns_case_escape(&text, record->data, record->length);
	mg_buf_add_format(out, "[%u,", record->preference);
	mg_json_text(out, mg_buf_text(&text), text.length);
	mg_buf_add_text(out, "]");
	mg_buf_free(&text);
}

static void ask(struct mg_dns *dns, const char *name, const char *type, bool fresh)
{
	int64_t begun = now();
	const struct mg_dns_answer *answer =
		mg_dns_ask(dns, name, mg_dns_type_of(type), fresh, begun + deadline);
	struct mg_buf out = {0};

	mg_buf_add_format(&out,
		"{\"status\":\"%s\",\"secure\":%s,\"ttl\":%lld,\"ms\":%lld,\"records\":[",
		mg_dns_status_text(answer->status), answer->secure ? "true" : "false",
		(long long)(answer->ttl / MG_SECOND),
		(long long)((now() - begun) / MG_MILLISECOND));
	for (size_t i = 0; i < answer->count; i++) {
		mg_buf_add_text(&out, i > 0 ? "," : "");
		add_record(&out, &answer->records[i]);
	}
	mg_buf_add_text(&out, "]}");
	puts(mg_buf_text(&out));
	fflush(stdout);
	mg_buf_free(&out);
	mg_dns_release(dns, answer);
}

int main(int argc, char **argv)
{
	struct mg_dns_live_settings settings = {.count = 1};
	char line[LINE_SIZE];
	struct mg_error error;
	struct mg_dns *dns;

	if (argc < 3) {
		fprintf(stderr, "usage: resolve SERVER MILLISECONDS [TRUST-ANCHOR]\n");
		return EXIT_FAILURE;
	}
	settings.servers = (const char *const *)&argv[1];
	settings.count = strcmp(argv[1], "-") != 0;
	settings.timeout = atoll(argv[2]) * MG_MILLISECOND;
	settings.dnssec = argc > 3;
	settings.trust_anchor = argv[3];
	dns = mg_dns_live(&settings, &error);
	if (dns == NULL) {
		fprintf(stderr, "resolve: %s\n", error.text);
		return EXIT_FAILURE;
	}
	while (fgets(line, sizeof line, stdin) != NULL) {
		char *rest = line, *name, *type;

		line[strcspn(line, "\n")] = '\0';
		name = strsep(&rest, " ");
		type = strsep(&rest, " ");
		ask(dns, name, type != NULL ? type : "", rest != NULL);
	}
	mg_dns_close(dns);
	return EXIT_SUCCESS;
}
