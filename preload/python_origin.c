/* The frame that is to be named.  Frames are looked at from the inside out. */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/python.h"
#include "preload/shim.h"

#define FRAMES_MAX 200
#define HTTP_FRAMES_MAX 40

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

/* A variable of a frame: a new reference, or NULL. */
static PyObject *variable(const struct python *py, PyObject *frame, const char *name)
{
	PyObject *locals = py->PyObject_GetAttrString(frame, "f_locals");
	PyObject *value = locals ? py->PyMapping_GetItemString(locals, name) : NULL;

	drop(py, locals);
	py->PyErr_Clear();
	return value;
}

/* site.addpackage executes lines of a .pth file: its own variables tell which. */
static void name_pth(const struct python *py, PyObject *frame, struct python_origin *o)
{
	PyObject *path = variable(py, frame, "fullname"), *n = variable(py, frame, "n"), *content = variable(py, frame, "pth_content");
	const char *text = path ? py->PyUnicode_AsUTF8AndSize(path, NULL) : NULL;
	long line = n ? py->PyLong_AsLong(n) : -1;

	if (text && line >= 0) {
		o->file[0] = '\0';
		shim_append(o->file, sizeof(o->file), text);
		o->line = (unsigned)line + !content; /* newer ones count from 1 */
	}
	drop(py, content);
	drop(py, n);
	drop(py, path);
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
	o->direct = !depth && o->file[0] && code != PYTHON_TOOL;
	drop(py, frame);
	py->PyErr_Clear();
}

static unsigned tls_of(const struct python *py, PyObject *frame)
{
	PyObject *self = variable(py, frame, "self");
	PyObject *port = self ? py->PyObject_GetAttrString(self, "default_port") : NULL;
	unsigned flags = port && py->PyLong_AsLong(port) == 443 ? PW_FLAG_TLS : 0;

	drop(py, port);
	drop(py, self);
	py->PyErr_Clear();
	return flags;
}

/* urllib3 connects for TLS before it asks http.client for anything: what it is going to ask is put together here. */
static void find_pool(const struct python *py, PyObject *frame, struct python_http *http)
{
	PyObject *method = variable(py, frame, "method"), *url = variable(py, frame, "url"), *self = variable(py, frame, "self");
	PyObject *host = self ? py->PyObject_GetAttrString(self, "host") : NULL, *scheme = host ? py->PyObject_GetAttrString(self, "scheme") : NULL;
	const char *text = scheme ? python_text(scheme, NULL) : NULL;
	size_t len = 0;

	http->body = variable(py, frame, "body");
	if (http->body)
		python_text(http->body, &len);
	http->flags = text && !strcmp(text, "https") ? PW_FLAG_TLS : 0;
	if (method && url && host)
		http->head = py->PyUnicode_FromFormat("%S %S HTTP/1.1\r\nHost: %S\r\nContent-Length: %zd\r\n\r\n", method, url, host, len);
	http->made = 1;
	drop(py, scheme);
	drop(py, host);
	drop(py, self);
	drop(py, url);
	drop(py, method);
}

/* HTTPConnection connects as late as it can: its send() holds the head by then.  The body is an argument of one of its callers; urllib3 has one of its own
 * that is named the same. */
void python_find_http(const struct python *py, struct python_http *http)
{
	PyObject *frame = py->PyEval_GetFrame();
	struct python_origin at;

	*http = (struct python_http){ 0 };
	if (frame)
		py->Py_IncRef(frame);
	for (int depth = 0; frame && depth < HTTP_FRAMES_MAX && !http->body; frame = outward(py, frame), depth++) {
		describe(py, frame, &at);
		if (!http->head && !strcmp(at.function, "send") && ends(at.file, "/http/client.py")) {
			http->head = variable(py, frame, "data");
			http->flags = tls_of(py, frame);
		} else if (!http->head && !strcmp(at.function, "urlopen") && ends(at.file, "/urllib3/connectionpool.py")) {
			find_pool(py, frame, http);
		} else if (http->head && !strcmp(at.function, "_send_output")) {
			http->body = variable(py, frame, "message_body");
		} else if (http->head && !strcmp(at.function, "request")) {
			http->body = variable(py, frame, "body");
		}
		if (http->body && !python_text(http->body, NULL)) { /* None, a file, a generator */
			drop(py, http->body);
			http->body = NULL;
		}
	}
	drop(py, frame);
	py->PyErr_Clear();
}
