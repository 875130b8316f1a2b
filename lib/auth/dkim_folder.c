/* SPDX-License-Identifier: ISC */
#include "auth/dkim_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/dkim_path.h"
#include "base/str.h"

#define SUFFIX ".pem"

enum { LABEL_MAX = 63 };

/* --- names --- */

static bool is_label_character(char character, bool upper)
{
	return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
	       character == '-' || (upper && character >= 'A' && character <= 'Z');
}

static bool is_labels(const char *text, size_t maximum, bool upper)
{
	size_t label = 0, at;

	for (at = 0; text[at] != '\0'; at++) {
		if (at == maximum)
			return false;
		if (text[at] == '.') {
			if (label == 0 || text[at - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!is_label_character(text[at], upper) || (text[at] == '-' && label == 0) ||
			++label > LABEL_MAX)
			return false;
	}
	return label > 0 && text[at - 1] != '-';
}

bool mg_dkim_is_domain(const char *text)
{
	return is_labels(text, MG_DKIM_DOMAIN_MAX, false);
}

bool mg_dkim_is_selector(const char *text)
{
	return is_labels(text, MG_DKIM_SELECTOR_MAX, true);
}

bool mg_dkim_file_selector(const char *name, char selector[MG_DKIM_SELECTOR_MAX + 1])
{
	size_t length = strlen(name), suffix = strlen(SUFFIX);

	selector[0] = '\0';
	if (length <= suffix || length - suffix > MG_DKIM_SELECTOR_MAX ||
		strcmp(name + length - suffix, SUFFIX) != 0)
		return false;
	memcpy(selector, name, length - suffix);
	selector[length - suffix] = '\0';
	if (mg_dkim_is_selector(selector))
		return true;
	selector[0] = '\0';
	return false;
}

/* --- the folder of keys --- */

static bool make_absolute(const char *path, char absolute[MG_DKIM_FOLDER_PATH_MAX])
{
	char here[MG_DKIM_FOLDER_PATH_MAX] = "";
	size_t length;

	if (path[0] != '/' && !getcwd(here, sizeof(here)))
		return false;
	if (!mg_str_format(absolute, MG_DKIM_FOLDER_PATH_MAX, "%s%s%s", here,
		    path[0] == '/' ? "" : "/", path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (length = strlen(absolute); length > 1 && absolute[length - 1] == '/'; length--)
		absolute[length - 1] = '\0';
	return true;
}

struct mg_dkim_folder *mg_dkim_folder_open(
	const char *path, const struct mg_dkim_trust *trust, struct mg_error *error)
{
	struct mg_dkim_folder *folder = calloc(1, sizeof(*folder));
	struct mg_dkim_fault fault = {0};
	int number;

	if (!folder) {
		mg_error_system(error, ENOMEM, "%s", path);
		return NULL;
	}
	folder->descriptor = -1;
	folder->trust = *trust;
	if (!make_absolute(path, folder->path)) {
		mg_error_system(error, errno, "%s", path);
		goto failed;
	}
	folder->descriptor = mg_dkim_path_open(folder->path, trust, &folder->status, &fault, error);
	if (folder->descriptor < 0)
		goto failed;
	if (fault.code) {
		folder->fault = malloc(sizeof(fault));
		if (!folder->fault) {
			mg_error_system(error, ENOMEM, "%s", path);
			goto failed;
		}
		*folder->fault = fault;
	}
	return folder;
failed:
	number = errno;
	mg_dkim_folder_close(folder);
	errno = number;
	return NULL;
}

void mg_dkim_folder_close(struct mg_dkim_folder *folder)
{
	if (!folder)
		return;
	if (folder->descriptor >= 0)
		close(folder->descriptor);
	free(folder->fault);
	free(folder);
}

bool mg_dkim_folder_same(const struct mg_dkim_folder *folder, const struct mg_dkim_folder *other)
{
	return folder->status.st_dev == other->status.st_dev &&
	       folder->status.st_ino == other->status.st_ino &&
	       mg_dkim_fault_same(folder->fault, other->fault);
}

const char *mg_dkim_folder_shown(const struct mg_dkim_folder *folder, const char *path)
{
	const char *slash = strrchr(folder->path, '/');
	size_t length = strlen(folder->path);

	if (strncmp(path, folder->path, length) != 0 ||
		(path[length] != '/' && path[length] != '\0') || !slash || slash[1] == '\0')
		return path;
	return path + (slash + 1 - folder->path);
}

bool mg_dkim_list(int descriptor, bool (*take)(void *context, const char *name), void *context)
{
	/* Anew: a copy of the descriptor would go on where the last list ended. */
	int own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), number;
	DIR *stream = own >= 0 ? fdopendir(own) : NULL;
	struct dirent *entry;

	if (!stream) {
		number = errno;
		if (own >= 0)
			close(own);
		errno = number;
		return false;
	}
	/* Only errno tells the end from a failure (readdir(3)). */
	for (errno = 0; (entry = readdir(stream)); errno = 0)
		if (entry->d_name[0] != '.' && !take(context, entry->d_name))
			break;
	number = entry ? 0 : errno;
	closedir(stream);
	errno = number;
	return number == 0;
}

bool mg_dkim_folder_list(const struct mg_dkim_folder *folder,
	bool (*take)(void *context, const char *name), void *context, struct mg_error *error)
{
	if (mg_dkim_list(folder->descriptor, take, context))
		return true;
	mg_error_system(error, errno, "%s", folder->path);
	return false;
}
