/* The hook in CPython: which Python code read which variable.
 *
 * CPython never calls getenv for os.environ.  Where the process is a CPython of 3.8 or later whose functions can be found, an
 * audit hook waits for the end of os.py and then wraps three methods of os._Environ; what they report is the innermost frame
 * that is neither the standard library nor a build tool.  Everything here runs with the GIL, on the thread that reads, never in
 * a signal handler or a vfork child.  Nothing of it is needed for safety: the values are decoys whoever reads them. */
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
};

/* Looks for a CPython.  From the constructor, in a sandbox whose environment holds decoys. */
void python_start(void);
/* Before every open of a file: the hook is installed at the first one that CPython makes while it starts, which is for its
 * `encodings`.  Earlier it has not chosen its allocators: what is allocated then is freed by another one (python -X dev). */
void python_opens(void);

/* Who reads: texts are empty and line is 0 where that is not known. */
struct python_origin {
	char file[1024], function[128];
	unsigned line;
};
/* Looks through the frames of the calling thread; leaves no exception. */
void python_find_origin(const struct python *py, struct python_origin *origin);

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

#endif
