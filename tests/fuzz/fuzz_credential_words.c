/* What a tool that was taken over says to ssh and to helpers: nothing that is let through is, or hides, what is not. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/supervise/credential_question.h"
#include "launcher/supervise/ssh_words.h"

#define WORDS_MAX 12

/* Where the command of Bazaar begins, the only one with words like options; n: nowhere. */
static size_t command_of(char *const *argv, size_t n)
{
	static const char *const commands[] = {"bzr serve --inet --directory=/ --allow-writes", "brz serve --inet --directory=/ --allow-writes"};

	for (size_t i = 1; i < n; i++) {
		char joined[4096] = "";
		for (size_t k = i; k < n && strlen(joined) + strlen(argv[k]) + 2 < sizeof joined; k++) {
			strcat(strcat(joined, k > i ? " " : ""), argv[k]);
		}
		if (strcmp(joined, commands[0]) == 0 || strcmp(joined, commands[1]) == 0) {
			return i;
		}
	}
	return n;
}

static void ssh(char *text, size_t size)
{
	static const struct strings nobody;
	char *argv[WORDS_MAX + 1] = {text};
	struct ssh_target to;
	size_t n = 1;

	for (char *at = text; n < WORDS_MAX && (at = memchr(at, '\0', (size_t)(text + size - at))) != NULL && at + 1 < text + size; at++) {
		argv[n++] = at + 1;
	}
	for (int tool = 0; tool < VCS_COUNT; tool++) {
		if (ssh_words_refuse((enum vcs_tool)tool, argv, &nobody, &to) != NULL) {
			continue;
		}
		for (size_t i = 1, command = command_of(argv, n); i < command; i++) {
			if (argv[i][0] == '-' && ((argv[i][1] == 'o' && strcasestr(argv[i], "command") != NULL) || strpbrk(argv[i], "/|;`$") != NULL)) {
				abort();
			}
		}
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *text = malloc(size + 64);
	struct credential_question q;

	memcpy(text, data, size);
	text[size] = '\0';
	if (credential_question_parse(text, size, &q)) {
		if (q.host[0] == '\0' || strpbrk(q.host, "/@%\n=") != NULL || q.port == 0 || q.port > 65535) {
			abort();
		}
		/* Whatever comes behind names no second host. */
		memcpy(text + size, "\nhost=b\n", 8);
		if (credential_question_parse(text, size + 8, &q)) {
			abort();
		}
		text[size] = '\0';
	}
	if (credential_question_words(text, &q)) {
		char shown[CREDENTIAL_TEXT_MAX];
		credential_question_text(&q, shown);
		if (strcmp(shown + strlen(shown) - 2, ": ") != 0 || strstr(shown, q.host) == NULL || strpbrk(shown, "\n\r\033") != NULL) {
			abort();
		}
	}
	ssh(text, size + 1);
	free(text);
	return 0;
}
