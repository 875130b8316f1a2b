/* SPDX-License-Identifier: ISC */
/* The configuration as it is installed, whole: what the language has to take, in each form it is
 * written in: settings in a row, comments in between, sections in sections. The tables here are
 * stand-ins for those of the programs. */
#include "base/conf_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf_case.h"

static const char common_conf[] =
	"internal_networks = { \"127.0.0.0/8\", \"::1\" }  # their mail is outbound, signed\n"
	"trusted_relays = { }        # own front MX or filter: inbound though internal\n"
	"outbound_daemons = { \"ORIGINATING\" }      # milter_macro_daemon_name\n"
	"reinject = { }              # listeners, \"127.0.0.1:10025\": a filter gives back\n"
	"engine = \"native\"           # or \"libmilter\"\n"
	"gateway = \"\"                # \"\" = the host name; goes into trace.id\n"
	"authserv_id = \"\"            # \"\" = gateway; the same on all your gateways\n"
	"on_error  = \"tempfail\"      # tempfail|accept|reject: can't judge it now\n"
	"on_bound  = \"reject\"        # reject|accept|hold: over a bound, for good\n"
	"hold = \"quarantine\"         # or \"header\", once attach has set Postfix up\n"
	"dry_run   = no              # decide and log, change nothing\n"
	"message_timeout = \"20s\"  stop_timeout = \"25s\"\n"
	"bounds { headers = 1000  recipients = 50000  message_memory = \"1M\"  memory = \"1G\" }\n"
	"events {\n"
	"    directory = \"/var/log/millgate\"   durable = no     # yes: fsync before reply\n"
	"    segment = \"64M\"  keep = \"10G\"  keep_age = \"90d\"    # whichever comes first\n"
	"    hard_limit = \"20G\"               # what a sink has not had is kept up to here\n"
	"    redact { subject = \"clear\"  recipients = \"clear\"  senders = \"clear\"\n"
	"             names = \"clear\"  client = \"clear\"          # clear|hmac|mask|drop\n"
	"             key = \"file:/etc/millgate/redact.key\" }    # of hmac, DLP's too\n"
	"}\n"
	"resolver { servers = { }  timeout = \"5s\"  dnssec = no }   # { }: resolv.conf;\n"
	"    # { \"recursive\" }: from the root; dnssec only if the resolver passes it on\n"
	"# tenant \"acme\" { users = { \"acme-*\" } networks = { } sender_domains = { } }\n"
	"# sender \"crm\" { users = { \"crm\" } networks = { } every = \"1d\" }   # doctor\n";

static const char policy_conf[] =
	"include(\"/etc/millgate/common.conf\")                  # so do all the others\n"
	"socket = \"unix:/var/spool/postfix/millgate/policy.sock\"   # or \"inet:PORT@HOST\"\n"
	"store = \"lmdb:/var/lib/millgate/policy\"   # or \"redis://HOST:6379\"\n"
	"on_store_error = \"local\"                  # local | accept | defer\n"
	"authenticate {\n"
	"    spf = yes  dkim = yes  dmarc = \"report\"   # off|report|enforce (in a week)\n"
	"    on_quarantine = \"hold\"  on_reject = \"reject\"   # when dmarc = \"enforce\"\n"
	"    signatures = 8  received_spf = no  trusted_forwarders = { }\n"
	"    trusted_sealers = { }                     # of ARC chains\n"
	"}\n"
	"allow_redirect = no  allow_discard = no       # rules; likewise in dlp.conf\n"
	"limit \"per user\" {      # log: an app that has no queue loses what is deferred\n"
	"    key = { \"user\" }  rate = \"200/h\"  burst = 50  count = \"recipients\"\n"
	"    warn_at = 80  action = \"log\"           # per cent; log|tag|defer|hold|reject\n"
	"    match { direction = \"outbound\" }\n"
	"}\n"
	"limit \"per client\" { key = { \"client\" }  rate = \"600/h\"  burst = 100\n"
	"    action = \"log\"  match { direction = \"inbound\" } }   # count = \"messages\"\n"
	"suppress { action = \"log\"  hard_bounces = 1  for = \"30d\"   # log | reject; only\n"
	"    status = { \"5.1.1\", \"5.1.6\", \"5.1.10\", \"5.2.1\" } }     # \"no such mailbox\"\n"
	"pause { bounces = 5  of = 100  in = \"1d\"  action = \"log\" }  # per cent, of mails\n"
	"# rule \"partners use TLS\" { code = \"partners-use-tls\"  action = \"reject\"\n"
	"#     reply = \"550 5.7.10 Encryption required\"              # %{sender_domain}\n"
	"#     match { direction = \"inbound\"  tls = no\n"
	"#             sender_domain = { \"file:/etc/millgate/partners\", \"*.example.org\" }\n"
	"#             not { client = { \"192.0.2.0/24\" } }\n"
	"#             any { size = \"> 20M\"  header = { 'X-Bulk: regex:^yes' } } } }\n"
	"# All of match hold; any { }: one of them; not { }: none. FACT = value or list,\n"
	"# true if one entry fits: text, glob, CIDR, \"> N\", 'regex:...', or a table\n"
	"# (file: cidr: lmdb: redis:). The same match in sign, limits and DLP policies.\n";

static const char dkim_conf[] =
	"keys = \"/etc/millgate/keys\"   # DOMAIN/SELECTOR.pem, 640 root:millgate\n"
	"subdomains = yes              # also sign subdomains that have no key\n"
	"minimum_bits = 2048           # RSA\n"
	"check_dns = \"10m\"             # how often a key that waits is looked up\n"
	"unsigned = \"send\"             # send | tempfail: its key is refused or gone\n"
	"line_limit = 998              # Postfix's smtp_line_length_limit\n"
	"long_lines = \"cut\"            # cut | sign | skip: hash as Postfix will cut them\n"
	"fragile = \"sign\"              # sign | skip | tempfail\n"
	"verify_before_send = \"off\"    # off | log | tempfail: the key in DNS is ours?\n"
	"sign {\n"
	"    canonicalization = \"relaxed/relaxed\"  headers = { } # RFC 6376 and List-*\n"
	"    oversign = { \"From\", \"Subject\", \"Date\", \"To\" }  # all but From if present\n"
	"    by = \"author\"  also = \"\"  # author | sender; a second, platform signature\n"
	"    expire = \"0s\"             # x=; 0s none, for mail may be held for days\n"
	"    selectors = { }           # pin; { } = the newest seen in DNS\n"
	"}\n";

static const char dlp_conf[] =
	"scan { size = \"100M\"  depth = 32  parts = 1000  archive_depth = 8  time = \"20s\"\n"
	"       total = \"512M\"  helpers = 2  helper_memory = \"256M\" }\n"
	"uninspectable = \"log\"         # encrypted, corrupt, too_deep, too_large, timeout,\n"
	"                              # unsupported, not_inspected\n"
	"matching = \"first\"            # first | all policies\n"
	"policy \"payment cards\" { match { direction = \"outbound\" }\n"
	"    detect { identifier = \"card\"  count = 1 }\n"
	"    severity = \"high\"  action = \"log\" }   # tag|hold|reject|redirect|bcc|strip\n"
	"# dictionary \"projects\" { file = \"/etc/millgate/dlp/projects.txt\" }\n"
	"# policy \"projects\" { detect { dictionary = \"projects\"  score = 3 } action = \"log\" }\n"
	"# policy \"plans\" { detect { attachment_name = \"project plan*\" } action = \"log\" }\n"
	"# Identifiers: card iban bic us-ssn us-itin us-ein us-aba us-npi uk-nhs uk-nino\n"
	"# de-steuer-id fr-nir es-dni es-nie it-codice-fiscale nl-bsn be-national-number\n"
	"# pl-pesel se-personnummer fi-hetu ch-ahv in-aadhaar in-pan ca-sin au-tfn\n"
	"# au-medicare br-cpf br-cnpj cn-resident-id; secret (all), secret-pem-key,\n"
	"# secret-aws, secret-github, secret-gitlab, secret-slack, secret-stripe,\n"
	"# secret-google, secret-jwt\n";

static const char log_conf[] = "on_error = \"accept\"  attachments = yes  urls = yes  tags = yes\n"
			       "headers = { }                 # further fields to record\n";

static const char track_conf[] =
	"follow = \"journal\"            # or a file, \"/var/log/mail.log\"\n"
	"store = \"lmdb:/var/lib/millgate/track\"\n"
	"overdue = \"4h\"                # accepted, no end: delivery-overdue\n"
	"instances = { }               # other Postfix instances, by syslog_name\n";

static const char ship_conf[] =
	"# sink \"siem\" { type = \"elasticsearch\"  url = \"https://siem.example.org:9200\"\n"
	"#   index = \"logs-millgate-default\"  token = \"file:/etc/millgate/siem.token\"\n"
	"#   batch = 500  bytes = \"5M\"  age = \"1s\"  gzip = yes  backlog = \"2G\" }\n";

enum { MATCH_ROWS = 9 };
static const struct mg_option match_options[MATCH_ROWS] = {
	{.name = "direction", .kind = MG_WORD, .value = "any", .words = "any|inbound|outbound"},
	{.name = "tls", .kind = MG_WORD, .value = "any", .words = "any|no|yes"},
	{.name = "sender_domain", .kind = MG_LIST, .value = "{ }"},
	{.name = "client", .kind = MG_LIST, .value = "{ }"},
	{.name = "size", .kind = MG_LIST, .value = "{ }"},
	{.name = "header", .kind = MG_LIST, .value = "{ }"},
	{.name = "not", .kind = MG_SECTION, .options = match_options},
	{.name = "any", .kind = MG_SECTION, .options = match_options},
};

static const struct mg_option bounds_options[] = {
	{.name = "headers", .kind = MG_NUMBER, .value = "1000"},
	{.name = "recipients", .kind = MG_NUMBER, .value = "50000"},
	{.name = "message_memory", .kind = MG_SIZE, .value = "1M"},
	{.name = "memory", .kind = MG_SIZE, .value = "1G"}, {.name = NULL}};

static const struct mg_option redact_options[] = {
	{.name = "subject", .kind = MG_WORD, .value = "clear", .words = "clear|hmac|mask|drop"},
	{.name = "recipients", .kind = MG_WORD, .value = "clear", .words = "clear|hmac|mask|drop"},
	{.name = "senders", .kind = MG_WORD, .value = "clear", .words = "clear|hmac|mask|drop"},
	{.name = "names", .kind = MG_WORD, .value = "clear", .words = "clear|hmac|mask|drop"},
	{.name = "client", .kind = MG_WORD, .value = "clear", .words = "clear|hmac|mask|drop"},
	{.name = "key", .kind = MG_TEXT, .value = "file:/etc/millgate/redact.key"}, {.name = NULL}};

static const struct mg_option events_options[] = {
	{.name = "directory", .kind = MG_TEXT, .value = "/var/log/millgate"},
	{.name = "durable", .kind = MG_BOOL, .value = "no"},
	{.name = "segment", .kind = MG_SIZE, .value = "64M"},
	{.name = "keep", .kind = MG_SIZE, .value = "10G"},
	{.name = "keep_age", .kind = MG_DURATION, .value = "90d"},
	{.name = "hard_limit", .kind = MG_SIZE, .value = "20G"},
	{.name = "redact", .kind = MG_SECTION, .options = redact_options}, {.name = NULL}};

static const struct mg_option resolver_options[] = {
	{.name = "servers", .kind = MG_LIST, .value = "{ }"},
	{.name = "timeout", .kind = MG_DURATION, .value = "5s"},
	{.name = "dnssec", .kind = MG_BOOL, .value = "no"}, {.name = NULL}};

static const struct mg_option tenant_options[] = {
	{.name = "users", .kind = MG_LIST, .value = "{ }"},
	{.name = "networks", .kind = MG_NETWORKS, .value = "{ }"},
	{.name = "sender_domains", .kind = MG_LIST, .value = "{ }"}, {.name = NULL}};

static const struct mg_option common_options[] = {
	{.name = "internal_networks", .kind = MG_NETWORKS, .value = "{ \"127.0.0.0/8\", \"::1\" }"},
	{.name = "trusted_relays", .kind = MG_NETWORKS, .value = "{ }"},
	{.name = "outbound_daemons", .kind = MG_LIST, .value = "{ \"ORIGINATING\" }"},
	{.name = "reinject", .kind = MG_LIST, .value = "{ }"},
	{.name = "engine", .kind = MG_WORD, .value = "native", .words = "native|libmilter"},
	{.name = "gateway", .kind = MG_TEXT, .value = ""},
	{.name = "authserv_id", .kind = MG_TEXT, .value = ""},
	{.name = "on_error",
		.kind = MG_WORD,
		.value = "tempfail",
		.words = "tempfail|accept|reject"},
	{.name = "on_bound", .kind = MG_WORD, .value = "reject", .words = "reject|accept|hold"},
	{.name = "hold", .kind = MG_WORD, .value = "quarantine", .words = "quarantine|header"},
	{.name = "dry_run", .kind = MG_BOOL, .value = "no"},
	{.name = "message_timeout", .kind = MG_DURATION, .value = "20s"},
	{.name = "stop_timeout", .kind = MG_DURATION, .value = "25s"},
	{.name = "bounds", .kind = MG_SECTION, .options = bounds_options},
	{.name = "events", .kind = MG_SECTION, .options = events_options},
	{.name = "resolver", .kind = MG_SECTION, .options = resolver_options},
	{.name = "tenant", .kind = MG_SECTIONS, .options = tenant_options}, {.name = NULL}};

static const struct mg_option authenticate_options[] = {
	{.name = "spf", .kind = MG_BOOL, .value = "yes"},
	{.name = "dkim", .kind = MG_BOOL, .value = "yes"},
	{.name = "dmarc", .kind = MG_WORD, .value = "report", .words = "off|report|enforce"},
	{.name = "on_quarantine", .kind = MG_WORD, .value = "hold", .words = "hold|tag"},
	{.name = "on_reject", .kind = MG_WORD, .value = "reject", .words = "reject|hold"},
	{.name = "signatures", .kind = MG_NUMBER, .value = "8"},
	{.name = "received_spf", .kind = MG_BOOL, .value = "no"},
	{.name = "trusted_forwarders", .kind = MG_NETWORKS, .value = "{ }"},
	{.name = "trusted_sealers", .kind = MG_LIST, .value = "{ }"}, {.name = NULL}};

static const struct mg_option limit_options[] = {{.name = "key", .kind = MG_LIST, .value = "{ }"},
	{.name = "rate", .kind = MG_TEXT, .value = ""},
	{.name = "burst", .kind = MG_NUMBER, .value = "0"},
	{.name = "count", .kind = MG_WORD, .value = "messages", .words = "messages|recipients"},
	{.name = "warn_at", .kind = MG_NUMBER, .value = "80"},
	{.name = "action",
		.kind = MG_WORD,
		.value = "log",
		.words = "log|tag|defer|hold|reject|redirect|bcc|strip"},
	{.name = "match", .kind = MG_SECTION, .options = match_options}, {.name = NULL}};

static const struct mg_option rule_options[] = {{.name = "code", .kind = MG_TEXT, .value = ""},
	{.name = "action",
		.kind = MG_WORD,
		.value = "log",
		.words = "log|tag|defer|hold|reject|redirect|bcc|strip"},
	{.name = "reply", .kind = MG_TEXT, .value = ""},
	{.name = "match", .kind = MG_SECTION, .options = match_options}, {.name = NULL}};

static const struct mg_option suppress_options[] = {
	{.name = "action", .kind = MG_WORD, .value = "log", .words = "log|reject"},
	{.name = "hard_bounces", .kind = MG_NUMBER, .value = "1"},
	{.name = "for", .kind = MG_DURATION, .value = "30d"},
	{.name = "status",
		.kind = MG_LIST,
		.value = "{ \"5.1.1\", \"5.1.6\", \"5.1.10\", \"5.2.1\" }"},
	{.name = NULL}};

static const struct mg_option pause_options[] = {
	{.name = "bounces", .kind = MG_NUMBER, .value = "5"},
	{.name = "of", .kind = MG_NUMBER, .value = "100"},
	{.name = "in", .kind = MG_DURATION, .value = "1d"},
	{.name = "action",
		.kind = MG_WORD,
		.value = "log",
		.words = "log|tag|defer|hold|reject|redirect|bcc|strip"},
	{.name = NULL}};

static const struct mg_option policy_options[] = {
	{.name = "socket",
		.kind = MG_TEXT,
		.value = "unix:/var/spool/postfix/millgate/policy.sock"},
	{.name = "store", .kind = MG_TEXT, .value = "lmdb:/var/lib/millgate/policy"},
	{.name = "on_store_error",
		.kind = MG_WORD,
		.value = "local",
		.words = "local|accept|defer"},
	{.name = "authenticate", .kind = MG_SECTION, .options = authenticate_options},
	{.name = "allow_redirect", .kind = MG_BOOL, .value = "no"},
	{.name = "allow_discard", .kind = MG_BOOL, .value = "no"},
	{.name = "limit", .kind = MG_SECTIONS, .options = limit_options},
	{.name = "rule", .kind = MG_SECTIONS, .options = rule_options},
	{.name = "suppress", .kind = MG_SECTION, .options = suppress_options},
	{.name = "pause", .kind = MG_SECTION, .options = pause_options}, {.name = NULL}};

static const struct mg_option sign_options[] = {
	{.name = "canonicalization", .kind = MG_TEXT, .value = "relaxed/relaxed"},
	{.name = "headers", .kind = MG_LIST, .value = "{ }"},
	{.name = "oversign",
		.kind = MG_LIST,
		.value = "{ \"From\", \"Subject\", \"Date\", \"To\" }"},
	{.name = "by", .kind = MG_WORD, .value = "author", .words = "author|sender"},
	{.name = "also", .kind = MG_TEXT, .value = ""},
	{.name = "expire", .kind = MG_DURATION, .value = "0s"},
	{.name = "selectors", .kind = MG_LIST, .value = "{ }"}, {.name = NULL}};

static const struct mg_option dkim_options[] = {
	{.name = "keys", .kind = MG_TEXT, .value = "/etc/millgate/keys"},
	{.name = "subdomains", .kind = MG_BOOL, .value = "yes"},
	{.name = "minimum_bits", .kind = MG_NUMBER, .value = "2048"},
	{.name = "check_dns", .kind = MG_DURATION, .value = "10m"},
	{.name = "unsigned", .kind = MG_WORD, .value = "send", .words = "send|tempfail"},
	{.name = "line_limit", .kind = MG_NUMBER, .value = "998"},
	{.name = "long_lines", .kind = MG_WORD, .value = "cut", .words = "cut|sign|skip"},
	{.name = "fragile", .kind = MG_WORD, .value = "sign", .words = "sign|skip|tempfail"},
	{.name = "verify_before_send",
		.kind = MG_WORD,
		.value = "off",
		.words = "off|log|tempfail"},
	{.name = "sign", .kind = MG_SECTION, .options = sign_options}, {.name = NULL}};

static const struct mg_option scan_options[] = {{.name = "size", .kind = MG_SIZE, .value = "100M"},
	{.name = "depth", .kind = MG_NUMBER, .value = "32"},
	{.name = "parts", .kind = MG_NUMBER, .value = "1000"},
	{.name = "archive_depth", .kind = MG_NUMBER, .value = "8"},
	{.name = "time", .kind = MG_DURATION, .value = "20s"},
	{.name = "total", .kind = MG_SIZE, .value = "512M"},
	{.name = "helpers", .kind = MG_NUMBER, .value = "2"},
	{.name = "helper_memory", .kind = MG_SIZE, .value = "256M"}, {.name = NULL}};

static const struct mg_option detect_options[] = {
	{.name = "identifier", .kind = MG_LIST, .value = "{ }"},
	{.name = "count", .kind = MG_NUMBER, .value = "1"}, {.name = NULL}};

static const struct mg_option policies_options[] = {
	{.name = "match", .kind = MG_SECTION, .options = match_options},
	{.name = "detect", .kind = MG_SECTION, .options = detect_options},
	{.name = "severity", .kind = MG_WORD, .value = "low", .words = "low|medium|high"},
	{.name = "action",
		.kind = MG_WORD,
		.value = "log",
		.words = "log|tag|defer|hold|reject|redirect|bcc|strip"},
	{.name = NULL}};

static const struct mg_option dlp_options[] = {
	{.name = "scan", .kind = MG_SECTION, .options = scan_options},
	{.name = "uninspectable",
		.kind = MG_WORD,
		.value = "log",
		.words = "log|tag|defer|hold|reject|redirect|bcc|strip"},
	{.name = "matching", .kind = MG_WORD, .value = "first", .words = "first|all"},
	{.name = "policy", .kind = MG_SECTIONS, .options = policies_options}, {.name = NULL}};

static const struct mg_option log_options[] = {
	{.name = "attachments", .kind = MG_BOOL, .value = "yes"},
	{.name = "urls", .kind = MG_BOOL, .value = "yes"},
	{.name = "tags", .kind = MG_BOOL, .value = "yes"},
	{.name = "headers", .kind = MG_LIST, .value = "{ }"}, {.name = NULL}};

static const struct mg_option track_options[] = {
	{.name = "follow", .kind = MG_TEXT, .value = "journal"},
	{.name = "store", .kind = MG_TEXT, .value = "lmdb:/var/lib/millgate/track"},
	{.name = "overdue", .kind = MG_DURATION, .value = "4h"},
	{.name = "instances", .kind = MG_LIST, .value = "{ }"}, {.name = NULL}};

static const struct mg_option sink_options[] = {{.name = "type",
							.kind = MG_WORD,
							.value = "elasticsearch",
							.words = "elasticsearch|splunk"},
	{.name = "url", .kind = MG_TEXT, .value = ""}, {.name = NULL}};

static const struct mg_option ship_options[] = {
	{.name = "sink", .kind = MG_SECTIONS, .options = sink_options}, {.name = NULL}};

static struct mg_conf *load_text(const char *text, const struct mg_option *options)
{
	const struct memory_file files[] = {{"/etc/millgate/x.conf", text},
		{"/etc/millgate/common.conf", common_conf}, {NULL, NULL}};
	const struct mg_conf_source source = {.read = read_memory, .argument = (void *)files};
	const struct mg_option *const tables[] = {common_options, options, NULL};
	struct mg_errors errors = {0};
	struct mg_conf *conf = mg_conf_load_from(&source, files[0].path, tables, NULL, &errors);

	if (!conf)
		fail_msg("%s", errors.list[0].text);
	return conf;
}

static void each_file_is_taken_and_each_of_its_values_is_the_default(void **state)
{
	static const struct {
		const char *text;
		const struct mg_option *options;
	} rows[] = {{common_conf, log_options}, {policy_conf, policy_options},
		{dkim_conf, dkim_options}, {dlp_conf, dlp_options}, {track_conf, track_options},
		{ship_conf, ship_options}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mg_conf *conf = load_text(rows[i].text, rows[i].options);

		for (const struct mg_option *option = rows[i].options; option->name; option++)
			if (option->kind != MG_SECTIONS && mg_conf_is_set(conf, option->name))
				fail_msg("%s is not the default", option->name);
		for (const struct mg_option *option = common_options; option->name; option++)
			if (mg_conf_is_set(conf, option->name))
				fail_msg("%s is not the default", option->name);
		mg_conf_free(conf);
	}
}

static void titled_sections_have_their_values(void **state)
{
	struct mg_conf *conf = load_text(policy_conf, policy_options);
	const struct mg_conf *limit = mg_conf_at(conf, "limit", 0);

	(void)state;
	assert_int_equal(mg_conf_count(conf, "limit"), 2);
	assert_int_equal(mg_conf_count(conf, "rule"), 0);
	assert_string_equal(mg_conf_title(limit), "per user");
	assert_string_equal(mg_conf_text(limit, "rate"), "200/h");
	assert_string_equal(mg_conf_text(limit, "count"), "recipients");
	assert_string_equal(mg_conf_text(limit, "match.direction"), "outbound");
	assert_string_equal(mg_conf_title(mg_conf_at(conf, "limit", 1)), "per client");
	mg_conf_free(conf);
	conf = load_text(dlp_conf, dlp_options);
	assert_int_equal(mg_conf_count(conf, "policy"), 1);
	assert_int_equal(mg_conf_number(mg_conf_at(conf, "policy", 0), "detect.count"), 1);
	mg_conf_free(conf);
}

static void the_example_of_a_rule_is_taken_when_its_comment_signs_go(void **state)
{
	const char *start = strstr(policy_conf, "# rule"), *end = strstr(policy_conf, "# All of");
	char text[2048], *at = text;
	const struct mg_conf *rule;
	struct mg_conf *conf;
	const char *const *list;
	size_t count;

	(void)state;
	assert_true(start && end && (size_t)(end - start) < sizeof(text));
	for (; start < end; start++) {
		if (*start == '#' && (start[-1] == '\n'))
			continue;
		*at++ = *start;
	}
	*at = '\0';
	conf = load_text(text, policy_options);
	rule = mg_conf_at(conf, "rule", 0);
	assert_string_equal(mg_conf_text(rule, "reply"), "550 5.7.10 Encryption required");
	assert_string_equal(mg_conf_text(rule, "match.tls"), "no");
	list = mg_conf_list(rule, "match.sender_domain", &count);
	assert_int_equal(count, 2);
	assert_string_equal(list[1], "*.example.org");
	list = mg_conf_list(rule, "match.not.client", &count);
	assert_string_equal(list[0], "192.0.2.0/24");
	list = mg_conf_list(rule, "match.any.header", &count);
	assert_string_equal(list[0], "X-Bulk: regex:^yes");
	list = mg_conf_list(rule, "match.any.size", &count);
	assert_string_equal(list[0], "> 20M");
	mg_conf_free(conf);
}

static void log_conf_differs_from_the_common_defaults_in_one_setting(void **state)
{
	struct mg_conf *conf = load_text(log_conf, log_options);
	size_t differences = 0;

	(void)state;
	for (const struct mg_option *option = common_options; option->name; option++)
		differences += mg_conf_is_set(conf, option->name);
	assert_int_equal(differences, 1);
	assert_string_equal(mg_conf_text(conf, "on_error"), "accept");
	mg_conf_free(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_file_is_taken_and_each_of_its_values_is_the_default),
		cmocka_unit_test(titled_sections_have_their_values),
		cmocka_unit_test(the_example_of_a_rule_is_taken_when_its_comment_signs_go),
		cmocka_unit_test(log_conf_differs_from_the_common_defaults_in_one_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
