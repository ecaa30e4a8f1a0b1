/* The hook in CPython: which Python code read which variable, and did what else.
 *
 * CPython never calls getenv for os.environ.  Where the process is a CPython of 3.8 or later whose functions can be found, an
 * audit hook says what the interpreter is about to do (python_act.c), and as soon as os is complete wraps what has no audit
 * event that would do: three methods of os._Environ, connect() of sockets, exec and eval (python_wrap.c).  Who is named is the
 * innermost frame that is neither the standard library nor a build tool.  Everything here runs with the GIL, on the thread that
 * acts, never in a signal handler or a vfork child.  Nothing of it is needed for safety. */
#ifndef PRELOAD_PYTHON_H
#define PRELOAD_PYTHON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct python_object PyObject; /* no header of CPython is used: they differ by version and need not be installed */

/* Found by name in the process.  Those of the second list may be missing in some versions. */
#define PYTHON_FUNCTIONS(F) \
	F(int, PySys_AddAuditHook, (int (*hook)(const char *, PyObject *, void *), void *data)) \
	F(PyObject *, PySys_GetObject, (const char *name)) \
	F(PyObject *, PyDict_GetItemString, (PyObject *dict, const char *key)) \
	F(PyObject *, PyModule_GetDict, (PyObject *module)) \
	F(PyObject *, PyMapping_GetItemString, (PyObject *mapping, const char *key)) \
	F(PyObject *, PyObject_GetAttrString, (PyObject *object, const char *name)) \
	F(int, PyObject_SetAttrString, (PyObject *object, const char *name, PyObject *value)) \
	F(PyObject *, PyObject_Call, (PyObject *callable, PyObject *args, PyObject *kwargs)) \
	F(PyObject *, PyCFunction_NewEx, (void *method, PyObject *self, PyObject *module)) \
	F(PyObject *, PyInstanceMethod_New, (PyObject *function)) \
	F(PyObject *, PyTuple_GetItem, (PyObject *tuple, ssize_t i)) \
	F(const char *, PyUnicode_AsUTF8AndSize, (PyObject *text, ssize_t *len)) \
	F(PyObject *, PyUnicode_InternFromString, (const char *text)) \
	F(PyObject *, PyUnicode_FromFormat, (const char *format, ...)) \
	F(PyObject *, PyOS_FSPath, (PyObject *path)) \
	F(int, PyBytes_AsStringAndSize, (PyObject *bytes, char **text, ssize_t *len)) \
	F(long, PyLong_AsLong, (PyObject *number)) \
	F(PyObject *, PyEval_GetFrame, (void)) \
	F(int, PyFrame_GetLineNumber, (PyObject *frame)) \
	F(void *, PyInterpreterState_Main, (void)) \
	F(int64_t, PyInterpreterState_GetID, (void *interpreter)) \
	F(void, PyErr_Fetch, (PyObject **type, PyObject **value, PyObject **traceback)) \
	F(void, PyErr_Restore, (PyObject *type, PyObject *value, PyObject *traceback)) \
	F(void, PyErr_Clear, (void)) \
	F(int, Py_IsInitialized, (void)) \
	F(void, Py_IncRef, (PyObject *object)) \
	F(void, Py_DecRef, (PyObject *object))
#define PYTHON_VERSIONED(F) \
	F(void *, PyInterpreterState_Get, (void))     /* 3.9 */ \
	F(void *, _PyInterpreterState_Get, (void))    /* 3.8 */ \
	F(void *, PyThreadState_GetUnchecked, (void)) /* 3.13 */ \
	F(void *, _PyThreadState_UncheckedGet, (void)) \
	F(PyObject *, PyFrame_GetBack, (PyObject *frame)) /* 3.9 */ \
	F(PyObject *, PyFrame_GetCode, (PyObject *frame)) /* 3.9 */

struct python {
#define PYTHON_MEMBER(type, name, args) type(*name) args;
	PYTHON_FUNCTIONS(PYTHON_MEMBER)
	PYTHON_VERSIONED(PYTHON_MEMBER)
#undef PYTHON_MEMBER
	char library[1024]; /* the standard library's folder with its slash, or empty */
	char run[64];       /* pipwarden's folder for the run with its slash, or empty */
};
extern struct python python_it __attribute__((visibility("hidden"))); /* of the process; written once, by the start */

/* Looks for a CPython.  From the constructor, in a sandbox whose environment holds decoys. */
void python_start(void);
/* Before every open of a file: the hook is installed at the first one that CPython makes while it starts, which is for its
 * `encodings`.  Earlier it has not chosen its allocators: what is allocated then is freed by another one (python -X dev). */
void python_opens(void);

/* --- python_wrap.c ------------------------------------------------------------------------------ */

#define PYTHON_INTERPRETERS 256 /* that are looked after in a process: ids are not used again */
uint64_t python_interpreter(void); /* the id of the thread's */
/* Wraps what there is to be wrapped by now. */
void python_wrap(uint64_t interpreter);
void python_wrap_sockets(void);

enum python_method {
	PYTHON_GETITEM, PYTHON_ITER, PYTHON_REPR, /* of os._Environ */
	PYTHON_CONNECT, PYTHON_CONNECT_EX, /* of socket.socket: their event comes when a name has been looked up */
	PYTHON_EXEC, PYTHON_EVAL, /* have an event that knows the code, and not the text that it was made of */
	PYTHON_METHODS
};
typedef PyObject *python_call(PyObject *original, PyObject *args, PyObject *kwargs);
python_call *python_method_of(enum python_method which);
extern PyObject *python_originals[PYTHON_INTERPRETERS][2] __attribute__((visibility("hidden"))); /* exec, eval */
/* Before the original is called, with its arguments. */
void python_reads(PyObject *args);
void python_walks(void);

/* --- python_act.c ------------------------------------------------------------------------------- */

/* An audit event, before the act.  Takes no exception away and leaves none. */
void python_act(const char *event, PyObject *args);
/* The same of connect(), and of exec() or eval(), as they were called. */
void python_resolves(PyObject *args);
void python_compiles(PyObject *args);
/* The object's own bytes, NUL-terminated; NULL: it is neither text nor bytes.  len may be NULL. */
const char *python_text(PyObject *object, size_t *len);

/* --- python_origin.c ---------------------------------------------------------------------------- */

/* Who reads: texts are empty and line is 0 where that is not known. */
struct python_origin {
	char file[1024], function[128];
	unsigned line;
	int direct; /* the innermost frame of all */
};
/* Looks through the frames of the calling thread; leaves no exception. */
void python_find_origin(const struct python *py, struct python_origin *origin);

/* The request that http.client is sending in the calling thread: its head as it is going to be sent, and its body where a frame has one.  New
 * references or NULL. */
struct python_http {
	PyObject *head, *body;
	unsigned flags; /* PW_FLAG_TLS */
	int made;       /* head is nobody else's: it ends with this reference */
};
void python_find_http(const struct python *py, struct python_http *http);

/* Whose code a frame's file is. */
enum python_code {
	PYTHON_FOREIGN, /* what is looked for */
	PYTHON_LIBRARY,
	PYTHON_TOOL,    /* what builds packages: what it does, it does for the code that called it */
	PYTHON_STRING,  /* "<string>": code without a file; who runs it may tell */
	PYTHON_LAUNCH,  /* pip's own program around setup.py: nothing beyond it is the package's */
};
/* Pure.  library: as above. */
enum python_code python_code_of(const char *file, const char *library);
/* Pure.  Is this a file that builds and imports open all the time?  Then nobody is looked for. */
int python_is_usual(const char *path, int writes, const char *library, const char *run);

#endif
