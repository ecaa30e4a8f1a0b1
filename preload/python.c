#include "preload/python.h"

#include <stdatomic.h>
#include <string.h>

#include "preload/next.h"
#include "preload/shim.h"

struct python python_it;
static _Atomic int waiting; /* there is a CPython, and it has not started yet */

static void *thread(void)
{
	return python_it.PyThreadState_GetUnchecked ? python_it.PyThreadState_GetUnchecked() : python_it._PyThreadState_UncheckedGet();
}

uint64_t python_interpreter(void)
{
	return (uint64_t)python_it.PyInterpreterState_GetID(python_it.PyInterpreterState_Get ? python_it.PyInterpreterState_Get() : python_it._PyInterpreterState_Get());
}

/* Called for every audit event, some thousands in a start of pip: it has to be cheap where nothing is told.  Before an
 * interpreter has a thread and while one ends there is nothing to look at. */
static int hook(const char *event, PyObject *args, void *data)
{
	if (!thread() || !strncmp(event, "cpython.", 8))
		return 0;
	python_wrap(python_interpreter());
	python_act(event, args);
	return 0;
}

/* TMPDIR is <run>/<number>t. */
static void find_run(void)
{
	const char *temp = shim_getenv("TMPDIR");
	const char *slash = temp && strstr(temp, "/pw-") ? strrchr(temp, '/') : NULL;
	size_t len = slash ? (size_t)(slash + 1 - temp) : 0;

	if (len < sizeof(python_it.run))
		memcpy(python_it.run, temp, len);
}

#define COUNT(type, name, args) +1
#define NAME(type, name, args) #name "\0"
#define NEEDED (0 PYTHON_FUNCTIONS(COUNT))
#define ALL (NEEDED PYTHON_VERSIONED(COUNT))

void python_start(void)
{
	static const char names[] = PYTHON_FUNCTIONS(NAME) PYTHON_VERSIONED(NAME);
	struct next_want want[ALL];
	void **slots = (void **)&python_it;

	next_names(want, slots, ALL, names);
	/* Most programs are no Python: they are asked for one name only. */
	if (next_find(NULL, want, 1, NULL, 0) != 1)
		return;
	next_find(NULL, want, ALL, NULL, 0);
	for (size_t i = 0; i < NEEDED; i++) {
		if (!slots[i])
			return;
	}
	find_run();
	if ((python_it.PyInterpreterState_Get || python_it._PyInterpreterState_Get) && (python_it.PyThreadState_GetUnchecked || python_it._PyThreadState_UncheckedGet))
		atomic_store_explicit(&waiting, 1, memory_order_release);
}

void python_opens(void)
{
	if (!atomic_load_explicit(&waiting, memory_order_acquire))
		return;
	if (python_it.Py_IsInitialized()) /* too late: other hooks would be asked, and this may be any thread, without the GIL */
		atomic_store(&waiting, 0);
	else if (python_it.PyInterpreterState_Main() && atomic_exchange(&waiting, 0))
		python_it.PySys_AddAuditHook(hook, NULL);
}
