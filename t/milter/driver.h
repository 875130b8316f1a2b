/* SPDX-License-Identifier: ISC */
/* driver: a daemon under test, by itself: a temporary directory, a configuration, a socket,
 * readiness as a service manager is told it, its event log and its own lines; and the sessions of
 * an MTA with it. A failure fails the test that runs. The daemon is ended, by its process id,
 * however the test program ends.
 *
 * MG_BUILDDIR is where the build put the programs; MILLGATE_ENGINE sets the setting `engine`. */
#ifndef T_MILTER_DRIVER_H
#define T_MILTER_DRIVER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "run/client.h"

/* No wait of a test is meant to end by this. */
#define GENEROUS (60 * MG_SECOND)

struct driver {
	char program[1024];
	char name[32]; /* "log" */
	char directory[64];
	char configuration[128], events[128], log[128];
	struct mg_endpoint endpoint;
	int notify; /* what the daemon tells the service manager */
	unsigned watchdog_ms; /* 0: none */
	int passed_on; /* a listening socket for the daemon, -1 none */
	pid_t pid; /* 0: not running */
};

/* Whether the program was built. */
bool driver_has(const char *program);
/* Starts millgate-log or millgate-probe; settings: lines of its configuration besides socket,
 * metrics, events.directory. Returns when it is ready. */
void driver_start(struct driver *driver, const char *program, const char *settings);
/* The same with the watchdog of the service manager, which wants a notice at least each
 * watchdog_ms; passed_on: the socket is the manager's (LISTEN_FDS), not the daemon's own. */
void driver_start_watched(struct driver *driver, const char *program, const char *settings,
	unsigned watchdog_ms, bool passed_on);
/* Writes the configuration anew, as driver_start does. */
void driver_configure(const struct driver *driver, const char *settings);
/* Ends it by SIGTERM and removes the directory. Fails the test if its exit code is not 0, its event
 * log does not verify, or a sanitizer complained. */
void driver_stop(struct driver *driver);
/* For a group of tests: starts millgate-log into *state, and stops it. */
int driver_setup_log(void **state);
int driver_teardown(void **state);

/* A negotiated connection. */
struct mg_client *driver_connect(const struct driver *driver);
/* A connection that nothing was sent on. */
int driver_connect_raw(const struct driver *driver);

/* The events of this action, in order, of the log being written: an array to be released. queue_id:
 * only those whose email.local_id it is; or NULL. */
json_t *driver_events(const struct driver *driver, const char *action, const char *queue_id);
size_t driver_count_events(const struct driver *driver, const char *action, const char *queue_id);
/* A member of an event by its dotted name; NULL when it has none. */
const json_t *driver_field(const json_t *event, const char *name);
const char *driver_text(const json_t *event, const char *name); /* "" when absent */
/* Waits until there are `count` events of this action. */
void driver_wait_events(const struct driver *driver, const char *action, size_t count);
/* Waits for a notice to the service manager, sd_notify(3): "STOPPING=1". */
void driver_wait_notice(struct driver *driver, const char *notice);
/* Takes the next notice, if there is one within that many milliseconds; false: none. */
bool driver_next_notice(const struct driver *driver, int milliseconds, char *text, size_t size);
/* Waits until the daemon wrote a line about itself that contains `text`, `count` times. */
void driver_wait_log(const struct driver *driver, const char *text, size_t count);
/* How many of its lines contain `text`. */
size_t driver_count_log(const struct driver *driver, const char *text);
/* Exit code of --verify. */
int driver_verify(const struct driver *driver);

/* Open descriptors of the daemon, -1 where the system does not tell. */
int driver_descriptors(const struct driver *driver);
/* Waits until it has no more than `count` open; false at the deadline. */
bool driver_wait_descriptors(const struct driver *driver, int count);
/* Lines that the daemon wrote about itself. */
size_t driver_log_lines(const struct driver *driver);

/* --- the MTA --- */

/* A message and where it comes from; zeroed members have defaults. */
struct letter {
	const char *queue_id;
	const char *client_name, *helo;
	const char *sender; /* as on the wire; NULL: "<sender@example.org>" */
	const char *const *recipients; /* ended by NULL; NULL: "<recipient@example.net>" */
	const char *content;
	size_t content_length; /* 0: strlen(content) */
	size_t chunk; /* bytes of a body chunk, 0: 65,535 */
	bool local; /* as sendmail(1) has it: no SMTP client */
};

enum letter_step {
	LETTER_CONNECT,
	LETTER_HELO,
	LETTER_MAIL,
	LETTER_RCPT,
	LETTER_DATA,
	LETTER_HEADER, /* the first one, "Subject: first" */
	LETTER_EOH,
	LETTER_BODY, /* "text" */
	LETTER_EOM,
	LETTER_STEPS
};
extern const char *const letter_step_names[LETTER_STEPS];

/* CONNECT and HELO, as Postfix does for the letter. */
enum mg_answer letter_open(struct mg_client *client, const struct letter *letter);
/* MAIL to end of message; the first refusal of MAIL, DATA or the content ends it, one of RCPT does
 * not unless no recipient is left. */
enum mg_answer letter_send(struct mg_client *client, const struct letter *letter);
/* From CONNECT to this step of a letter of its own with this queue id. */
void letter_until(struct mg_client *client, enum letter_step last, const char *queue_id);
/* The same from MAIL on. */
void letter_until_again(struct mg_client *client, enum letter_step last, const char *queue_id);
#endif
