/* Threads race the check against the use: one makes a call over and over, another swaps what the call names.
 *
 *     race NAME TRIES [key=value…]        one line of JSON about what the program itself could see
 *     race NAME 0 only=flip folder=DIR …  swaps names in DIR, which it makes, until it is told to end (SIGTERM)
 *     race NAME TRIES only=try folder=DIR …   for which the other process swaps
 *     race ran FILE                       appends to FILE and exits with 77: the program that must not be started
 *
 * Built from all files of this folder.  The calls are raw: no interposer sees them.  What is swapped is one aligned word where it
 * is memory (own and outside differ in the first eight bytes only), so that no look ever falls on half an address.  The judgement is
 * the test's: connections and bytes at sinks that it owns, markers, the victim's mode and size; `foreign` counts what only the program
 * can know: reads that returned another file's content, started programs that are not the own one.
 * Everything is bounded: TRIES, and LIMIT seconds. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/race/race.h"

#define LIMIT 240
#define RAN 77
#define ERRNOS 134

const char *race_name;
char race_own_dir[512];
bool race_inet, race_unix;

static unsigned long tries, done, errors[ERRNOS], foreign;
static struct { atomic_ulong flips; atomic_bool stop; } *both; /* in memory that a swapping process has too */
static char foreign_text[128];
static struct { const char *key, *value; } given[16];

const char *race_get_or(const char *key, const char *otherwise)
{
	for (size_t i = 0; i < LEN(given) && given[i].key; i++) {
		if (!strcmp(given[i].key, key))
			return given[i].value;
	}
	return otherwise;
}

const char *race_get(const char *key)
{
	const char *value = race_get_or(key, NULL);

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

void race_must(bool good, const char *what)
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

bool race_count(long result)
{
	int error = result < 0 ? errno : 0;

	errors[error < ERRNOS ? error : ERRNOS - 1]++;
	return result >= 0;
}

void race_also(unsigned long more)
{
	done += more;
}

void race_foreign(const char *text, size_t len)
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

/* Stands in the home as the program that must not be started. */
static int ran(const char *marker)
{
	int fd = open(marker, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd >= 0 && write(fd, "ran\n", 4) != 4)
		perror(marker);
	return RAN;
}

/* --- who swaps, and who tries ------------------------------------------------------------------------------------------------------------ */

static void swap(const struct race *race, uint32_t random)
{
	race->flip(random);
	atomic_fetch_add_explicit(&both->flips, 1, memory_order_relaxed);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Pauses of a few nanoseconds to some 20 us: the window between check and use is somewhere among them. */
static void flip_until(const struct race *race, double end)
{
	uint32_t state = 2463534242u;

	while (!atomic_load_explicit(&both->stop, memory_order_relaxed) && now() < end) {
		uint32_t r = random_next(&state);

		swap(race, r >> 8);
		for (volatile uint32_t pause = 1u << (r & 15); pause; pause--)
			;
	}
}

static void *flipper(void *argument)
{
	const struct race *race = argument;

	if (race->yields)
		syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &(struct sched_param){0});
	flip_until(race, now() + 2 * LIMIT);
	return NULL;
}

static void beat_until(const struct race *race, double end)
{
	uint32_t state = 88675123u;

	while (!atomic_load_explicit(&both->stop, memory_order_relaxed) && now() < end) {
		uint32_t r = random_next(&state);

		swap(race, r >> 8);
		usleep(20 + (r & 127));
	}
}

/* On a busy machine a thread that makes way does not run at all: this one always does, now and then. */
static void *metronome(void *argument)
{
	beat_until(argument, now() + 2 * LIMIT);
	return NULL;
}

static void report(double seconds)
{
	const char *comma = "";

	printf("{\"race\": \"%s\", \"tries\": %lu, \"done\": %lu, \"seconds\": %.3f, \"flips\": %lu, \"foreign\": %lu, \"text\": \"%s\", "
	       "\"inet\": %s, \"unix\": %s, \"errors\": {",
	       race_name, tries, done, seconds, atomic_load(&both->flips), foreign, foreign_text, race_inet ? "true" : "false",
	       race_unix ? "true" : "false");
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

static pthread_t threads[2];
static pid_t process;

static void start_swapping(const struct race *race)
{
	if (race_prepared())
		return;
	if (race->process) {
		process = fork();
		race_must(process >= 0, "fork");
		if (process == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			flip_until(race, now() + 2 * LIMIT);
			_exit(0);
		}
		return;
	}
	race_must(!(errno = pthread_create(&threads[0], NULL, flipper, (void *)race)), "thread");
	if (race->yields)
		race_must(!(errno = pthread_create(&threads[1], NULL, metronome, (void *)race)), "thread");
}

static void stop_swapping(const struct race *race)
{
	atomic_store(&both->stop, true);
	if (race_prepared())
		return;
	if (race->process) {
		waitpid(process, NULL, 0);
		return;
	}
	pthread_join(threads[0], NULL);
	if (race->yields)
		pthread_join(threads[1], NULL);
}

static void run(const struct race *race)
{
	unsigned pause = (unsigned)atoi(race_get_or("pause", "0"));
	double start;

	race->init();
	start_swapping(race);
	while (!race_prepared() && !atomic_load(&both->flips))
		sched_yield();
	start = now();
	for (unsigned long round = 0; done < tries && ((round & 63) || now() - start < LIMIT); round++, done++)
		pause_and_try(race, pause);
	double seconds = now() - start;
	stop_swapping(race);
	report(seconds);
}

bool race_prepared(void)
{
	return !strcmp(race_get_or("only", ""), "try");
}

static void on_term(int signal)
{
	(void)signal;
	atomic_store(&both->stop, true);
}

static void flip_only(const struct race *race)
{
	double start = now();

	signal(SIGTERM, on_term);
	race->init();
	beat_until(race, start + LIMIT);
	report(now() - start);
}

static void own_folder(void)
{
	const char *tmp = getenv("TMPDIR"), *folder = race_get_or("folder", NULL);

	if (folder) {
		race_must((race_prepared() || !mkdir(folder, 0755)) && !chdir(folder) && getcwd(race_own_dir, sizeof race_own_dir), folder);
		return;
	}
	snprintf(race_own_dir, sizeof race_own_dir, "%s/raceXXXXXX", tmp && *tmp ? tmp : "/tmp");
	race_must(mkdtemp(race_own_dir) && !chdir(race_own_dir), "own folder");
}

static const struct race *find(const struct race *race)
{
	while (race->name && strcmp(race->name, race_name) != 0)
		race++;
	return race->name ? race : NULL;
}

int main(int argc, char **argv)
{
	const struct race *race;

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

		race_must(equals != NULL, argv[i]);
		*equals = '\0';
		given[i - 3].key = argv[i];
		given[i - 3].value = equals + 1;
	}
	signal(SIGPIPE, SIG_IGN);
	both = mmap(NULL, sizeof *both, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	race_must(both != MAP_FAILED, "memory");
	own_folder();
	race = find(races_of_sockets);
	race = race ? race : find(races_of_files);
	race = race ? race : find(races_of_trees);
	if (!race) {
		fprintf(stderr, "race: no race %s\n", race_name);
		return 2;
	}
	(strcmp(race_get_or("only", ""), "flip") ? run : flip_only)(race);
	return 0;
}
