/* SPDX-License-Identifier: ISC */
#include "base/conf_load.h"

#include <limits.h>
#include <string.h>

#include "base/conf_parse.h"
#include "base/conf_schema.h"
#include "base/str.h"

enum { FILE_MAX = 16 * 1024 * 1024, INCLUDE_DEPTH_MAX = 16, INCLUDES_MAX = 1000 };

struct loader {
	struct mg_conf_tree *tree;
	const struct mg_conf_source *source;
	struct mg_errors *errors;
	const char *folder; /* of the main file, with its slash; "" the current one */
	struct mg_conf_file *files;
	unsigned includes, ended;
	int depth;
};

/* The part of path up to and with its last slash. */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash + 1 - path) : 0;
}

/* An include's path as it is opened: relative to the folder of the file it stands in. NULL when
 * out of memory. */
static const char *resolve_path(
	struct mg_conf_tree *tree, const struct mg_conf_file *from, const char *path)
{
	size_t folder = *path == '/' ? 0 : folder_length(from->path);
	char *whole = mg_conf_alloc(tree, folder + strlen(path) + 1);

	if (!whole)
		return NULL;
	memcpy(whole, from->path, folder);
	memcpy(whole + folder, path, strlen(path) + 1);
	return whole;
}

static struct mg_conf_file *new_file(struct loader *loader, const char *path)
{
	size_t folder = strlen(loader->folder);
	struct mg_conf_file *file = mg_conf_alloc(loader->tree, sizeof(*file));

	if (!file)
		return NULL;
	file->path = path;
	file->shown = strncmp(path, loader->folder, folder) == 0 ? path + folder : path;
	return file;
}

static struct mg_conf_file *same_file(const struct loader *loader, const struct mg_textfile *text)
{
	struct mg_conf_file *file = loader->files;

	while (file && (file->device != text->device || file->inode != text->inode))
		file = file->next;
	return file;
}

static void include(void *argument, const struct mg_conf_file *from, const char *path,
	unsigned line, const struct mg_conf_context *context);

static void parse_file(
	struct loader *loader, struct mg_conf_file *file, const struct mg_textfile *text)
{
	struct mg_error error;
	unsigned line;

	file->device = text->device;
	file->inode = text->inode;
	file->next = loader->files;
	loader->files = file;
	if (!mg_textfile_check(text->data, text->length, &line, &error))
		mg_errors_add(loader->errors, "%s:%u: %s", file->shown, line, error.text);
	else
		mg_conf_parse(loader->tree, file, text->data, text->length, include, loader,
			loader->errors);
	file->ended = true;
	file->order = loader->ended++;
}

/* A file is read once: where several include it, it still comes before all of them. */
static void include(void *argument, const struct mg_conf_file *from, const char *path,
	unsigned line, const struct mg_conf_context *context)
{
	struct loader *loader = argument;
	const char *whole = resolve_path(loader->tree, from, path);
	struct mg_conf_file *file = whole ? new_file(loader, whole) : NULL, *known;
	struct mg_textfile text;
	struct mg_error error;

	if (!file)
		return;
	if (loader->depth == INCLUDE_DEPTH_MAX || loader->includes == INCLUDES_MAX) {
		mg_conf_report(context, line, "include(\"%s\"): over %d deep or %d in all", path,
			INCLUDE_DEPTH_MAX, INCLUDES_MAX);
		return;
	}
	loader->includes++;
	if (!loader->source->read(loader->source->argument, whole, FILE_MAX, &text, &error)) {
		mg_conf_report(context, line, "include(\"%s\"): %s", path, error.text);
		return;
	}
	known = same_file(loader, &text);
	if (known && !known->ended) {
		mg_conf_report(context, line, "include(\"%s\"): a cycle: %s is included by %s",
			path, from->shown, known->shown);
	} else if (!known) {
		loader->depth++;
		parse_file(loader, file, &text);
		loader->depth--;
	}
	mg_textfile_free(&text);
}

static void load_main(struct loader *loader, const char *path)
{
	struct mg_conf_file *file = new_file(loader, path);
	struct mg_textfile text;
	struct mg_error error;

	if (!file)
		return;
	file->own = true;
	if (!loader->source->read(loader->source->argument, path, FILE_MAX, &text, &error)) {
		mg_errors_add(loader->errors, "%s: %s", path, error.text);
		return;
	}
	parse_file(loader, file, &text);
	mg_textfile_free(&text);
}

static void load_overrides(struct loader *loader, const char *const overrides[])
{
	struct mg_conf_file *file = mg_conf_alloc(loader->tree, sizeof(*file));

	if (!file)
		return;
	*file = (struct mg_conf_file){.shown = "-o", .path = "-o", .own = true, .order = UINT_MAX};
	for (size_t i = 0; overrides && overrides[i]; i++) {
		char *text = mg_arena_copy(loader->tree->arena, overrides[i], strlen(overrides[i]));

		if (!text)
			loader->tree->out_of_memory = true;
		else
			mg_conf_parse_override(loader->tree, file, text, loader->errors);
	}
}

/* An empty tree with its root; NULL when out of memory. */
static struct mg_conf_tree *new_tree(const struct mg_option *const tables[], bool partial)
{
	struct mg_arena *arena = mg_arena_new(SIZE_MAX, NULL);
	struct mg_conf_tree *tree = arena ? mg_arena_alloc(arena, sizeof(*tree)) : NULL;
	struct mg_conf_schema *schema = NULL;

	if (tree) {
		tree->arena = arena;
		tree->shown = "";
		tree->partial = partial;
		schema = mg_conf_schema_new(tree, tables);
	}
	if (schema)
		tree->root = mg_conf_section_new(tree, schema, NULL, "", "");
	if (tree && tree->root)
		return tree;
	if (arena)
		mg_arena_free(arena);
	return NULL;
}

static bool load_tree(struct loader *loader, const char *path, const char *const overrides[])
{
	struct mg_conf_tree *tree = loader->tree;
	size_t errors = loader->errors->count;

	if (path) {
		char *own = mg_arena_copy(tree->arena, path, strlen(path));
		char *folder = mg_arena_copy(tree->arena, path, folder_length(path));

		if (!own || !folder)
			return false;
		loader->folder = folder;
		tree->shown = own + strlen(folder);
		load_main(loader, own);
	}
	load_overrides(loader, overrides);
	if (!tree->out_of_memory && loader->errors->count == errors)
		mg_conf_resolve(tree->root, loader->errors);
	return !tree->out_of_memory;
}

static struct mg_conf *load(const struct mg_conf_source *source, const char *path,
	const struct mg_option *const tables[], bool partial, const char *const overrides[],
	struct mg_errors *errors)
{
	struct loader loader = {.tree = new_tree(tables, partial),
		.source = source,
		.errors = errors,
		.folder = ""};
	size_t before = errors->count;

	if (!loader.tree || !load_tree(&loader, path, overrides))
		mg_errors_add(errors, "%s: out of memory", path ? path : "-o");
	if (!loader.tree)
		return NULL;
	mg_conf_tree_end_loading(loader.tree);
	if (errors->count == before)
		return loader.tree->root;
	mg_conf_free(loader.tree->root);
	return NULL;
}

struct mg_conf *mg_conf_load_from(const struct mg_conf_source *source, const char *path,
	const struct mg_option *const tables[], const char *const overrides[],
	struct mg_errors *errors)
{
	return load(source, path, tables, false, overrides, errors);
}

static bool read_path(void *argument, const char *path, size_t maximum, struct mg_textfile *file,
	struct mg_error *error)
{
	(void)argument;
	return mg_textfile_read(path, maximum, file, error);
}

static const struct mg_conf_source files = {.read = read_path};

struct mg_conf *mg_conf_load(const char *path, const struct mg_option *const tables[],
	const char *const overrides[], struct mg_errors *errors)
{
	return load(&files, path, tables, false, overrides, errors);
}

struct mg_conf *mg_conf_load_part(
	const char *path, const struct mg_option *const tables[], struct mg_errors *errors)
{
	return load(&files, path, tables, true, NULL, errors);
}
