/* The frame that is to be named.  Frames are looked at from the inside out. */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/python.h"
#include "preload/shim.h"

#define FRAMES_MAX 200

static void drop(const struct python *py, PyObject *object)
{
	if (object)
		py->Py_DecRef(object);
}

/* An attribute's text, cut to size; empty for what is none. */
static void copy_attribute(const struct python *py, PyObject *object, const char *name, char *to, size_t size)
{
	PyObject *value = object ? py->PyObject_GetAttrString(object, name) : NULL;
	const char *text = value ? py->PyUnicode_AsUTF8AndSize(value, NULL) : NULL;

	to[0] = '\0';
	if (text)
		shim_append(to, size, text);
	drop(py, value);
}

/* By function where there is one: reading the attribute is an audit event of its own.  The end of the frames is None for the
 * attribute, which has none of a frame's. */
static PyObject *part(const struct python *py, PyObject *frame, PyObject *(*get)(PyObject *), const char *name)
{
	return get ? get(frame) : py->PyObject_GetAttrString(frame, name);
}

static void describe(const struct python *py, PyObject *frame, struct python_origin *o)
{
	PyObject *code = part(py, frame, py->PyFrame_GetCode, "f_code");

	copy_attribute(py, code, "co_filename", o->file, sizeof(o->file));
	copy_attribute(py, code, "co_name", o->function, sizeof(o->function));
	drop(py, code);
	o->line = 0;
}

/* Takes the frame's reference; NULL at the end. */
static PyObject *outward(const struct python *py, PyObject *frame)
{
	PyObject *back = part(py, frame, py->PyFrame_GetBack, "f_back");

	drop(py, frame);
	return back;
}

static int ends(const char *text, const char *with)
{
	size_t len = strlen(text), n = strlen(with);

	return len >= n && !strcmp(text + len - n, with);
}

static long number(const struct python *py, PyObject *locals, const char *name)
{
	PyObject *value = py->PyMapping_GetItemString(locals, name);
	long n = value ? py->PyLong_AsLong(value) : -1;

	drop(py, value);
	return n;
}

/* site.addpackage executes lines of a .pth file: its own variables tell which. */
static void name_pth(const struct python *py, PyObject *frame, struct python_origin *o)
{
	PyObject *locals = py->PyObject_GetAttrString(frame, "f_locals"), *path, *content;
	const char *text;
	long line;

	if (!locals)
		return;
	path = py->PyMapping_GetItemString(locals, "fullname");
	text = path ? py->PyUnicode_AsUTF8AndSize(path, NULL) : NULL;
	line = number(py, locals, "n");
	py->PyErr_Clear();
	content = py->PyMapping_GetItemString(locals, "pth_content"); /* newer ones count from 1 */
	if (text && line >= 0) {
		o->file[0] = '\0';
		shim_append(o->file, sizeof(o->file), text);
		o->line = (unsigned)line + !content;
	}
	drop(py, content);
	drop(py, path);
	drop(py, locals);
}

/* Older setuptools execute setup.py as a string, in its folder.  The line is right. */
static void name_setup(struct python_origin *o)
{
	if (syscall(SYS_getcwd, o->file, sizeof(o->file)) < 0)
		o->file[0] = '\0';
	shim_append(o->file, sizeof(o->file), o->file[0] ? "/setup.py" : "setup.py");
}

/* Code that has no file: a frame further out may tell where it is from.  Steals nothing. */
static void name_string(const struct python *py, PyObject *frame, struct python_origin *o)
{
	struct python_origin at;
	enum python_code code;
	int depth = 0;

	py->Py_IncRef(frame);
	for (frame = outward(py, frame); frame && depth < FRAMES_MAX; frame = outward(py, frame), depth++) {
		describe(py, frame, &at);
		code = python_code_of(at.file, py->library);
		if (ends(at.file, "setuptools/build_meta.py"))
			name_setup(o);
		else if (code == PYTHON_LIBRARY && !strcmp(at.function, "addpackage"))
			name_pth(py, frame, o);
		else if (code == PYTHON_LIBRARY || code == PYTHON_STRING)
			continue;
		break;
	}
	drop(py, frame);
}

void python_find_origin(const struct python *py, struct python_origin *o)
{
	PyObject *frame = py->PyEval_GetFrame();
	struct python_origin at, tool = { .file = "" };
	enum python_code code = PYTHON_LIBRARY;
	int depth = 0, line;

	if (frame)
		py->Py_IncRef(frame);
	for (; frame && depth < FRAMES_MAX; frame = outward(py, frame), depth++) {
		describe(py, frame, &at);
		code = at.file[0] ? python_code_of(at.file, py->library) : PYTHON_LAUNCH;
		if (code == PYTHON_LIBRARY || (code == PYTHON_TOOL && tool.file[0]))
			continue;
		if (code == PYTHON_LAUNCH)
			break;
		line = py->PyFrame_GetLineNumber(frame);
		at.line = line > 0 ? (unsigned)line : 0;
		if (code == PYTHON_STRING)
			name_string(py, frame, &at);
		if (code != PYTHON_TOOL)
			break;
		tool = at;
	}
	*o = code == PYTHON_FOREIGN || code == PYTHON_STRING ? at : tool;
	drop(py, frame);
	py->PyErr_Clear();
}
