#include "preload/answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int known_error(int error)
{
	return error == EAI_AGAIN || error == EAI_FAIL || error == EAI_NODATA || error == EAI_FAMILY ||
		error == EAI_ADDRFAMILY || error == EAI_MEMORY;
}

int answer_check(struct pw_answer *answer, size_t len)
{
	const size_t head = offsetof(struct pw_answer, address);
	size_t whole, kept = 0;

	if (len < head)
		return EAI_NONAME;
	if (answer->error)
		return known_error(answer->error) ? answer->error : EAI_NONAME;
	whole = (len - head) / sizeof(answer->address[0]);
	if (whole > PW_ANSWER_MAX)
		whole = PW_ANSWER_MAX;
	if (answer->count > whole)
		return EAI_NONAME;
	for (size_t i = 0; i < answer->count; i++) {
		uint32_t family = answer->address[i].family;

		if (family == AF_INET || family == AF_INET6)
			answer->address[kept++] = answer->address[i];
	}
	answer->count = (uint32_t)kept;
	return kept ? 0 : EAI_NONAME;
}

static size_t read_answer(int fd, struct pw_answer *answer)
{
	size_t len = 0;

	while (len < sizeof(*answer)) {
		long n = syscall(SYS_pread64, fd, (char *)answer + len, sizeof(*answer) - len, (long)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

int answer_ask(const char *host, int family, int flags, struct pw_answer *answer)
{
	struct pw_query query = { .family = (uint32_t)family, .flags = (uint32_t)flags };
	size_t len = strlen(host);
	int saved = errno;
	long fd;

	if (!len || len >= sizeof(query.host))
		return EAI_NONAME;
	memcpy(query.host, host, len);
	fd = shim_call(PW_OP_RESOLVE, &query, sizeof(query));
	if (fd < 0)
		return EAI_NONAME;
	memset(answer, 0, sizeof(*answer));
	len = read_answer((int)fd, answer);
	syscall(SYS_close, (int)fd);
	errno = saved;
	return answer_check(answer, len);
}

int answer_is_literal(const char *host, struct pw_address *address)
{
	char bare[INET6_ADDRSTRLEN + 1];
	size_t len = strcspn(host, "%");
	struct in_addr v4;

	memset(address, 0, sizeof(*address));
	if (host[len] == '%') {
		if (len >= sizeof(bare))
			return 0;
		memcpy(bare, host, len);
		bare[len] = '\0';
		address->family = AF_INET6;
		return inet_pton(AF_INET6, bare, address->bytes) == 1;
	}
	/* 127.1 and 0x7f000001 are addresses for libc; what follows a blank it does not look at. */
	if (!strpbrk(host, " \t\n\v\f\r") && inet_aton(host, &v4)) {
		address->family = AF_INET;
		memcpy(address->bytes, &v4, sizeof(v4));
		return 1;
	}
	address->family = AF_INET6;
	return inet_pton(AF_INET6, host, address->bytes) == 1;
}

void answer_text(const struct pw_address *address, char text[ANSWER_TEXT])
{
	text[0] = '\0';
	inet_ntop((int)address->family, address->bytes, text, ANSWER_TEXT);
	if (address->family != AF_INET6 || !address->scope)
		return;
	shim_append(text, ANSWER_TEXT, "%");
	shim_append_number(text, ANSWER_TEXT, address->scope);
}

void answer_tell_spelling(const char *host, const struct pw_address *literal)
{
	char text[ANSWER_TEXT];
	struct pw_answer ignored;

	if (literal->family != AF_INET)
		return;
	answer_text(literal, text);
	if (strcmp(text, host))
		answer_ask(host, AF_INET, 0, &ignored);
}

void answer_refuse_reverse(int family, const void *bytes)
{
	struct pw_address address = { .family = (uint32_t)family };
	char text[ANSWER_TEXT];

	memcpy(address.bytes, bytes, family == AF_INET ? 4 : 16);
	answer_text(&address, text);
	shim_event(PW_EV_REVERSE, text, &(struct shim_origin){ 0 });
}

int answer_is_loopback(int family, const void *bytes)
{
	static const unsigned char one[16] = { [15] = 1 };
	const unsigned char *b = bytes;

	return family == AF_INET ? b[0] == 127 : family == AF_INET6 && !memcmp(b, one, sizeof(one));
}
