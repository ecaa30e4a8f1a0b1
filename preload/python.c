#include "preload/python.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "preload/next.h"
#include "preload/shim.h"

static struct python py;
static _Atomic int waiting; /* there is a CPython, and it has not started yet */

/* Of each thread.  In the block that every thread starts with: reading it calls nothing. */
static __thread struct {
	uint64_t walk; /* the file that last walked over the environment, as a hash; 0: none */
	int busy;      /* what is looked up here may run other hooks, which may read variables */
} self __attribute__((tls_model("initial-exec")));

/* --- reports ----------------------------------------------------------------------------------- */

/* A name that stands in the code is interned.  One that a walk gave out is not: reading it is a part of the walk, of which every
 * build makes many. */
static int is_literal(PyObject *key, const char *name)
{
	PyObject *interned = py.PyUnicode_InternFromString(name);

	if (interned)
		py.Py_DecRef(interned);
	return interned == key;
}

static void report(enum pw_record_type type, const char *name, PyObject *key)
{
	PyObject *pending[3];
	struct python_origin o;
	uint64_t file;
	int saved = errno;

	if (self.busy)
		return;
	self.busy = 1;
	py.PyErr_Fetch(&pending[0], &pending[1], &pending[2]);
	python_find_origin(&py, &o);
	file = shim_hash(o.file, 0);
	if (type == PW_EV_ENV_WALK)
		self.walk = file;
	if ((type == PW_EV_ENV_WALK || self.walk != file || is_literal(key, name)) && shim_first(name, o.file, o.line))
		shim_event(type, name, &(struct shim_origin){ .file = o.file, .function = o.function, .line = o.line });
	py.PyErr_Restore(pending[0], pending[1], pending[2]);
	self.busy = 0;
	errno = saved;
}

/* The name as libc would have it, or NULL: keys of os.environ are text, of os.environb bytes. */
static const char *name_of(PyObject *key)
{
	ssize_t len = 0;
	const char *text = py.PyUnicode_AsUTF8AndSize(key, &len);
	char *bytes;

	if (!text) {
		py.PyErr_Clear();
		if (py.PyBytes_AsStringAndSize(key, &bytes, &len) < 0)
			py.PyErr_Clear();
		else
			text = bytes;
	}
	return text && strlen(text) == (size_t)len ? text : NULL;
}

/* --- the wrapped methods ----------------------------------------------------------------------- */

static PyObject *get_item(PyObject *original, PyObject *args, PyObject *kwargs)
{
	PyObject *key = py.PyTuple_GetItem(args, 1); /* after the mapping itself */
	const char *name = key ? name_of(key) : NULL;

	if (!key)
		py.PyErr_Clear();
	if (name && shim_listed(name))
		report(PW_EV_ENV_READ, name, key);
	return py.PyObject_Call(original, args, kwargs);
}

static PyObject *walk(PyObject *original, PyObject *args, PyObject *kwargs)
{
	report(PW_EV_ENV_WALK, PW_TEXT_WALK, NULL);
	return py.PyObject_Call(original, args, kwargs);
}

/* CPython's PyMethodDef. */
static const struct method {
	const char *name;
	PyObject *(*call)(PyObject *, PyObject *, PyObject *);
	int flags;
	const char *doc;
} methods[] = {
#define VARARGS_KEYWORDS 3
	{ "__getitem__", get_item, VARARGS_KEYWORDS, "__getitem__($original, self, key)\n--\n\n" },
	{ "__iter__", walk, VARARGS_KEYWORDS, "__iter__($original, self)\n--\n\n" },
	{ "__repr__", walk, VARARGS_KEYWORDS, "__repr__($original, self)\n--\n\n" },
};

/* In place: the class, its instances and their type stay what they are.  The new method is a function of C that calls the
 * original, so no frame is added to a traceback. */
static void wrap(PyObject *class, const struct method *m)
{
	PyObject *original = py.PyObject_GetAttrString(class, m->name);
	PyObject *function = original ? py.PyCFunction_NewEx((void *)m, original, NULL) : NULL;
	PyObject *method = function ? py.PyInstanceMethod_New(function) : NULL;

	if (method) {
		py.PyObject_SetAttrString(class, m->name, method);
		py.Py_DecRef(method);
	}
	if (function)
		py.Py_DecRef(function);
	if (original)
		py.Py_DecRef(original);
}

/* --- the hook ---------------------------------------------------------------------------------- */

/* Interpreters of the process that are done with, by id.  Ids are not used again; the first 256 are enough. */
static _Atomic uint64_t done[4];

static void find_library(PyObject *os)
{
	PyObject *file = py.PyDict_GetItemString(os, "__file__");
	const char *path = file ? py.PyUnicode_AsUTF8AndSize(file, NULL) : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;
	size_t len = slash ? (size_t)(slash + 1 - path) : 0;

	if (len < sizeof(py.library) && !py.library[0])
		memcpy(py.library, path, len);
}

/* The dictionary of a complete os, or NULL: getenvb is the last that it defines for what is wrapped here.  Everything is
 * looked up in dictionaries: no code of the program runs. */
static PyObject *complete_os(void)
{
	PyObject *modules = py.PySys_GetObject("modules");
	PyObject *os = modules ? py.PyDict_GetItemString(modules, "os") : NULL;

	os = os ? py.PyModule_GetDict(os) : NULL;
	return os && py.PyDict_GetItemString(os, "getenvb") ? os : NULL;
}

static void try_to_wrap(uint64_t id)
{
	PyObject *pending[3], *os, *class;
	uint64_t bit = UINT64_C(1) << id % 64;

	py.PyErr_Fetch(&pending[0], &pending[1], &pending[2]);
	os = complete_os();
	if (os && !(atomic_fetch_or(&done[id / 64], bit) & bit)) {
		find_library(os);
		class = py.PyDict_GetItemString(os, "_Environ");
		for (size_t i = 0; class && i < sizeof(methods) / sizeof(methods[0]); i++)
			wrap(class, &methods[i]);
	}
	py.PyErr_Clear();
	py.PyErr_Restore(pending[0], pending[1], pending[2]);
}

static void *thread(void)
{
	return py.PyThreadState_GetUnchecked ? py.PyThreadState_GetUnchecked() : py._PyThreadState_UncheckedGet();
}

/* Called for every audit event, some thousands in a start of pip: it has to be cheap once everything is done.  Before an
 * interpreter has a thread and while one ends there is nothing to look at. */
static int hook(const char *event, PyObject *args, void *data)
{
	uint64_t id;

	if (!thread() || !strncmp(event, "cpython.", 8))
		return 0;
	id = (uint64_t)py.PyInterpreterState_GetID(py.PyInterpreterState_Get ? py.PyInterpreterState_Get() : py._PyInterpreterState_Get());
	if (id < sizeof(done) * 8 && !(atomic_load_explicit(&done[id / 64], memory_order_relaxed) >> id % 64 & 1))
		try_to_wrap(id);
	return 0;
}

#define COUNT(type, name, args) +1
#define NAME(type, name, args) #name "\0"
#define NEEDED (0 PYTHON_FUNCTIONS(COUNT))
#define ALL (NEEDED PYTHON_VERSIONED(COUNT))

void python_start(void)
{
	static const char names[] = PYTHON_FUNCTIONS(NAME) PYTHON_VERSIONED(NAME);
	struct next_want want[ALL];
	void **slots = (void **)&py;

	next_names(want, slots, ALL, names);
	/* Most programs are no Python: they are asked for one name only. */
	if (next_find(NULL, want, 1, NULL, 0) != 1)
		return;
	next_find(NULL, want, ALL, NULL, 0);
	for (size_t i = 0; i < NEEDED; i++) {
		if (!slots[i])
			return;
	}
	if ((py.PyInterpreterState_Get || py._PyInterpreterState_Get) && (py.PyThreadState_GetUnchecked || py._PyThreadState_UncheckedGet))
		atomic_store_explicit(&waiting, 1, memory_order_release);
}

void python_opens(void)
{
	if (!atomic_load_explicit(&waiting, memory_order_acquire))
		return;
	if (py.Py_IsInitialized()) /* too late: other hooks would be asked, and this may be any thread, without the GIL */
		atomic_store(&waiting, 0);
	else if (py.PyInterpreterState_Main() && atomic_exchange(&waiting, 0))
		py.PySys_AddAuditHook(hook, NULL);
}
