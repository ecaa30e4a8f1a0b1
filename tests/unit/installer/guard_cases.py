"""The guard of pip_boot.py: what it decides and what it reports, in an interpreter of its own.

usage: guard_cases.py BOOT FOLDER [PIP-IS-INSTALLED]; prints "done"."""
import os
import sys
import tarfile
import zipfile

boot, root = sys.argv[1:3]
module = type(sys)("boot")
sys.path.insert(0, "taken away")
with open(boot) as f:
    exec(compile(f.read(), boot, "exec"), module.__dict__)

reports, archives = [], []
finder = module._finder
finder.report = lambda text, kind="type", archive="": (reports.append((kind, text)), archives.append(archive))
os.chdir(root)
for folder in ("temp", "site/pip", "site/pip-1.dist-info", "bin", "named/sub", "home/x", "elsewhere"):
    os.makedirs(folder)
for name in ("bin/pip", "bin/pip3.11", "bin/pip-compile", "bin/python3", "bin/python-argcomplete", "bin/activate", "bin/activate.fish",
             "bin/activate-global", "site/pip/a.py", "site/other.py", "named/a.whl", "named/sub/b.tar.gz", "home/c.zip", "home/x/d.zip",
             "elsewhere/e.whl", "elsewhere/f", "temp/g.whl", "named.whl"):
    open(name, "w").close()
os.symlink(root + "/elsewhere/e.whl", "temp/link.whl")
os.symlink(root + "/elsewhere/e.whl", "named/link.whl")
os.symlink(root + "/elsewhere", "temp/out")
os.symlink(root + "/elsewhere/dropped", "temp/file")
os.symlink(root + "/site", "lib64")
os.environ["TMPDIR"] = root + "/temp"
spec = {"program": root + "/bin/pip", "pip_dir": root + "/lib64/pip", "archives": [root + "/named", root + "/named.whl", root + "/home/*"]}
guard = module.Guard(finder, dict(spec, sealed=len(sys.argv) < 4))
guard.install()

def check(want, call, *args, **more):
    del reports[:]
    try:
        done = call(*args, **more)
        if isinstance(done, int):
            os.close(done)
        elif done is not None:
            done.close()
        got = None
    except PermissionError as error:
        assert error.errno == 13 and error.filename and "pipwarden" in error.strerror, error
        got = reports[0][0]
        assert len(reports) == 1 and reports[0][1] == error.filename, reports
    except (FileNotFoundError, IsADirectoryError):
        got = "missing"
    assert got == want and bool(reports) == (want in ("read", "write")), (call, args, want, got, reports)

fd = os.open(root, os.O_RDONLY)
for name in ("temp/g.whl", "named/a.whl", "named/sub/b.tar.gz", "named/link.whl", "home/c.zip", "named.whl", root + "/temp/../named.whl",
             "elsewhere/f", b"named/a.whl"):
    check(None, open, name)
for name in ("elsewhere/e.whl", "home/x/d.zip", "temp/link.whl", "temp/out/e.whl", "named/../elsewhere/e.whl", root + "/elsewhere/e.whl",
             b"elsewhere/e.whl"):
    check("read", open, name)
    check("read", open, name, "rb")
    check("read", os.open, name, os.O_RDONLY)
    check("read" if not b"temp" in os.fsencode(name) else "write", os.open, name, os.O_RDWR)
check("missing", open, "elsewhere/missing.whl")
check("missing", lambda: zipfile.ZipFile("elsewhere"))  # as importlib.metadata tries what it cannot list
for call in (lambda: zipfile.ZipFile("elsewhere/f"), lambda: tarfile.open("elsewhere/f")):
    check("read", call)

pip = None if len(sys.argv) > 3 else "write"
for name in ("site/pip/a.py", "lib64/pip/a.py", "site/pip/new.py", "site/pip/__pycache__/a.pyc", "site/pip-1.dist-info/RECORD",
             "site/pip-2.dist-info", "bin/pip3.11", "bin/python3", "bin/activate.fish", root + "/elsewhere/../site/pip/b.py"):
    check(pip or ("missing" if "__pycache__" in name else None), open, name, "a")
if pip:
    for call in (os.remove, os.rmdir, os.mkdir):
        check(pip, call, "site/pip/a.py")
    check(pip, os.remove, "site/pip/a.py", dir_fd=fd)
    check(pip, os.rename, "site/pip/a.py", "elsewhere/a")
    check(pip, os.rename, "elsewhere/e.whl", "lib64/pip/a.py")
    check(pip, os.rename, "site/pip", "site/~ip")
    check(pip, os.rename, "site", "other")
    check(pip, os.replace, "site/other.py", "bin/pip")
    check(pip, os.link, "site/pip/a.py", "elsewhere/h")
    check(pip, os.symlink, "/x", "site/pip/l")
    check(pip, os.truncate, "site/pip/a.py", 0)
    check(pip, os.chmod, "bin/python3", 0o777)
for name in ("site/other.py", "site/pipx.py", "bin/pip-compile", "bin/pip99", "bin/python-argcomplete", "bin/activate-global", "home/pip"):
    check(None, open, name, "a")
check(None, os.rename, "site/other.py", "site/another.py")
check(None, os.mkdir, "site/pip_tools")
check("missing", os.rmdir, "site/none")

for name in ("temp/out/dropped", "temp/file", root + "/temp/./out/dropped", root + "//temp/out/dropped", "temp/out/../dropped"):
    check("write", open, name, "w")
    check("write", os.open, name, os.O_WRONLY | os.O_CREAT)
check(None, open, "temp/g.whl")
check("write", os.mkdir, "temp/out/d")
assert archives[-1] == "g.whl", archives[-1]  # what is being unpacked
check("write", os.remove, "temp/out/e.whl")
check("write", os.symlink, "x", "temp/out/l")
check("write", os.rename, "temp/g.whl", "temp/out/g")
check("write", os.link, "temp/g.whl", "temp/out/g")
check("write", os.chmod, "temp/file", 0o777)
assert sorted(os.listdir("elsewhere")) == ["e.whl", "f"], os.listdir("elsewhere")
check(None, open, "temp/in", "w")
check(None, os.symlink, "out", "temp/another")
check(None, os.mkdir, "temp/folder")
check(None, os.rename, "temp/in", "temp/folder/in")
check(None, os.remove, "temp/folder/in", dir_fd=fd)
check(None, os.remove, "temp/file")
check(None, os.rename, "temp/g.whl", "elsewhere/moved")
print("done")
