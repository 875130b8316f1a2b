/* SPDX-License-Identifier: ISC */
/* The main of a fuzz target in an ordinary build: gives it the files named on the command line (folders are read one level deep),
 * one after the other. Options, as libFuzzer has them, are ignored. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int complain(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return 1;
}

/* The bytes stand in a piece of memory that is exactly theirs, so a sanitizer sees a read beyond them. */
static int replay_file(const char *path, size_t size)
{
	FILE *stream = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);
	int status = 1;

	if (!stream || !data) {
		complain(path);
		goto done;
	}
	if (fread(data, 1, size, stream) != size) {
		complain(path);
		goto done;
	}
	LLVMFuzzerTestOneInput(data, size);
	status = 0;
done:
	free(data);
	if (stream)
		fclose(stream);
	return status;
}

static int replay_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	struct stat status;
	char file[4096];
	int failures = 0;

	if (!folder)
		return complain(path);
	while ((entry = readdir(folder))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (stat(file, &status) == 0 && S_ISREG(status.st_mode))
			failures += replay_file(file, (size_t)status.st_size);
	}
	closedir(folder);
	return failures;
}

int main(int argc, char **argv)
{
	struct stat status;
	int failures = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		if (stat(argv[i], &status) != 0)
			failures += complain(argv[i]);
		else if (S_ISDIR(status.st_mode))
			failures += replay_folder(argv[i]);
		else
			failures += replay_file(argv[i], (size_t)status.st_size);
	}
	return failures ? 1 : 0;
}
