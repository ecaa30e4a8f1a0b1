/* RECORD and entry_points.txt: lines end, paths are short, and what a path resolves to is absolute and normal. */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/findings/recorded.h"
#include "launcher/findings/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
	char out[PATH_MAX], source[PATH_MAX];

	if (recorded_resolve("/venv/lib/python3/site-packages", path, out)) {
		assert(out[0] == '/' && strlen(out) < PATH_MAX);
		for (const char *at = out; *at == '/';) {
			size_t n = strcspn(++at, "/");
			assert(!(n == 1 && *at == '.') && !(n == 2 && at[0] == '.' && at[1] == '.') && (n > 0 || out[1] == '\0'));
			at += n;
		}
	}
	if (words_source(path, source, sizeof source)) {
		assert(strstr(path, "__pycache__") != NULL);
	}
	words_place(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), group[64];
	const char *points = text;
	size_t lines = 0;

	memcpy(text, data, size);
	text[size] = '\0';
	while (words_next_group(&points, group, sizeof group)) {
		assert(group[0] != '\0' && strchr(group, '\n') == NULL);
	}
	recorded_prepare(text, size);
	assert(strlen(text) == size);
	char *at = text;
	for (struct recorded line; recorded_next(&at, &line); lines++) {
		assert(line.path[0] != '\0' && strlen(line.path) < PATH_MAX && line.path >= text && line.path < text + size);
		assert(!line.sha256 || line.has_hash);
		check_path(line.path);
	}
	assert(at <= text + size && lines <= size);
	free(text);
	return 0;
}
