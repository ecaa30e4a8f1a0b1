#include "launcher/base/thread.h"

#include <errno.h>
#include <signal.h>

int thread_start(pthread_t *thread, size_t stack, int takes, void *(*f)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t detached;
	sigset_t blocked, before;
	int error;

	if (pthread_attr_init(&attributes) != 0) {
		return -ENOMEM;
	}
	if (stack != 0) {
		pthread_attr_setstacksize(&attributes, stack);
	}
	if (thread == NULL) {
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	}
	sigfillset(&blocked);
	if (takes != 0) {
		sigdelset(&blocked, takes);
	}
	pthread_sigmask(SIG_SETMASK, &blocked, &before); /* inherited */
	error = pthread_create(thread != NULL ? thread : &detached, &attributes, f, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -error;
}
