/* Threads of pipwarden's own processes: with every signal blocked from their first instruction on, so that none of them takes what is meant for the main one. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/* 0 or -errno.  thread: to be joined; NULL: detached.  stack: bytes, 0: as usual.  takes: a signal that it does not block; 0: none. */
int thread_start(pthread_t *thread, size_t stack, int takes, void *(*f)(void *), void *argument);

#endif
