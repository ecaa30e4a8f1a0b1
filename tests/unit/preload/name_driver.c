/* Resolves names and addresses as its arguments say and prints what came of it.
 *
 *     name_driver gai NODE SERVICE FAMILY TYPE FLAGS   getaddrinfo ("-" for NULL; FLAGS "none": no hints)
 *     name_driver host NAME FAMILY                     all four gethostbyname functions
 *     name_driver small NAME                           gethostbyname_r with buffers of growing size
 *     name_driver addr ADDRESS FAMILY                  gethostbyaddr and its _r
 *     name_driver info ADDRESS FAMILY FLAGS            getnameinfo
 *     name_driver errno NAME                           that nothing changes errno
 * Several commands may follow one another, separated by a "+". */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void print_hostent(const char *what, const struct hostent *h, int herr)
{
	char text[64];

	printf("%s: ", what);
	if (!h) {
		printf("error %d\n", herr);
		return;
	}
	printf("%s type=%d length=%d aliases=%d", h->h_name, h->h_addrtype, h->h_length, h->h_aliases[0] != NULL);
	for (char **a = h->h_addr_list; *a; a++)
		printf(" %s", inet_ntop(h->h_addrtype, *a, text, sizeof(text)));
	printf("\n");
}

static void print_list(const struct addrinfo *list)
{
	char host[128], port[32];

	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
		printf(" %d/%d/%d/%s/%s/%s", ai->ai_family, ai->ai_socktype, ai->ai_protocol, host, port,
			ai->ai_canonname ? ai->ai_canonname : "");
		if (ai->ai_family != ai->ai_addr->sa_family)
			printf(" BAD");
	}
	printf("\n");
}

static void do_gai(char **arg)
{
	const char *node = strcmp(arg[0], "-") ? arg[0] : NULL, *service = strcmp(arg[1], "-") ? arg[1] : NULL;
	struct addrinfo hints = { .ai_family = atoi(arg[2]), .ai_socktype = atoi(arg[3]) };
	struct addrinfo *list = NULL;
	int err;

	hints.ai_flags = (int)strtol(arg[4], NULL, 0);
	errno = 99;
	err = getaddrinfo(node, service, strcmp(arg[4], "none") ? &hints : NULL, &list);
	printf("gai %s: %d errno=%s", arg[0], err, err == EAI_SYSTEM ? strerror(errno) : "-");
	if (!err)
		print_list(list);
	else
		printf("\n");
	if (!err)
		freeaddrinfo(list);
}

static void do_host(char **arg)
{
	char buf[4096];
	struct hostent host, *result;
	int family = atoi(arg[1]), herr = 0, ret;

	h_errno = 0;
	if (family == AF_INET) {
		result = gethostbyname(arg[0]);
		print_hostent("gethostbyname", result, h_errno);
		ret = gethostbyname_r(arg[0], &host, buf, sizeof(buf), &result, &herr);
		printf("%d ", ret);
		print_hostent("gethostbyname_r", result, herr);
	}
	result = gethostbyname2(arg[0], family);
	print_hostent("gethostbyname2", result, h_errno);
	ret = gethostbyname2_r(arg[0], family, &host, buf + 1, sizeof(buf) - 1, &result, &herr);
	printf("%d ", ret);
	print_hostent("gethostbyname2_r", result, herr);
}

static void do_small(char **arg)
{
	char *buf;
	struct hostent host, *result;
	int herr, ret, size = 0;

	/* Each buffer ends where its memory does, so that a tool for that sees what is written past it. */
	for (; size < 4096; size++) {
		buf = malloc((size_t)size + 1);
		memset(buf, 0x5a, (size_t)size + 1);
		ret = gethostbyname_r(arg[0], &host, buf, (size_t)size, &result, &herr);
		if (buf[size] != 0x5a)
			printf("small: overrun at %d\n", size);
		free(buf);
		if (ret != ERANGE)
			break;
		if (result)
			printf("small: a result with ERANGE\n");
	}
	printf("small %s: %d result=%d herr=%d grew=%d\n", arg[0], ret, result != NULL, herr, size > 0);
}

static void do_addr(char **arg)
{
	char addr[16] = "", buf[512];
	struct hostent host, *result;
	int family = atoi(arg[1]), herr = 0, ret;
	socklen_t len = family == AF_INET ? 4 : 16;

	inet_pton(family, arg[0], addr);
	result = gethostbyaddr(addr, len, family);
	print_hostent("gethostbyaddr", result, h_errno);
	ret = gethostbyaddr_r(addr, len, family, &host, buf, sizeof(buf), &result, &herr);
	printf("%d ", ret);
	print_hostent("gethostbyaddr_r", result, herr);
}

static void do_info(char **arg)
{
	struct sockaddr_storage ss = { .ss_family = (sa_family_t)atoi(arg[1]) };
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
	char host[128] = "", port[32] = "";
	int v4 = ss.ss_family == AF_INET, err;

	inet_pton(ss.ss_family, arg[0], v4 ? (void *)&in->sin_addr : (void *)&in6->sin6_addr);
	if (v4)
		in->sin_port = htons(443);
	else
		in6->sin6_port = htons(443);
	err = getnameinfo((struct sockaddr *)&ss, v4 ? sizeof(*in) : sizeof(*in6), host, sizeof(host), port, sizeof(port),
		atoi(arg[2]));
	printf("info %s: %d %s %s\n", arg[0], err, err ? "" : host, err ? "" : port);
	if (v4 && !err) {
		err = getnameinfo((struct sockaddr *)&ss, sizeof(*in), host, 3, NULL, 0, atoi(arg[2]));
		printf("info short: %d\n", err);
	}
}

static void do_errno(char **arg)
{
	struct addrinfo *list = NULL;

	errno = 42;
	if (!getaddrinfo(arg[0], "80", NULL, &list))
		freeaddrinfo(list);
	printf("errno %s: %d\n", arg[0], errno);
}

static const struct {
	const char *name;
	int args;
	void (*run)(char **);
} commands[] = {
	{ "gai", 5, do_gai }, { "host", 2, do_host }, { "small", 1, do_small }, { "addr", 2, do_addr },
	{ "info", 3, do_info }, { "errno", 1, do_errno },
};

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int known = 0;

		for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
			if (strcmp(argv[i], commands[c].name) || i + commands[c].args >= argc)
				continue;
			commands[c].run(argv + i + 1);
			i += commands[c].args;
			known = 1;
			break;
		}
		if (!known && strcmp(argv[i], "+"))
			return 2;
	}
	return 0;
}
