/* SPDX-License-Identifier: ISC */
/* dkim_sign_all FOLDER: writes each of the hard letters there, signed in each way, as NAME.eml, and the
 * records of the keys as NAME.txt: for judges that are not written in C. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dkim_letters.h"

enum { RANDOM_LETTERS = 50 };

static void save(const char *folder, const char *name, const char *kind, const struct mg_buf *text)
{
	char path[4096];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s.%s", folder, name, kind);
	stream = fopen(path, "wb");
	if (stream == NULL || fwrite(text->data, 1, text->length, stream) != text->length ||
		fclose(stream) != 0) {
		perror(path);
		exit(1);
	}
}

static void save_signed(const char *folder, const struct letter *letter,
	const struct mg_dkim_names *names, const struct mg_dkim_key *key)
{
	static const char *const forms[] = {"simple", "relaxed"};
	const char *type = mg_dkim_key_type_name(mg_dkim_key_algorithm(key));

	for (int i = 0; i < 4; i++) {
		enum mg_dkim_form header_form = i / 2, body_form = i % 2;
		struct mg_buf text = {.limit = 0};
		char name[256];

		letter_sign(letter, names, key, header_form, body_form, &text);
		mg_buf_add_text(&text, "\r\n");
		mg_buf_add(&text, letter->text.data, letter->text.length);
		/* SMTP ends the last line. */
		if (text.data[text.length - 1] != '\n')
			mg_buf_add_text(&text, "\r\n");
		snprintf(name, sizeof(name), "%s-%s-%s-%s", type, forms[header_form],
			forms[body_form], letter->name);
		save(folder, name, "eml", &text);
		mg_buf_free(&text);
	}
}

static void save_random(const char *folder, uint64_t number, const struct mg_dkim_names *names,
	struct mg_dkim_key *const keys[])
{
	struct letter *letter = letter_random(number);
	char name[32];

	snprintf(name, sizeof(name), "random-%u", (unsigned)number);
	letter->name = name;
	for (int i = 0; i < MG_DKIM_ALGORITHM_COUNT; i++)
		save_signed(folder, letter, names, keys[i]);
	letters_free(&letter, 1);
}

int main(int argc, char **argv)
{
	struct letter *letters[LETTERS_MAX];
	struct mg_dkim_key *keys[MG_DKIM_ALGORITHM_COUNT];
	struct mg_dkim_names *names =
		mg_dkim_names_new(NULL, 0, (const char *const[]){"Subject", "To"}, 2, NULL);
	size_t count = letters_make(letters);

	if (argc != 2 || names == NULL)
		return 64;
	for (int i = 0; i < MG_DKIM_ALGORITHM_COUNT; i++) {
		struct mg_buf record = {.limit = 0};

		keys[i] = mg_dkim_key_make((enum mg_dkim_algorithm)i, 2048, NULL);
		if (keys[i] == NULL)
			return 1;
		mg_dkim_record_text(keys[i], &record);
		save(argv[1], mg_dkim_key_type_name((enum mg_dkim_algorithm)i), "txt", &record);
		for (size_t j = 0; j < count; j++)
			save_signed(argv[1], letters[j], names, keys[i]);
		mg_buf_free(&record);
	}
	for (uint64_t i = 0; i < RANDOM_LETTERS; i++)
		save_random(argv[1], i, names, keys);
	for (int i = 0; i < MG_DKIM_ALGORITHM_COUNT; i++)
		mg_dkim_key_release(keys[i]);
	letters_free(letters, count);
	mg_dkim_names_free(names);
	return 0;
}
