# What reads variables, and how.  `# READ NAME FUNCTION` and `# WALK FUNCTION` say what the shim has to tell of a line.
import json
import os
import runpy
import sys
import threading

import imported


def by_name():
    for _ in range(3):
        os.environ["GITHUB_TOKEN"]  # READ GITHUB_TOKEN by_name
    os.environ.get("DATABASE_URL", "")  # READ DATABASE_URL by_name
    os.getenv("DATABASE_URL")  # READ DATABASE_URL by_name
    os.getenvb(b"DATABASE_URL")  # READ DATABASE_URL by_name
    os.environb[b"ZZZ_LAST"]  # READ ZZZ_LAST by_name
    "ZZZ_LAST" in os.environ  # READ ZZZ_LAST by_name
    os.environ.setdefault("ZZZ_LAST", "")  # READ ZZZ_LAST by_name
    "A" in os.environ, os.environ.get("HOME"), os.environ.get("NOT_SET"), os.environ.get("GITHUB_TOKENS")
    return [os.environ.get(n) for n in ("GITHUB_TOKEN", "A")]  # READ GITHUB_TOKEN COMPREHENSION


def handled():
    try:
        raise ValueError
    except ValueError as e:
        os.environ["DATABASE_URL"]  # READ DATABASE_URL handled
        assert sys.exc_info()[1] is e


def writes():
    os.environ["NEW"] = "1"
    os.environ.update(NEW="2")
    del os.environ["NEW"]
    assert len(os.environ) > 3


def called_back(pairs):
    return os.environ["GITHUB_TOKEN"]  # READ GITHUB_TOKEN called_back


by_name()
handled()
writes()
json.loads('{"a": 1}', object_hook=called_back)
thread = threading.Thread(target=lambda: os.environ["AWS_SECRET_ACCESS_KEY"])  # READ AWS_SECRET_ACCESS_KEY <lambda>
thread.start()
thread.join()
imported.read()
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py"))
child = os.fork()
if not child:
    os.environ["AWS_SECRET_ACCESS_KEY"]  # READ AWS_SECRET_ACCESS_KEY <module>
    os._exit(0)
os.waitpid(child, 0)
exec(compile("import os\n\nos.environ['GITHUB_TOKEN']\n", "<made up>", "exec"))
