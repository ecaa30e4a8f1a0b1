#include "word.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 200
#define WORD_MAX (64u << 10)

static const char *take_variable(char **envp)
{
	static const char head[] = FOR_VARIABLE "=";
	const char *value = NULL;
	char **to = envp;

	for (char **from = envp; *from != NULL; from++) {
		if (strncmp(*from, head, sizeof head - 1) == 0) {
			value = *from + sizeof head - 1;
		} else {
			*to++ = *from;
		}
	}
	*to = NULL;
	return value;
}

/* They end up in lines (whose requirement it is): one that ends a line would be two. */
static bool is_one_line(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f) {
			return false;
		}
	}
	return true;
}

static char *text_of(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	const char *text = cJSON_IsString(item) ? item->valuestring : "";
	size_t len = strlen(text);

	return len > 0 && len < NAME_MAX_LEN && is_one_line(text) ? strdup(text) : NULL;
}

static char *digest_of(const cJSON *object)
{
	char *text = text_of(object, "sha256");

	if (text != NULL && (strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)) {
		free(text);
		text = NULL;
	}
	return text;
}

bool word_take(char **envp, struct word *out)
{
	const char *text = envp != NULL ? take_variable(envp) : NULL;
	const cJSON *one;

	memset(out, 0, sizeof *out);
	cJSON *json = text != NULL && strlen(text) < WORD_MAX ? cJSON_ParseWithOpts(text, NULL, 1) : NULL;
	if (!cJSON_IsObject(json)) {
		cJSON_Delete(json);
		return false;
	}
	out->name = text_of(json, "name");
	out->version = text_of(json, "version");
	out->digest = digest_of(json);
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(json, "for")) {
		if (cJSON_IsString(one) && strlen(one->valuestring) < 2 * NAME_MAX_LEN && is_one_line(one->valuestring) && out->above.n < FOR_MAX) {
			strings_add(&out->above, one->valuestring);
		}
	}
	cJSON_Delete(json);
	return true;
}

int word_below(const struct word *w, struct strings *above)
{
	int error = 0;

	if (w->name != NULL) {
		error = strings_addf(above, "%s%s%s", w->name, w->version != NULL ? " " : "", w->version != NULL ? w->version : "");
	}
	for (size_t i = 0; error == 0 && i < w->above.n && above->n < FOR_MAX; i++) {
		error = strings_add(above, w->above.v[i]);
	}
	return error;
}

void word_finish(struct word *w)
{
	free(w->name);
	free(w->version);
	free(w->digest);
	strings_finish(&w->above);
	memset(w, 0, sizeof *w);
}
