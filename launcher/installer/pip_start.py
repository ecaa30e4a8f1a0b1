"""Runs pip_boot.py, which lies beside this file, from its compiled form where there is one for this Python.

Python compiles the file that it is given anew each time; that of pip_boot.py takes longer than all that it does.  The
compiled form is checked against the source by its hash, and never written here.
"""
import sys

_keep = sys.dont_write_bytecode
sys.dont_write_bytecode = True
_path = __file__.rpartition("/")[0] + "/pip_boot.py"
_code = sys.modules["_frozen_importlib_external"].SourceFileLoader("__main__", _path).get_code("__main__")
sys.dont_write_bytecode = _keep
exec(_code)
