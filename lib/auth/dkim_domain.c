/* SPDX-License-Identifier: ISC */
#include "auth/dkim_domain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

/* Times of files come from the kernel's tick, on some file systems in whole seconds: two changes
 * within this may have the same. */
#define TICK (2 * MG_SECOND)

static bool same_status(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
	       one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
	       one->st_mtim.tv_nsec == other->st_mtim.tv_nsec &&
	       one->st_ctim.tv_sec == other->st_ctim.tv_sec &&
	       one->st_ctim.tv_nsec == other->st_ctim.tv_nsec && one->st_size == other->st_size &&
	       one->st_mode == other->st_mode && one->st_uid == other->st_uid &&
	       one->st_gid == other->st_gid;
}

/* Any change sets the ctime. One that is ahead of the clock was set by another clock: a change now
 * gets another. */
static bool is_settled(const struct stat *status, int64_t now)
{
	int64_t changed = (int64_t)status->st_ctim.tv_sec * MG_SECOND + status->st_ctim.tv_nsec;

	return changed < now - TICK || changed > now + TICK;
}

static void set_path(const struct mg_dkim_folder *folder, const char *domain, const char *file,
	char path[MG_DKIM_PATH_SIZE])
{
	mg_str_format(path, MG_DKIM_PATH_SIZE, "%s/%s%s%s",
		strcmp(folder->path, "/") == 0 ? "" : folder->path, domain, file ? "/" : "",
		file ? file : "");
}

/* A copy of one found; NULL: no memory. */
static struct mg_dkim_fault *copy_fault(const struct mg_dkim_fault *fault)
{
	struct mg_dkim_fault *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *fault;
	return copy;
}

/* Reading: what all steps need. */
struct reading {
	const struct mg_dkim_folder *folder;
	const struct mg_dkim_domain *before;
	struct mg_dkim_domain *domain;
	int descriptor; /* of the domain's folder */
	int64_t begun; /* UTC */
	int failure; /* errno: why it goes no further; 0: it does */
};

/* Whatever this is, it will pass: it says nothing of the file. */
static bool is_passing(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOMEM || number == EIO ||
	       number == EINTR || number == ESTALE;
}

static bool keep_fault(
	struct reading *reading, struct mg_dkim_fault **kept, const struct mg_dkim_fault *fault)
{
	*kept = copy_fault(fault);
	if (!*kept)
		reading->failure = ENOMEM;
	return *kept != NULL;
}

/* The bytes of a file, a secret: freed by free_secret. NULL with errno. */
static char *read_secret(int descriptor, size_t size, size_t *length)
{
	char *bytes = malloc(size);
	ssize_t got = 1;

	*length = 0;
	while (bytes && got > 0 && *length < size) {
		got = read(descriptor, bytes + *length, size - *length);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			*length += (size_t)got;
	}
	if (bytes && got < 0) {
		explicit_bzero(bytes, size);
		free(bytes);
		bytes = NULL;
	}
	return bytes;
}

/* Reads the key of an open file; sets fault where it is none. */
static void read_key(struct reading *reading, struct mg_dkim_file *file, int descriptor,
	const char *path, struct mg_dkim_fault *fault)
{
	/* One more than is expected, to see a file that grew. */
	size_t size = (size_t)file->status.st_size + 1, length;
	struct mg_error error;
	char *bytes;

	if ((uintmax_t)file->status.st_size > MG_DKIM_PEM_MAX) {
		mg_dkim_fault_set(fault, "key-bad", path, &file->status, "over 64 KiB: no key",
			"put a private key there, in PEM");
		return;
	}
	bytes = read_secret(descriptor, size, &length);
	if (!bytes) {
		reading->failure = errno;
		return;
	}
	file->key = mg_dkim_key_read(bytes, length, &error);
	explicit_bzero(bytes, size);
	free(bytes);
	if (!file->key)
		mg_dkim_fault_set(fault, "key-bad", path, &file->status, error.text,
			"put a private key there, in PEM");
}

/* Judges what is not open, or could not be opened: by its status alone. */
static bool judge_kind(
	const struct mg_dkim_file *file, const char *path, struct mg_dkim_fault *fault)
{
	if (S_ISREG(file->status.st_mode))
		return true;
	mg_dkim_fault_set(fault, "key-kind", path, &file->status,
		S_ISLNK(file->status.st_mode) ? "is a symbolic link" : "is no regular file",
		"put the key itself there");
	return false;
}

/* Judges an open file, and reads what may be read. */
static void judge_file(struct reading *reading, struct mg_dkim_file *file, int descriptor,
	const char *path, struct mg_dkim_fault *fault)
{
	const struct mg_dkim_trust *trust = &reading->folder->trust;
	struct mg_dkim_fault unheard;

	if (fstat(descriptor, &file->status) != 0) {
		reading->failure = errno;
		return;
	}
	if (!judge_kind(file, path, fault))
		return;
	if (mg_dkim_trust_file(trust, path, &file->status, fault) && trust->user != geteuid() &&
		!mg_dkim_trust_readable(trust, &file->status))
		mg_dkim_fault_unreadable(trust, path, &file->status, fault);
	if (!fault->code)
		read_key(reading, file, descriptor, path, fault);
	else if (reading->folder->inspect)
		read_key(reading, file, descriptor, path, &unheard);
}

/* Opens and reads a file; false: it went meanwhile. */
static bool read_file(struct reading *reading, struct mg_dkim_file *file, const char *path,
	struct mg_dkim_fault *fault)
{
	/* Without O_NONBLOCK a FIFO would hold the program here. */
	int descriptor = openat(reading->descriptor, file->name,
		O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (descriptor >= 0) {
		judge_file(reading, file, descriptor, path, fault);
		close(descriptor);
	} else if (is_passing(errno)) {
		reading->failure = errno;
	} else if (errno == ENOENT) {
		return false;
	} else {
		mg_dkim_fault_unreadable(&reading->folder->trust, path, &file->status, fault);
	}
	return true;
}

static const struct mg_dkim_file *find_before(
	const struct reading *reading, const struct mg_dkim_file *file)
{
	for (size_t i = 0; reading->before && i < reading->before->count; i++) {
		const struct mg_dkim_file *old = &reading->before->files[i];

		if (strcmp(old->name, file->name) == 0)
			return old->settled && same_status(&old->status, &file->status) ? old
											: NULL;
	}
	return NULL;
}

/* false: it went meanwhile. */
static bool fill_file(struct reading *reading, struct mg_dkim_file *file)
{
	char path[MG_DKIM_PATH_SIZE];
	struct mg_dkim_fault fault = {0};
	const struct mg_dkim_file *old;

	if (fstatat(reading->descriptor, file->name, &file->status, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	old = find_before(reading, file);
	if (old) {
		file->key = old->key ? mg_dkim_key_use(old->key) : NULL;
		if (old->fault)
			keep_fault(reading, &file->fault, old->fault);
		file->settled = true;
		return true;
	}
	set_path(reading->folder, reading->domain->name, file->name, path);
	if (judge_kind(file, path, &fault) && !read_file(reading, file, path, &fault))
		return false;
	if (fault.code)
		keep_fault(reading, &file->fault, &fault);
	/* A group is joined, a file system mounted, without a trace in the file's times. */
	file->settled = is_settled(&file->status, reading->begun) &&
			!(fault.code && strcmp(fault.code, "key-unreadable") == 0);
	reading->domain->settled &= file->settled;
	return true;
}

static void refuse_crowd(struct reading *reading)
{
	char path[MG_DKIM_PATH_SIZE];
	struct mg_dkim_fault fault = {0};

	set_path(reading->folder, reading->domain->name, NULL, path);
	mg_dkim_fault_set(&fault, "key-kind", path, &reading->domain->status,
		"holds over 1,000 files", "leave there the keys that sign");
	if (!reading->domain->fault)
		keep_fault(reading, &reading->domain->fault, &fault);
}

/* Room for a file more; false: no memory. */
static bool make_room(struct mg_dkim_domain *domain)
{
	size_t count = domain->count;
	struct mg_dkim_file *files;

	/* A power of two is full. */
	if (count & (count - 1))
		return true;
	files = realloc(domain->files, (count ? 2 * count : 1) * sizeof(*files));
	if (files)
		domain->files = files;
	return files != NULL;
}

static bool take_file(void *context, const char *name)
{
	struct reading *reading = context;
	struct mg_dkim_domain *domain = reading->domain;
	struct mg_dkim_file *file;

	if (domain->count == MG_DKIM_FILES_MAX) {
		refuse_crowd(reading);
		return false;
	}
	if (!make_room(domain)) {
		reading->failure = ENOMEM;
		return false;
	}
	file = &domain->files[domain->count];
	*file = (struct mg_dkim_file){.name = strdup(name)};
	if (!file->name) {
		reading->failure = ENOMEM;
		return false;
	}
	if (mg_dkim_file_selector(name, file->selector)) {
		if (!fill_file(reading, file)) {
			free(file->name);
			domain->settled = false;
			return true;
		}
		domain->key_count++;
	}
	domain->count++;
	return reading->failure == 0;
}

static int compare_times(const struct timespec *one, const struct timespec *other)
{
	if (one->tv_sec != other->tv_sec)
		return one->tv_sec < other->tv_sec ? -1 : 1;
	return (one->tv_nsec > other->tv_nsec) - (one->tv_nsec < other->tv_nsec);
}

static int newest_first(const void *left, const void *right)
{
	const struct mg_dkim_file *one = left, *other = right;
	int order;

	if ((one->selector[0] == '\0') != (other->selector[0] == '\0'))
		return one->selector[0] == '\0' ? 1 : -1;
	if (one->selector[0] == '\0')
		return strcmp(one->name, other->name);
	order = compare_times(&other->status.st_mtim, &one->status.st_mtim);
	return order != 0 ? order : strcmp(other->name, one->name);
}

/* Judges the folder, and opens it when it can be. */
static void open_domain(struct reading *reading)
{
	struct mg_dkim_domain *domain = reading->domain;
	const struct mg_dkim_trust *trust = &reading->folder->trust;
	char path[MG_DKIM_PATH_SIZE];
	struct mg_dkim_fault fault = {0};

	set_path(reading->folder, domain->name, NULL, path);
	if (S_ISLNK(domain->status.st_mode)) {
		mg_dkim_fault_set(&fault, "key-kind", path, &domain->status, "is a symbolic link",
			"make it a folder");
	} else {
		reading->descriptor = openat(reading->folder->descriptor, domain->name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (reading->descriptor < 0 && (is_passing(errno) || errno == ENOENT))
			reading->failure = errno;
		else if (reading->descriptor >= 0 &&
			 fstat(reading->descriptor, &domain->status) != 0)
			reading->failure = errno;
		else if (reading->descriptor < 0 ||
			 (trust->user != geteuid() &&
				 !mg_dkim_trust_readable(trust, &domain->status)))
			mg_dkim_fault_unreadable(trust, path, &domain->status, &fault);
		else
			mg_dkim_trust_folder(trust, path, &domain->status, false, &fault);
	}
	domain->settled = is_settled(&domain->status, reading->begun) && reading->descriptor >= 0;
	if (fault.code)
		keep_fault(reading, &domain->fault, &fault);
	else if (reading->folder->fault && !reading->failure)
		keep_fault(reading, &domain->fault, reading->folder->fault);
}

enum mg_dkim_found mg_dkim_domain_look(
	const struct mg_dkim_folder *folder, const char *domain, struct mg_error *error)
{
	struct stat status;

	if (fstatat(folder->descriptor, domain, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISDIR(status.st_mode) || S_ISLNK(status.st_mode) ? MG_DKIM_FOUND
									  : MG_DKIM_ABSENT;
	/* A name that the file system does not take is that of no folder. */
	if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
		return MG_DKIM_ABSENT;
	mg_error_system(error, errno, "%s/%s", folder->path, domain);
	return MG_DKIM_FAILED;
}

enum mg_dkim_found mg_dkim_domain_read(const struct mg_dkim_folder *folder, const char *domain,
	const struct mg_dkim_domain *before, struct mg_dkim_domain **domain_read,
	struct mg_error *error)
{
	struct reading reading = {.folder = folder, .before = before, .descriptor = -1};
	enum mg_dkim_found found = mg_dkim_domain_look(folder, domain, error);

	if (found != MG_DKIM_FOUND)
		return found;
	reading.domain = calloc(1, sizeof(*reading.domain));
	if (!reading.domain) {
		mg_error_system(error, ENOMEM, "%s/%s", folder->path, domain);
		return MG_DKIM_FAILED;
	}
	mg_str_copy(reading.domain->name, sizeof(reading.domain->name), domain);
	reading.begun = mg_clock_system.utc(&mg_clock_system);
	if (fstatat(folder->descriptor, domain, &reading.domain->status, AT_SYMLINK_NOFOLLOW) != 0)
		reading.failure = errno;
	else
		open_domain(&reading);
	if (reading.descriptor >= 0) {
		if (!reading.failure && !mg_dkim_list(reading.descriptor, take_file, &reading))
			reading.failure = errno;
		close(reading.descriptor);
	}
	if (reading.failure == ENOENT) {
		mg_dkim_domain_free(reading.domain);
		return MG_DKIM_ABSENT;
	}
	if (reading.failure) {
		mg_error_system(error, reading.failure, "%s/%s", folder->path, domain);
		mg_dkim_domain_free(reading.domain);
		return MG_DKIM_FAILED;
	}
	if (reading.domain->count)
		qsort(reading.domain->files, reading.domain->count, sizeof(*reading.domain->files),
			newest_first);
	*domain_read = reading.domain;
	return MG_DKIM_FOUND;
}

void mg_dkim_domain_free(struct mg_dkim_domain *domain)
{
	if (!domain)
		return;
	for (size_t i = 0; i < domain->count; i++) {
		free(domain->files[i].name);
		free(domain->files[i].fault);
		mg_dkim_key_release(domain->files[i].key);
	}
	free(domain->files);
	free(domain->fault);
	free(domain);
}

bool mg_dkim_domain_current(
	const struct mg_dkim_folder *folder, const struct mg_dkim_domain *domain)
{
	char path[MG_DKIM_DOMAIN_MAX + 1 + NAME_MAX + 1];
	struct stat status;

	if (!domain->settled ||
		fstatat(folder->descriptor, domain->name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
		!same_status(&domain->status, &status))
		return false;
	for (size_t i = 0; i < domain->key_count; i++) {
		mg_str_format(path, sizeof(path), "%s/%s", domain->name, domain->files[i].name);
		if (fstatat(folder->descriptor, path, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
			!same_status(&domain->files[i].status, &status))
			return false;
	}
	return true;
}

const struct mg_dkim_fault *mg_dkim_file_fault(
	const struct mg_dkim_domain *domain, const struct mg_dkim_file *file)
{
	return file->fault ? file->fault : domain->fault;
}

struct mg_dkim_fault *mg_dkim_bits_fault(const struct mg_dkim_folder *folder,
	const struct mg_dkim_domain *domain, const struct mg_dkim_file *file, unsigned minimum)
{
	struct mg_dkim_fault *fault = calloc(1, sizeof(*fault));
	char path[MG_DKIM_PATH_SIZE], what[sizeof(fault->what)], mend[sizeof(fault->mend)];

	if (!fault)
		return NULL;
	set_path(folder, domain->name, file->name, path);
	mg_str_format(what, sizeof(what), "RSA of %u bits; minimum_bits is %u",
		mg_dkim_key_bits(file->key), minimum);
	mg_str_format(mend, sizeof(mend), "millgate key new %s SELECTOR", domain->name);
	mg_dkim_fault_set(fault, "key-bits", path, &file->status, what, mend);
	return fault;
}
