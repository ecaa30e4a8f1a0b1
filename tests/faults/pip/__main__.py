"""`pip install [--target DIR] [-e] REQUIREMENT`: a sub-pip, then a hook for an archive, or setup.py for a folder."""
import json
import os
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CALLER = "import sys; __file__ = %r; sys.argv[0] = __file__; exec(compile(open(__file__).read(), __file__, 'exec'))"


def folder(prefix):
    return tempfile.mkdtemp(prefix=prefix)


def build_archive(path):
    """The hook of an unpacked sdist."""
    source = os.path.join(folder("pip-install-"), "pwfault_" + "0123456789abcdef" * 2)
    with tarfile.open(path) as tar:
        tar.extractall(source)
    inner = os.path.join(source, "pwfault-1.0")
    for name in os.listdir(inner):
        os.rename(os.path.join(inner, name), os.path.join(source, name))
    os.rmdir(inner)
    control, wheels = folder("tmp"), folder("pip-wheel-")
    with open(os.path.join(control, "input.json"), "w") as f:
        json.dump({"kwargs": {"wheel_directory": wheels, "config_settings": None, "metadata_directory": None}}, f)
    hook = os.path.join(HERE, "_vendor/pyproject_hooks/_in_process/_in_process.py")
    status = subprocess.run([sys.executable, hook, "build_wheel", control], cwd=source).returncode
    with open(os.path.join(control, "output.json")) as f:
        return status or not os.path.exists(os.path.join(wheels, json.load(f)["return_val"]))


def build_folder(path, editable):
    setup = os.path.join(path, "setup.py")
    more = ["develop", "--no-deps"] if editable else ["bdist_wheel", "-d", folder("pip-wheel-")]
    return subprocess.run([sys.executable, "-u", "-c", CALLER % setup, *more], cwd=path).returncode


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    if "--stub-sub" in argv:
        return 0
    overlay = folder("pip-build-env-")
    sub = [sys.executable, os.path.join(HERE, "__pip-runner__.py"), "install", "--ignore-installed", "--no-user", "--prefix",
           os.path.join(overlay, "overlay"), "--no-warn-script-location", "--no-index", "--stub-sub", "--", "pwsub"]
    if subprocess.run(sub).returncode:
        print("error: the sub-pip failed", file=sys.stderr)
        return 1
    path = argv[-1]
    failed = build_archive(path) if path.endswith(".gz") else build_folder(path, "-e" in argv)
    if failed:
        print("error: the build failed", file=sys.stderr)
        return 1
    if "--target" in argv:
        target = argv[argv.index("--target") + 1]
        os.makedirs(target, exist_ok=True)
        open(os.path.join(target, "pwfault.py"), "w").close()
    print("installed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
