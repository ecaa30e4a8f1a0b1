/* The functions that stand in the place of Python's.  They call the originals, through which a thread may be ended or an exception of C++ may fly: the
 * shim's only ones in Python that need to be known to an unwinder. */
#include "preload/python.h"

static PyObject *get_item(PyObject *original, PyObject *args, PyObject *kwargs)
{
	python_reads(args);
	return python_it.PyObject_Call(original, args, kwargs);
}

static PyObject *walk(PyObject *original, PyObject *args, PyObject *kwargs)
{
	python_walks();
	return python_it.PyObject_Call(original, args, kwargs);
}

static PyObject *connect_to(PyObject *original, PyObject *args, PyObject *kwargs)
{
	python_resolves(args);
	return python_it.PyObject_Call(original, args, kwargs);
}

static PyObject *exec(PyObject *module, PyObject *args, PyObject *kwargs)
{
	python_compiles(args);
	return python_it.PyObject_Call(python_originals[python_interpreter()][0], args, kwargs);
}

static PyObject *eval(PyObject *module, PyObject *args, PyObject *kwargs)
{
	python_compiles(args);
	return python_it.PyObject_Call(python_originals[python_interpreter()][1], args, kwargs);
}

python_call *python_method_of(enum python_method which)
{
	switch (which) {
	case PYTHON_GETITEM: return get_item;
	case PYTHON_CONNECT:
	case PYTHON_CONNECT_EX: return connect_to;
	case PYTHON_EXEC: return exec;
	case PYTHON_EVAL: return eval;
	default: return walk;
	}
}
