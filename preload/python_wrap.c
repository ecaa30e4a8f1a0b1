/* What is done without an audit event, or before it: the methods and functions are wrapped. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "preload/intent.h"
#include "preload/python.h"

/* --- reads of the environment ------------------------------------------------------------------ */

/* A name that stands in the code is interned.  One that a walk gave out is not: reading it is a part of the walk, of which every
 * build makes many. */
static int is_literal(PyObject *key, const char *name)
{
	PyObject *interned = python_it.PyUnicode_InternFromString(name);

	if (interned)
		python_it.Py_DecRef(interned);
	return interned == key;
}

static void report(enum pw_record_type type, const char *name, PyObject *key)
{
	PyObject *pending[3];
	struct python_origin o;
	uint64_t file;
	int saved = errno;

	if (shim_self.busy)
		return;
	shim_self.busy = 1;
	python_it.PyErr_Fetch(&pending[0], &pending[1], &pending[2]);
	python_find_origin(&python_it, &o);
	file = shim_hash(o.file, 0);
	if (type == PW_EV_ENV_WALK)
		shim_self.walk = file;
	if ((type == PW_EV_ENV_WALK || shim_self.walk != file || is_literal(key, name)) && shim_first(SHIM_READS, name, o.file, o.line))
		shim_event(type, name, &(struct shim_origin){ .file = o.file, .function = o.function, .line = o.line });
	python_it.PyErr_Restore(pending[0], pending[1], pending[2]);
	shim_self.busy = 0;
	errno = saved;
}

void python_reads(PyObject *args)
{
	PyObject *key = python_it.PyTuple_GetItem(args, 1); /* after the mapping itself */
	size_t len = 0;
	const char *name = key ? python_text(key, &len) : NULL; /* keys of os.environ are text, of os.environb bytes */

	python_it.PyErr_Clear();
	if (name && strlen(name) == len && shim_listed(name))
		report(PW_EV_ENV_READ, name, key);
}

void python_walks(void)
{
	if (shim_get()->names)
		report(PW_EV_ENV_WALK, PW_TEXT_WALK, NULL);
}

/* CPython's PyMethodDef.  Filled in by the first interpreter: pointers that are known before cost a relocation each, in every process. */
static struct method {
	const char *name;
	python_call *call;
	int flags;
	const char *doc;
} methods[PYTHON_METHODS];
#define VARARGS_KEYWORDS 3

/* Borrowed.  Everything is looked up in dictionaries: no code of the program runs. */
static PyObject *module_of(const char *name)
{
	PyObject *modules = python_it.PySys_GetObject("modules");

	return modules ? python_it.PyDict_GetItemString(modules, name) : NULL;
}

static PyObject *dictionary_of(const char *name)
{
	PyObject *module = module_of(name);

	return module ? python_it.PyModule_GetDict(module) : NULL;
}

static void drop(PyObject *object)
{
	if (object)
		python_it.Py_DecRef(object);
}

/* As the original's: CPython keeps a function's signature at the beginning of its text. */
static const char *doc_of(PyObject *function, const char *name)
{
	PyObject *signature = python_it.PyObject_GetAttrString(function, "__text_signature__");
	PyObject *text = signature ? python_it.PyObject_GetAttrString(function, "__doc__") : NULL;
	int has_signature = text && python_text(signature, NULL);
	PyObject *whole = has_signature ? python_it.PyUnicode_FromFormat("%s%S\n--\n\n%S", name, signature, text) : text ? python_it.PyUnicode_FromFormat("%S", text) : NULL;
	const char *doc = whole ? python_text(whole, NULL) : NULL;
	char *copy = doc ? strdup(doc) : NULL; /* the interpreter may end, and its memory with it */

	drop(whole);
	drop(text);
	drop(signature);
	return copy;
}

/* In place: the class, its instances and their type stay what they are.  The new method is a function of C that calls the
 * original, so no frame is added to a traceback. */
/* doc NULL: as the original's. */
static void wrap(PyObject *class, const char *name, const char *doc, enum python_method which)
{
	PyObject *original = python_it.PyObject_GetAttrString(class, name), *function, *method;

	if (!methods[which].name)
		methods[which] = (struct method){ name, python_method_of(which), VARARGS_KEYWORDS, doc ? doc : original ? doc_of(original, name) : NULL };
	function = original ? python_it.PyCFunction_NewEx(&methods[which], original, NULL) : NULL;
	method = function ? python_it.PyInstanceMethod_New(function) : NULL;
	if (method)
		python_it.PyObject_SetAttrString(class, name, method);
	drop(method);
	drop(function);
	drop(original);
}

/* --- exec, eval --------------------------------------------------------------------------------- */

PyObject *python_originals[PYTHON_INTERPRETERS][2];

/* A function of the same module, which pickle and inspect take for the original. */
static void wrap_evaluator(uint64_t interpreter, const char *name, enum python_method which)
{
	PyObject *builtins = module_of("builtins");
	PyObject *original = builtins ? python_it.PyObject_GetAttrString(builtins, name) : NULL, *module, *function;
	struct method *m = &methods[which];

	if (!original)
		return;
	if (!m->name)
		*m = (struct method){ name, python_method_of(which), VARARGS_KEYWORDS, doc_of(original, name) };
	module = python_it.PyObject_GetAttrString(original, "__module__");
	function = python_it.PyCFunction_NewEx(m, builtins, module);
	python_originals[interpreter][which == PYTHON_EVAL] = original; /* kept */
	if (function)
		python_it.PyObject_SetAttrString(builtins, name, function);
	drop(function);
	drop(module);
}

/* --- when --------------------------------------------------------------------------------------- */

/* Interpreters of the process that are done with. */
static _Atomic uint64_t wrapped[PYTHON_INTERPRETERS / 64], sockets[PYTHON_INTERPRETERS / 64];

static int is_done(const _Atomic uint64_t *set, uint64_t id)
{
	return id >= PYTHON_INTERPRETERS || (atomic_load_explicit(&set[id / 64], memory_order_relaxed) >> id % 64 & 1);
}

/* False: somebody else has. */
static int begin(_Atomic uint64_t *set, uint64_t id)
{
	uint64_t bit = UINT64_C(1) << id % 64;

	return !(atomic_fetch_or(&set[id / 64], bit) & bit);
}

static void find_library(PyObject *os)
{
	PyObject *file = python_it.PyDict_GetItemString(os, "__file__");
	const char *path = file ? python_text(file, NULL) : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;
	size_t len = slash ? (size_t)(slash + 1 - path) : 0;

	if (len < sizeof(python_it.library) && !python_it.library[0])
		memcpy(python_it.library, path, len);
}

/* os is complete when getenvb is there, the last that it defines for what is wrapped here. */
static void try_to_wrap(uint64_t id)
{
	PyObject *os = dictionary_of("os"), *class;

	if (!os || !python_it.PyDict_GetItemString(os, "getenvb") || !begin(wrapped, id))
		return;
	find_library(os);
	class = python_it.PyDict_GetItemString(os, "_Environ");
	if (class) {
		wrap(class, "__getitem__", "__getitem__($original, self, key)\n--\n\n", PYTHON_GETITEM);
		wrap(class, "__iter__", "__iter__($original, self)\n--\n\n", PYTHON_ITER);
		wrap(class, "__repr__", "__repr__($original, self)\n--\n\n", PYTHON_REPR);
	}
	wrap_evaluator(id, "exec", PYTHON_EXEC);
	wrap_evaluator(id, "eval", PYTHON_EVAL);
}

void python_wrap(uint64_t id)
{
	PyObject *pending[3];

	if (is_done(wrapped, id))
		return;
	python_it.PyErr_Fetch(&pending[0], &pending[1], &pending[2]);
	try_to_wrap(id);
	python_it.PyErr_Clear();
	python_it.PyErr_Restore(pending[0], pending[1], pending[2]);
}

void python_wrap_sockets(void)
{
	uint64_t id = python_interpreter();
	PyObject *module, *class;

	if (is_done(sockets, id))
		return;
	module = dictionary_of("socket");
	class = module ? python_it.PyDict_GetItemString(module, "socket") : NULL;
	if (!class || !begin(sockets, id))
		return;
	wrap(class, "connect", NULL, PYTHON_CONNECT);
	wrap(class, "connect_ex", NULL, PYTHON_CONNECT_EX);
}
