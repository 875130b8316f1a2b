/* SPDX-License-Identifier: ISC */
/* conf_tree: the sections and values of a configuration, while it is loaded and after. Private to
 * conf.
 *
 * Loading is two steps. Each file, and -o, only *assigns*: what it says is kept beside what
 * others say. When all is read, *resolve* lets the files override each other: a file comes after
 * all it includes, wherever the include stands, and -o after all files. So "=" wins by its file's
 * order, and "+=" adds to what the files before it made. */
#ifndef MG_BASE_CONF_TREE_H
#define MG_BASE_CONF_TREE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/conf.h"

enum { MG_CONF_LIST_MAX = 100000, MG_CONF_VALUES_MAX = 1000000 };

struct mg_conf_file {
	const char *shown; /* in errors */
	const char *path; /* to open it, and what it includes */
	dev_t device;
	ino_t inode;
	bool own; /* the main file or the overrides: not included */
	bool ended; /* false: it is being read, so including it is a cycle */
	unsigned order; /* of ended files: a file overrides those of lower order */
	struct mg_conf_file *next;
};

/* A value of the setting's kind. */
struct mg_conf_value {
	int64_t number;
	const char *text;
	const char *const *list;
	const struct mg_network *networks;
	size_t count; /* of list and networks */
};

struct mg_conf_assignment {
	const struct mg_conf_file *file;
	const struct mg_conf_value *value;
	unsigned line;
	uint32_t sequence; /* order in which they were read */
	bool add;
	struct mg_conf_assignment *next; /* one read before */
};

/* The sections of one name with titles. */
struct mg_conf_titled {
	struct mg_conf **list;
	size_t count, size;
	void *by_title; /* tsearch(3), while loading */
	struct mg_conf_titled *next;
};

/* What a section says of one option. */
struct mg_conf_slot {
	union {
		const struct mg_conf_value *value;
		const struct mg_conf *section;
		struct mg_conf *open_section; /* while loading */
		struct mg_conf_titled *titled;
	};
	struct mg_conf_assignment *assigned; /* newest first; resolved: the one that decided */
};

struct mg_conf_place {
	const struct mg_conf_file *file;
	unsigned line;
	struct mg_conf_place *next;
};

/* A table of options, or the tables of the top level as one, with the names apart. */
struct mg_conf_schema {
	const struct mg_option *key; /* of its table; the top level has none */
	const struct mg_option **options;
	const char **names;
	struct mg_conf_schema **children; /* of the options that are sections */
	size_t count;
	bool recursive; /* a section of it can hold, at some depth, a section of it */
	struct mg_conf *defaults; /* a section nobody wrote */
	struct mg_conf_schema *next;
	const struct mg_conf_schema *looked_for; /* while `recursive` is found out */
};

struct mg_conf {
	struct mg_conf_tree *tree;
	const struct mg_conf_schema *schema;
	const struct mg_conf *parent; /* NULL for the top level and for a schema's defaults */
	const char *name, *title; /* "" without */
	struct mg_conf_place *places; /* where it stands, newest first */
	struct mg_conf_slot *slots; /* one an option of the schema */
};

struct mg_conf_tree {
	struct mg_arena *arena; /* of everything here, the tree included */
	const char *shown; /* the main file */
	struct mg_conf *root;
	struct mg_conf_schema *schemas;
	struct mg_conf_titled *titled;
	uint32_t values; /* read so far */
	bool partial; /* what no table declares is another program's */
	bool out_of_memory;
};

/* Where an error is found: its file (shown; NULL the tree's) and section. */
struct mg_conf_context {
	struct mg_errors *errors;
	const char *shown;
	const struct mg_conf *section;
};

/* Adds "FILE:LINE: SECTION: " and the text; line 0 is left out. */
void mg_conf_report(const struct mg_conf_context *context, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "limit \"per user\"" into text: a section as errors name it, without those it stands in. */
void mg_conf_section_name(const struct mg_conf *section, char *text, size_t size);

/* Zeroed memory of the tree; NULL, and out_of_memory is set, when there is none. */
void *mg_conf_alloc(struct mg_conf_tree *tree, size_t bytes);
/* Frees what is only needed to load; mg_arena_free(tree->arena) frees the rest. */
void mg_conf_tree_end_loading(struct mg_conf_tree *tree);

/* A section that stands nowhere yet; NULL when out of memory. */
struct mg_conf *mg_conf_section_new(struct mg_conf_tree *tree, const struct mg_conf_schema *schema,
	const struct mg_conf *parent, const char *name, const char *title);
/* The section of an MG_SECTION, of an MG_SECTIONS by its title, made when there is none yet. */
struct mg_conf *mg_conf_section_open(struct mg_conf *parent, size_t option);
struct mg_conf *mg_conf_section_titled(struct mg_conf *parent, size_t option, const char *title);
/* The line where file has this section, 0 when it has not; and adds a place. */
unsigned mg_conf_section_line(const struct mg_conf *section, const struct mg_conf_file *file);
void mg_conf_section_place(struct mg_conf *section, const struct mg_conf_file *file, unsigned line);

/* The line where file has set or added to this option, 0 when it has not. */
unsigned mg_conf_assigned_line(
	const struct mg_conf *section, size_t option, const struct mg_conf_file *file);
void mg_conf_assign(struct mg_conf *section, size_t option, const struct mg_conf_file *file,
	unsigned line, bool add, const struct mg_conf_value *value);
/* Decides every setting; errors: lists over their bound. */
void mg_conf_resolve(struct mg_conf *section, struct mg_errors *errors);
#endif
