/* Threads race the check against the use: one makes a call over and over, another swaps what the call names.
 *
 *     race NAME TRIES [key=value…]        one line of JSON about what the program itself could see
 *     race ran FILE                       appends to FILE and exits with 77: the program that must not be started
 *
 * The calls are raw: no interposer sees them.  What is swapped is one aligned word where it is memory (own and outside differ in the
 * first eight bytes only), so that no look ever falls on half an address.  The judgement is the test's: connections and bytes at sinks
 * that it owns, markers, the victim's mode and size; `foreign` counts what only the program can know: reads that returned another
 * file's content, started programs that are not the own one.
 * Everything is bounded: TRIES, and LIMIT seconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT 150
#define RAN 77
#define NOT_RAN 111
#define OWN_TEXT "the program's own file\n"
#define ERRNOS 134
#define LEN(a) (sizeof(a) / sizeof(a)[0])

/* Descriptors that are swapped, at fixed numbers: USED is what the call names. */
enum { USED = 100, SLOT_A, SLOT_B };
enum { RENAME_SWAP = 2 }; /* RENAME_EXCHANGE */

/* What memory races flip between: whole words, the rest of the buffer stays. */
struct words {
	_Atomic uint64_t *place;
	uint64_t value[4];
	unsigned count;
};

static const char *race_name;
static unsigned long tries, done, errors[ERRNOS], foreign;
static atomic_ulong flips;
static atomic_bool stop;
static char foreign_text[128];

static char own_dir[512];
static struct words words;
static _Alignas(8) char memory[4096];
static socklen_t address_len;
static int tcp_listener = -1, unix_listener = -1;
static bool inet_sockets, unix_sockets;

static struct { const char *key, *value; } given[16];

static const char *get_or(const char *key, const char *otherwise)
{
	for (size_t i = 0; i < LEN(given) && given[i].key; i++) {
		if (!strcmp(given[i].key, key))
			return given[i].value;
	}
	return otherwise;
}

static const char *get(const char *key)
{
	const char *value = get_or(key, NULL);

	if (!value) {
		fprintf(stderr, "race: %s needs %s=…\n", race_name, key);
		exit(2);
	}
	return value;
}

static void die(const char *what)
{
	fprintf(stderr, "race: %s: %s: %s\n", race_name, what, strerror(errno));
	exit(2);
}

static void must(bool good, const char *what)
{
	if (!good)
		die(what);
}

static uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A call's result, counted. */
static bool count(long result)
{
	int error = result < 0 ? errno : 0;

	errors[error < ERRNOS ? error : ERRNOS - 1]++;
	return result >= 0;
}

static void note_foreign(const char *text, size_t len)
{
	if (foreign++ || !len)
		return;
	len = len < sizeof foreign_text ? len : sizeof foreign_text - 1;
	memcpy(foreign_text, text, len);
	for (size_t i = 0; i < len; i++) {
		if (foreign_text[i] < ' ' || foreign_text[i] == '"' || foreign_text[i] == '\\')
			foreign_text[i] = ' ';
	}
}

static void write_own(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(fd >= 0 && write(fd, OWN_TEXT, strlen(OWN_TEXT)) > 0, name);
	close(fd);
}

/* --- memory ------------------------------------------------------------------------------------------------------------------ */

/* The place where bytes of `rest` follow an eight-byte word that is swapped. */
static void words_init(void *place)
{
	words = (struct words){.place = place};
}

static void words_add(const void *eight)
{
	memcpy(&words.value[words.count++], eight, 8);
}

static void flip_words(uint32_t r)
{
	atomic_store_explicit(words.place, words.value[r % words.count], memory_order_release);
}

/* `own` (at most 7 characters) and `outside` (absolute) share one buffer: "own\0…" and "////////tmp/secret". */
static void words_paths(const char *own, const char *outside)
{
	char eight[8] = {0};

	must(strlen(own) < sizeof eight && strlen(outside) + 8 < sizeof memory, "paths");
	words_init(memory);
	memcpy(eight, own, strlen(own));
	words_add(eight);
	words_add("////////");
	snprintf(memory, sizeof memory, "////////%s", outside + 1);
}

/* --- connect ----------------------------------------------------------------------------------------------------------------- */

/* struct sockaddr_in and struct sockaddr_un differ in their first eight bytes; sun_path goes on with the outside path. */
static void add_inet(const char *address, int port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	must(inet_pton(AF_INET, address, &in.sin_addr) == 1, "address");
	words_add(&in);
}

static void add_unix(const char *six)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memcpy(un.sun_path, six, 6);
	words_add(&un);
}

static int own_tcp_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in;

	tcp_listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	inet_sockets = tcp_listener >= 0;
	if (!inet_sockets)
		return 1;
	must(!bind(tcp_listener, (struct sockaddr *)&in, len) && !listen(tcp_listener, 1024) &&
	     !getsockname(tcp_listener, (struct sockaddr *)&in, &len), "own TCP listener");
	return ntohs(in.sin_port);
}

static void own_unix_listener(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "own.s"};

	unix_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unix_sockets = unix_listener >= 0;
	if (unix_sockets)
		must(!bind(unix_listener, (struct sockaddr *)&un, sizeof un) && !listen(unix_listener, 1024), "own AF_UNIX listener");
}

static void drain(int listener)
{
	int fd;

	while (listener >= 0 && (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
}

/* Where the sandbox may make none, one end of a pair without a peer stands in: the nearest thing that it can have. */
static int new_unix(void)
{
	int pair[2];

	if (unix_sockets)
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	close(pair[1]);
	return pair[0];
}

static int new_tcp(void)
{
	struct linger linger = {.l_onoff = 1}; /* no TIME_WAIT: 100,000 of them would eat the ports */
	int fd = inet_sockets ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : new_unix();

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	return fd;
}

static void put(int fd, int slot)
{
	must(fd >= 0 && dup3(fd, slot, O_CLOEXEC) == slot, "slot");
	close(fd);
}

static void sockets_renew(void)
{
	put(new_tcp(), SLOT_A);
	put(new_unix(), SLOT_B);
}

static void sockets_init(void)
{
	int port = own_tcp_port();
	const char *agent = get("agent");
	struct sockaddr_un *un = (struct sockaddr_un *)memory;

	own_unix_listener();
	must(strlen(agent) + 6 < sizeof un->sun_path, "agent's path");
	snprintf(un->sun_path, sizeof un->sun_path, "//////%s", agent + 1);
	address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(un->sun_path));
	words_init(memory);
	add_inet("127.0.0.1", port);
	if (!strcmp(race_name, "address")) {
		add_inet(get("address"), atoi(get("port")));
		address_len = sizeof(struct sockaddr_in);
	} else {
		add_unix("//////");
		add_unix(strcmp(race_name, "descriptor") ? "own.s" : "\0race-"); /* the abstract one: "\0race-" and the path's rest */
	}
	sockets_renew();
}

static void say(int fd)
{
	char text[64];
	int len = snprintf(text, sizeof text, "RACE:%s\n", race_name);

	syscall(SYS_sendto, fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
}

static void try_connect(int fd)
{
	long r = syscall(SYS_connect, fd, memory, address_len);

	if (!count(r) && (errno == EACCES || errno == EINVAL || errno == EAFNOSUPPORT || errno == ECONNREFUSED || errno == ENETUNREACH))
		return; /* the socket is as good as new */
	say(SLOT_A);
	say(SLOT_B);
	drain(tcp_listener);
	drain(unix_listener);
	sockets_renew();
}

static void try_address(unsigned long i)
{
	(void)i;
	try_connect(SLOT_A);
}

static void try_family(unsigned long i)
{
	try_connect(i & 1 ? SLOT_A : SLOT_B);
}

static void try_descriptor(unsigned long i)
{
	(void)i;
	try_connect(USED);
}

/* Mostly the socket that fits the address, so that what is looked at is in order; in either order, so that what is used may not be. */
static void flip_descriptor(uint32_t r)
{
	unsigned address = r % words.count;
	int slot = (address == 0) == ((r >> 8) % 4 > 0) ? SLOT_A : SLOT_B;

	if (r & 1 << 12)
		flip_words(address);
	dup3(slot, USED, O_CLOEXEC);
	flip_words(address);
}

static void descriptor_init(void)
{
	sockets_init();
	must(dup3(SLOT_A, USED, O_CLOEXEC) == USED, "dup3");
}

/* --- send -------------------------------------------------------------------------------------------------------------------- */

static struct sockaddr_in to[2];
static struct msghdr message;

static void send_init(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in;
	int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_sockets = sender >= 0;
	if (inet_sockets) {
		must(!bind(receiver, (struct sockaddr *)&in, len) && !getsockname(receiver, (struct sockaddr *)&in, &len), "own UDP socket");
		put(sender, SLOT_A); /* never read: a full buffer drops, which costs the sender nothing */
	}
	to[0] = in;
	to[1] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(get("port")))};
	must(inet_pton(AF_INET, get("address"), &to[1].sin_addr) == 1, "address");
	static struct iovec text = {.iov_base = "RACE:send\n", .iov_len = 10};
	message = (struct msghdr){.msg_namelen = sizeof to[0], .msg_iov = &text, .msg_iovlen = 1, .msg_name = &to[0]};
	words_init(&message.msg_name);
	for (int i = 0; i < 2; i++)
		words_add(&(void *){&to[i]});
}

static void try_send(unsigned long i)
{
	(void)i;
	count(syscall(SYS_sendmsg, SLOT_A, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

static void flip_slots(uint32_t r)
{
	dup3(r & 1 ? SLOT_A : SLOT_B, USED, O_CLOEXEC);
}

/* --- open -------------------------------------------------------------------------------------------------------------------- */

static void look(long fd)
{
	char text[128];

	if (!count(fd))
		return;
	ssize_t n = read((int)fd, text, sizeof text);
	if (n < 0 || (size_t)n != strlen(OWN_TEXT) || memcmp(text, OWN_TEXT, strlen(OWN_TEXT)) != 0)
		note_foreign(text, n > 0 ? (size_t)n : 0);
	close((int)fd);
}

static void path_init(void)
{
	write_own("own");
	words_paths("own", get("secret"));
}

static void try_path(unsigned long i)
{
#ifdef SYS_open
	if (i & 1) {
		look(syscall(SYS_open, memory, O_RDONLY | O_CLOEXEC, 0));
		return;
	}
#endif
	look(syscall(SYS_openat, AT_FDCWD, memory, O_RDONLY | O_CLOEXEC, 0));
}

static void link_init(void)
{
	write_own("own");
	must(!symlink("own", "link") && !symlink(get("secret"), "other"), "symlink");
}

static void flip_link(uint32_t r)
{
	(void)r;
	syscall(SYS_renameat2, AT_FDCWD, "link", AT_FDCWD, "other", RENAME_SWAP);
}

static void try_link(unsigned long i)
{
	(void)i;
	look(syscall(SYS_openat, AT_FDCWD, "link", O_RDONLY | O_CLOEXEC, 0));
}

static const char *secret_name(void)
{
	return strrchr(get("secret"), '/') + 1;
}

static const char *secret_dir(void)
{
	static char dir[1024];

	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(get("secret"), '/') - get("secret")), get("secret"));
	return dir;
}

/* An O_PATH descriptor reads nothing, so anybody may have one of a folder that can be reached. */
static void dirfd_init(void)
{
	write_own(secret_name());
	put(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), SLOT_A);
	put(open(secret_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC), SLOT_B);
	must(dup3(SLOT_A, USED, O_CLOEXEC) == USED, "dup3");
}

static void try_dirfd(unsigned long i)
{
	(void)i;
	look(syscall(SYS_openat, USED, secret_name(), O_RDONLY | O_CLOEXEC, 0));
}

static void cwd_init(void)
{
	write_own(secret_name());
	must(!chdir(secret_dir()) && !chdir(own_dir), "chdir");
}

static void flip_cwd(uint32_t r)
{
	if (chdir(r & 1 ? own_dir : secret_dir()))
		atomic_fetch_sub(&flips, 1);
}

static void try_cwd(unsigned long i)
{
	(void)i;
	look(syscall(SYS_openat, AT_FDCWD, secret_name(), O_RDONLY | O_CLOEXEC, 0));
}

/* --- what is served on a pinned object --------------------------------------------------------------------------------------- */

static void victim_init(void)
{
	write_own("own");
	words_paths("own", get("victim"));
}

static void try_mode(unsigned long i)
{
	count(i & 1 ? syscall(SYS_fchmodat, AT_FDCWD, memory, 0666) : syscall(SYS_chmod, memory, 0666));
}

/* The victim may be read, so everybody can have a descriptor of it. */
static void mode_descriptor_init(void)
{
	write_own("own");
	put(open("own", O_RDONLY | O_CLOEXEC), SLOT_A);
	put(open(get("victim"), O_RDONLY | O_CLOEXEC), SLOT_B);
	must(dup3(SLOT_A, USED, O_CLOEXEC) == USED, "dup3");
}

static void try_mode_descriptor(unsigned long i)
{
	(void)i;
	count(syscall(SYS_fchmod, USED, 0666));
}

/* By truncate(), and by an open that only asks to read. */
static void try_truncate(unsigned long i)
{
	long fd;

	if (i & 1) {
		count(syscall(SYS_truncate, memory, 1));
		return;
	}
	fd = syscall(SYS_openat, AT_FDCWD, memory, O_RDONLY | O_TRUNC | O_CLOEXEC, 0);
	if (count(fd))
		close((int)fd);
}

/* --- exec -------------------------------------------------------------------------------------------------------------------- */

static void exec_init(void)
{
	must(!chdir("/bin"), "/bin");
	words_paths("true", get("program"));
}

static int child_exec(void)
{
	char *argv[] = {"true", "ran", (char *)get("marker"), NULL}, *envp[] = {NULL};
	volatile int error = 0;
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		syscall(SYS_execve, memory, argv, envp);
		error = errno; /* the child's memory is ours */
		_exit(NOT_RAN);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_RAN) {
		errno = error;
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void try_exec(unsigned long i)
{
	int status = child_exec();

	(void)i;
	if (count(status) && status)
		note_foreign("program", 7);
}

static int ran(const char *marker)
{
	int fd = open(marker, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd >= 0 && write(fd, "ran\n", 4) != 4)
		perror(marker);
	return RAN;
}

/* --- both threads ------------------------------------------------------------------------------------------------------------ */

static const struct race {
	const char *name;
	void (*init)(void);
	void (*flip)(uint32_t random);
	void (*attempt)(unsigned long i);
	bool yields; /* the swapping thread makes way: a connect is handed from thread to thread, each of which would wait for a processor */
} races[] = {
	{"address", sockets_init, flip_words, try_address, true},
	{"address-family", sockets_init, flip_words, try_family, true},
	{"descriptor", descriptor_init, flip_descriptor, try_descriptor, true},
	{"send", send_init, flip_words, try_send, false},
	{"path", path_init, flip_words, try_path, false},
	{"link", link_init, flip_link, try_link, false},
	{"dirfd", dirfd_init, flip_slots, try_dirfd, false},
	{"cwd", cwd_init, flip_cwd, try_cwd, false},
	{"mode", victim_init, flip_words, try_mode, false},
	{"mode-descriptor", mode_descriptor_init, flip_slots, try_mode_descriptor, false},
	{"truncate", victim_init, flip_words, try_truncate, false},
	{"exec", exec_init, flip_words, try_exec, false},
};

static void swap(const struct race *race, uint32_t random)
{
	race->flip(random);
	atomic_fetch_add_explicit(&flips, 1, memory_order_relaxed);
}

/* Pauses of a few nanoseconds to some 20 us: the window between check and use is somewhere among them. */
static void *flipper(void *argument)
{
	const struct race *race = argument;
	uint32_t state = 2463534242u;

	if (race->yields)
		syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &(struct sched_param){0});
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		uint32_t r = random_next(&state);

		swap(race, r >> 8);
		for (volatile uint32_t pause = 1u << (r & 15); pause; pause--)
			;
	}
	return NULL;
}

/* On a busy machine a thread that makes way does not run at all: this one always does, now and then. */
static void *metronome(void *argument)
{
	const struct race *race = argument;
	uint32_t state = 88675123u;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		uint32_t r = random_next(&state);

		swap(race, r >> 8);
		usleep(20 + (r & 127));
	}
	return NULL;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(double seconds)
{
	const char *comma = "";

	printf("{\"race\": \"%s\", \"tries\": %lu, \"done\": %lu, \"seconds\": %.3f, \"flips\": %lu, \"foreign\": %lu, \"text\": \"%s\", "
	       "\"inet\": %s, \"unix\": %s, \"errors\": {",
	       race_name, tries, done, seconds, atomic_load(&flips), foreign, foreign_text, inet_sockets ? "true" : "false",
	       unix_sockets ? "true" : "false");
	for (int i = 0; i < ERRNOS; i++) {
		if (errors[i]) {
			printf("%s\"%d\": %lu", comma, i, errors[i]);
			comma = ", ";
		}
	}
	printf("}}\n");
	fflush(stdout);
}

/* Unguarded calls are faster than the other thread can swap: pause=MICROSECONDS between them. */
static void pause_and_try(const struct race *race, unsigned pause)
{
	if (pause)
		usleep(pause);
	race->attempt(done);
}

static void run(const struct race *race)
{
	unsigned pause = (unsigned)atoi(get_or("pause", "0"));
	pthread_t threads[2];
	double start;

	race->init();
	must(!(errno = pthread_create(&threads[0], NULL, flipper, (void *)race)), "thread");
	if (race->yields)
		must(!(errno = pthread_create(&threads[1], NULL, metronome, (void *)race)), "thread");
	while (!atomic_load(&flips))
		sched_yield();
	start = now();
	for (done = 0; done < tries && ((done & 63) || now() - start < LIMIT); done++)
		pause_and_try(race, pause);
	double seconds = now() - start;
	atomic_store(&stop, true);
	pthread_join(threads[0], NULL);
	if (race->yields)
		pthread_join(threads[1], NULL);
	report(seconds);
}

static void own_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(own_dir, sizeof own_dir, "%s/raceXXXXXX", tmp && *tmp ? tmp : "/tmp");
	must(mkdtemp(own_dir) && !chdir(own_dir), "own folder");
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "ran"))
		return ran(argv[2]);
	if (argc < 3 || argc > 3 + (int)LEN(given)) {
		fprintf(stderr, "usage: race NAME TRIES [key=value...]\n");
		return 2;
	}
	race_name = argv[1];
	tries = strtoul(argv[2], NULL, 10);
	for (int i = 3; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		must(equals != NULL, argv[i]);
		*equals = '\0';
		given[i - 3].key = argv[i];
		given[i - 3].value = equals + 1;
	}
	signal(SIGPIPE, SIG_IGN);
	own_folder();
	for (size_t i = 0; i < LEN(races); i++) {
		if (!strcmp(races[i].name, race_name)) {
			run(&races[i]);
			return 0;
		}
	}
	fprintf(stderr, "race: no race %s\n", race_name);
	return 2;
}
