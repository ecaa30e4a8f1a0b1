/* What the interpreter is about to do, by its audit events: an intent for what the kernel is asked about, an event for what it is not. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include "preload/intent.h"
#include "preload/python.h"

/* What has no intent: enum pw_intent_kind's letters are the others'. */
enum { ACT_COMPILE = 'P', ACT_LOAD = 'L', ACT_HTTP = 'H', ACT_OPEN = 'f' /* a file, if it is not usual */ };
#define SHELL 's' /* instead of an argument's number: not told, but known */

/* Kind, number of the argument that says what it is about, name of the audit event. */
static const char acts[] =
	"R0socket.getaddrinfo\0R0socket.gethostbyname\0"
	"C1socket.connect\0C1socket.sendto\0C1socket.sendmsg\0B1socket.bind\0S0socket.__new__\0"
	"X0subprocess.Popen\0X0os.exec\0X0os.posix_spawn\0Xsos.system\0"
	"f0open\0f0os.listdir\0f0os.scandir\0F0os.chmod\0F0os.chown\0F0os.utime\0F0os.truncate\0F0os.mkdir\0F0os.remove\0"
	"F0os.rename\0F1os.rename\0F0os.link\0F1os.link\0F0os.symlink\0F1os.symlink\0F0os.setxattr\0F0os.removexattr\0F0sqlite3.connect\0"
	"K0os.kill\0K0os.killpg\0D1ctypes.dlsym\0"
	"P0compile\0L0ctypes.dlopen\0L1import\0H1http.client.send\0";

#define HANDED_MAX 4096 /* pieces of requests that a process hands over */
static _Atomic unsigned handed;

const char *python_text(PyObject *object, size_t *len)
{
	const struct python *py = &python_it;
	ssize_t n = 0;
	const char *text = py->PyUnicode_AsUTF8AndSize(object, &n);
	char *bytes;

	if (!text && py->PyBytes_AsStringAndSize(object, &bytes, &n) == 0)
		text = bytes;
	py->PyErr_Clear();
	if (len)
		*len = text ? (size_t)n : 0;
	return text;
}

static struct shim_origin origin_of(const struct python_origin *o)
{
	return (struct shim_origin){ .file = o->file, .function = o->function, .line = o->line };
}

static void hand_over(const struct python_origin *o, PyObject *object, unsigned flags)
{
	struct shim_origin origin = origin_of(o);
	size_t len;
	const char *bytes = python_text(object, &len);

	if (len && atomic_fetch_add_explicit(&handed, 1, memory_order_relaxed) < HANDED_MAX)
		shim_event_of(PW_EV_HTTP, PW_TEXT_HTTP, &origin, bytes, len, flags);
}

/* Until the act is over, as long as an intent may be read. */
static const char *keep(const char *head)
{
	static char kept[PW_INTENTS][1024];
	static _Atomic unsigned turns;
	char *to = kept[atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed) % PW_INTENTS];

	to[0] = '\0';
	if (!head || !shim_append(to, sizeof(kept[0]), head))
		return NULL; /* cut: nobody could say what is missing */
	return to;
}

/* What the connection is for stands in the frames beyond. */
static void tell(enum pw_intent_kind kind, const char *text, long port)
{
	struct intent intent = { .kind = kind, .text = text, .port = (unsigned)port };
	struct python_http http = { 0 };
	struct python_origin o;
	uint32_t turn;

	python_find_origin(&python_it, &o);
	intent.origin = origin_of(&o);
	if (kind == PW_IN_RESOLVE || kind == PW_IN_CONNECT)
		python_find_http(&python_it, &http);
	if (http.head) {
		intent.data = python_text(http.head, &intent.data_len);
		intent.flags = http.flags;
		if (http.made)
			intent.data = keep(intent.data);
	}
	turn = intent_tell(&intent);
	if (kind == PW_IN_CONNECT)
		shim_self.connects = turn;
	if (kind == PW_IN_RESOLVE && http.head)
		hand_over(&o, http.head, http.flags | PW_FLAG_AHEAD);
	if (kind == PW_IN_RESOLVE && http.body)
		hand_over(&o, http.body, http.flags | PW_FLAG_AHEAD);
	if (http.head)
		python_it.Py_DecRef(http.head);
	if (http.body)
		python_it.Py_DecRef(http.body);
}

/* Nobody is asked for an address. */
static int is_address(const char *host)
{
	return strchr(host, ':') || !host[strspn(host, "0123456789.")];
}

/* (host, port…), or a path. */
static void tell_address(enum pw_intent_kind kind, PyObject *address)
{
	PyObject *host = python_it.PyTuple_GetItem(address, 0), *number = host ? python_it.PyTuple_GetItem(address, 1) : NULL;
	long port = number ? python_it.PyLong_AsLong(number) : 0;
	const char *text;

	python_it.PyErr_Clear();
	text = python_text(host ? host : address, NULL);
	if (text && (kind != PW_IN_RESOLVE || (host && !is_address(text))))
		tell(kind, text, port);
}

/* Once for each place. */
static void tell_code(enum pw_record_type type, const char *text, const char *bytes, size_t len)
{
	struct python_origin o;
	struct shim_origin origin;

	python_find_origin(&python_it, &o);
	origin = origin_of(&o);
	/* pip's own program around setup.py is a string that is made into code. */
	if (type == PW_EV_COMPILE && (!o.direct || (python_code_of(text, "") == PYTHON_LAUNCH && !strcmp(o.file, "<string>"))))
		return;
	if (!o.file[0] || !shim_first(SHIM_CODE, bytes, o.file, o.line))
		return;
	if (len)
		shim_event_of(type, text, &origin, bytes, len, 0);
	else
		shim_event(type, text, &origin);
}

static int opens_to_write(PyObject *args)
{
	PyObject *flags = python_it.PyTuple_GetItem(args, 2);
	long n = flags ? python_it.PyLong_AsLong(flags) : 0;

	python_it.PyErr_Clear();
	return (n & (O_ACCMODE | O_CREAT)) != 0;
}

static void tell_path(int kind, PyObject *object, PyObject *args)
{
	PyObject *path = python_it.PyOS_FSPath(object);
	const char *text;

	python_it.PyErr_Clear();
	if (!path) /* a descriptor; None */
		return;
	text = python_text(path, NULL);
	if (text && kind == ACT_LOAD && python_code_of(text, python_it.library) != PYTHON_LIBRARY)
		tell_code(PW_EV_LOAD, text, text, 0);
	else if (text && kind != ACT_LOAD && !(kind == ACT_OPEN && python_is_usual(text, opens_to_write(args), python_it.library, python_it.run)))
		tell(kind == ACT_OPEN ? PW_IN_FILE : kind, text, 0);
	python_it.Py_DecRef(path);
}

static void compiles(PyObject *source, PyObject *name)
{
	const char *called = name ? python_text(name, NULL) : NULL;
	size_t len;
	const char *text = python_text(source, &len);

	if (len)
		tell_code(PW_EV_COMPILE, called && called[0] ? called : "<string>", text, len);
}

static void tell_http(PyObject *data)
{
	struct python_http http;
	struct python_origin o;

	python_find_origin(&python_it, &o);
	python_find_http(&python_it, &http);
	hand_over(&o, data, http.flags);
	if (http.head)
		python_it.Py_DecRef(http.head);
	if (http.body)
		python_it.Py_DecRef(http.body);
}

static void act(int kind, char number, PyObject *args, const char *event)
{
	PyObject *about = number == SHELL ? NULL : python_it.PyTuple_GetItem(args, number - '0');

	python_it.PyErr_Clear();
	if (!about && number != SHELL)
		return;
	switch (kind) {
	case PW_IN_CONNECT:
	case PW_IN_BIND:
		tell_address(kind, about);
		if (event[sizeof("socket.") - 1] != 'c')
			shim_self.connects = 0; /* a datagram's destination */
		break;
	case PW_IN_SOCKET:
		python_wrap_sockets();
		tell(kind, NULL, 0);
		break;
	case PW_IN_SIGNAL:
		tell(kind, NULL, 0);
		break;
	case PW_IN_EXEC:
		if (about)
			tell_path(kind, about, args);
		else
			tell(kind, "/bin/sh", 0);
		break;
	case ACT_LOAD:
		/* An import of a library names no places to look; any other one has three lists of them, and no file yet. */
		if (event[0] == 'i' && python_it.PyTuple_GetItem(args, 2) != python_it.PyTuple_GetItem(args, 3))
			break;
		/* fall through */
	case PW_IN_RESOLVE:
	case PW_IN_CALL:
	case PW_IN_FILE:
	case ACT_OPEN:
		tell_path(kind, about, args);
		break;
	case ACT_COMPILE:
		compiles(about, python_it.PyTuple_GetItem(args, 1));
		break;
	case ACT_HTTP:
		tell_http(about);
		break;
	}
}

/* With whatever was pending put aside. */
struct aside {
	PyObject *pending[3];
	int saved;
};

static int begin(struct aside *a)
{
	if (shim_self.busy)
		return 0;
	shim_self.busy = 1;
	a->saved = errno;
	python_it.PyErr_Fetch(&a->pending[0], &a->pending[1], &a->pending[2]);
	return 1;
}

static void end(struct aside *a)
{
	python_it.PyErr_Clear();
	python_it.PyErr_Restore(a->pending[0], a->pending[1], a->pending[2]);
	errno = a->saved;
	shim_self.busy = 0;
}

void python_act(const char *event, PyObject *args)
{
	struct aside a;

	if (event[0] != 'o' && event[0] != 's' && event[0] != 'c' && event[0] != 'h' && event[0] != 'i')
		return;
	for (const char *known = acts; *known; known += strlen(known) + 1) {
		if (known[2] != event[0] || known[3] != event[1] || strcmp(known + 2, event) || !begin(&a))
			continue;
		act(known[0], known[1], args, event);
		end(&a);
	}
}

void python_resolves(PyObject *args)
{
	PyObject *address = python_it.PyTuple_GetItem(args, 1); /* after the socket */
	struct aside a;

	python_it.PyErr_Clear();
	if (!address || !begin(&a))
		return;
	tell_address(PW_IN_RESOLVE, address);
	end(&a);
}

void python_compiles(PyObject *args)
{
	PyObject *source = python_it.PyTuple_GetItem(args, 0);
	struct aside a;

	python_it.PyErr_Clear();
	if (!source || !begin(&a))
		return;
	compiles(source, NULL);
	end(&a);
}
