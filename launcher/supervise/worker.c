/* Bounded detached threads, and a clock that gets them out of a blocking call. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/base/thread.h"
#include "launcher/supervise/worker.h"

#ifndef sigev_notify_thread_id /* glibc before 2.37 has the field without the name */
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* getaddrinfo and its plug-ins put whole DNS packets on the stack. */
#define WORKER_STACK (512 * 1024)

struct work {
	worker_func *run;
	void *argument;
	unsigned whose;
};

static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned taken_by[WORKERS_MAX]; /* whose the running ones are; in no order */
static size_t running;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void on_tick(int signal)
{
	(void)signal; /* that it came is all: the call it fell into returns EINTR */
}

static void install_tick(void)
{
	struct sigaction action = {.sa_handler = on_tick}; /* no SA_RESTART */

	sigemptyset(&action.sa_mask);
	sigaction(SIGURG, &action, NULL);
}

static bool take_place(unsigned whose)
{
	size_t its = 0;
	bool room;

	pthread_mutex_lock(&places_lock);
	for (size_t i = 0; i < running; i++)
		its += taken_by[i] == whose;
	room = running < (whose == 0 ? WORKERS_MAX : WORKERS_MAX - WORKERS_INSTALLER) && its < WORKERS_EACH;
	if (room)
		taken_by[running++] = whose;
	pthread_mutex_unlock(&places_lock);
	return room;
}

static void leave_place(unsigned whose)
{
	size_t i = 0;

	pthread_mutex_lock(&places_lock);
	while (taken_by[i] != whose)
		i++;
	taken_by[i] = taken_by[--running];
	pthread_mutex_unlock(&places_lock);
}

static void *work_main(void *argument)
{
	struct work work = *(struct work *)argument;

	free(argument);
	work.run(work.argument);
	leave_place(work.whose);
	return NULL;
}

int worker_start(unsigned whose, worker_func *f, void *argument)
{
	struct work *work;
	int error = -ENOMEM;

	pthread_once(&once, install_tick);
	if (!take_place(whose))
		return -EAGAIN;
	work = malloc(sizeof *work);
	if (work) {
		*work = (struct work){.run = f, .argument = argument, .whose = whose};
		error = thread_start(NULL, WORKER_STACK, SIGURG, work_main, work);
	}
	if (error) {
		free(work);
		leave_place(whose);
	}
	return error;
}

int worker_tick_start(struct worker_tick *t, unsigned milliseconds)
{
	struct timespec every = {.tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000};
	struct itimerspec spec = {.it_interval = every, .it_value = every};
	struct sigevent event;

	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGURG;
	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &t->timer))
		return -errno;
	if (timer_settime(t->timer, 0, &spec, NULL)) {
		int error = errno;

		timer_delete(t->timer);
		return -error;
	}
	return 0;
}

void worker_tick_stop(struct worker_tick *t)
{
	timer_delete(t->timer);
}
