"""More than two hundred of the most downloaded projects, installed and imported under pipwarden: what of them is not `clean`?

    python3 tests/lib/honest.py BINARY [--only PROJECT…] [--jobs N] [--cache FOLDER] [--write FILE]      (./dev honest; as root)

Each is installed with its dependencies into a fresh virtual environment, as a wheel or built from its sdist, and what it brings is imported under `run`,
as an ordinary user.  A verdict other than `clean` has to be justified, by name, in docs/false-positives.md.  Prints what is not clean; --write puts the whole
list into that file, between the lines `<!-- honest -->` and `<!-- end of honest -->`.  --cache: pip's cache, kept between runs."""
from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lib import binary, packages, pythons, sdists  # noqa: E402
from lib.world import Result, Templates, World, ordinary_user  # noqa: E402

SDISTS = [p for p in sdists.KIND_OF if p not in ("boto3", "contourpy")]
WHEELS = """
    boto3 botocore urllib3 setuptools requests certifi charset-normalizer idna typing-extensions packaging python-dateutil aiobotocore s3transfer numpy six pyyaml
    s3fs cryptography pydantic pydantic-core click pandas attrs importlib-metadata jinja2 markupsafe rsa pyjwt cffi platformdirs protobuf pycparser filelock
    virtualenv jmespath zipp awscli googleapis-common-protos google-auth google-api-core google-cloud-core google-cloud-storage google-resumable-media
    google-crc32c cachetools pyasn1 pyasn1-modules colorama pytz tzdata tomli tomlkit rich markdown-it-py mdurl pygments anyio sniffio h11 httpcore httpx
    fastapi starlette uvicorn wheel pip pytest pluggy iniconfig exceptiongroup coverage pytest-cov pytest-xdist execnet tox nox mypy mypy-extensions black isort
    flake8 pycodestyle pyflakes pylint astroid dill wrapt ruff pathspec sqlalchemy greenlet alembic mako psycopg2-binary pymysql asyncpg redis celery kombu vine
    billiard amqp django djangorestframework asgiref sqlparse flask werkzeug itsdangerous blinker gunicorn gevent zope.interface zope.event tornado pyzmq ipython
    traitlets decorator jedi parso prompt-toolkit wcwidth matplotlib-inline jupyter-core jupyter-client nbformat nbconvert notebook jsonschema referencing rpds-py
    jsonschema-specifications scipy scikit-learn joblib threadpoolctl matplotlib pillow kiwisolver cycler fonttools contourpy pyparsing networkx sympy mpmath
    lxml beautifulsoup4 soupsieve html5lib webencodings docutils sphinx babel alabaster snowballstemmer imagesize openpyxl et-xmlfile xlsxwriter tabulate tqdm
    psutil docker paramiko bcrypt pynacl fabric invoke ansible-core azure-core azure-identity azure-storage-blob msal msal-extensions isodate opentelemetry-api
    opentelemetry-sdk grpcio grpcio-tools sentry-sdk structlog loguru python-json-logger python-dotenv pydantic-settings aiohttp aiosignal frozenlist multidict
    yarl async-timeout websockets orjson ujson msgpack simplejson regex nltk tiktoken openai tenacity backoff more-itertools sortedcontainers ply
    distlib poetry-core hatchling setuptools-scm cython pybind11 meson ninja cmake pyarrow polars duckdb numba llvmlite h5py xarray dask distributed fsspec cloudpickle
    toolz watchdog watchfiles keyring secretstorage jeepney twine build pyproject-hooks pre-commit identify nodeenv cfgv pipenv uv debugpy
""".split()
LIMIT = 900  # seconds for one run
BEGIN, END = "<!-- honest -->", "<!-- end of honest -->"
# Imports everything that the RECORDs of what was installed bring at their top, but not what is a test or an example; a module that cannot be imported is none of our business.
IMPORT = """
import importlib.metadata, sys
name = sys.argv[1]
tops = sorted({str(p).split("/")[0].removesuffix(".py") for p in importlib.metadata.files(name) or () if str(p).endswith(".py")})
for top in tops:
    if top.isidentifier() and top not in ("tests", "test", "examples", "setup", "bin", "scripts", "sitecustomize"):
        try:
            __import__(top)
        except BaseException as error:
            print(top, type(error).__name__, file=sys.stderr)
"""


@dataclass
class Verdict:
    project: str
    version: str
    of: str           # "wheel" or "sdist"
    worst: str        # of the two runs; "-": plain trouble, no verdict
    rules: list[str] = field(default_factory=list)
    run: Result | None = None


RANK = ("clean", "suspicious", "malicious")


def words(result: Result) -> list[str]:
    found = Counter((e.get("rule") or e["type"], (e.get("package") or {}).get("name", "-"), e["severity"]) for e in result.above("low"))
    return [f"{rule} ({severity}, {package})" for (rule, package, severity) in found]


def judge(world: World, templates: Templates, python: pythons.Python, project: str, of: str, cache: Path) -> Verdict:
    world.use_venv(templates, python)
    more = ["--no-binary", project] if of == "sdist" else ["--prefer-binary"]
    installed = world.guarded(["pip", "--cache-dir", cache, "install", "--upgrade", *more, project], timeout=LIMIT)
    found = re.findall(rf"\b{re.escape(project)}-(\d\S*)", " ".join(re.findall(r"^Successfully installed (.*)$", installed.out, re.M)).lower())
    version = found[-1] if found else "?"
    if installed.status not in (0, 100) or not installed.end:
        return Verdict(project, version, of, "-", [installed.err.strip().splitlines()[-1][:100] if installed.err.strip() else "no output"], installed)
    imported = world.guarded(["run", "--", world.venv / "bin/python", "-c", IMPORT, project], timeout=300)
    runs = [r for r in (installed, imported) if r.end]
    worst = max((r.end["verdict"] for r in runs), key=RANK.index)
    rules = list(dict.fromkeys(w for r in runs for w in words(r)))
    if installed.status != 0 or imported.status == 100:
        rules.append("exit status 100")
    return Verdict(project, version, of, worst, rules, next((r for r in runs if r.end["verdict"] != "clean"), None))


def table(found: list[Verdict]) -> str:
    clean = [f"{v.project} {v.version}{' (sdist)' if v.of == 'sdist' else ''}" for v in found if v.worst == "clean"]
    other = [v for v in found if v.worst not in ("clean", "-")]
    none = [v for v in found if v.worst == "-"]
    lines = [f"{len(clean)} of {len(found)} are `clean`, {len(other)} are not, {len(none)} could not be installed here, guarded or not.", ""]
    if other:
        lines += ["| project | of | verdict | by |", "|---|---|---|---|"]
        lines += [f"| {v.project} {v.version} | {v.of} | {v.worst} | {'; '.join(v.rules)} |" for v in other] + [""]
    if none:
        lines += ["Not installed: " + ", ".join(f"{v.project} ({v.of})" for v in none) + ".", ""]
    return "\n".join(lines + ["Clean: " + ", ".join(clean) + "."])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("--only", nargs="+", metavar="PROJECT")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="so many at once (2)")
    parser.add_argument("--minutes", type=float, metavar="M", help="begin none after that time; what is left is not in the list")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--verbose", action="store_true", help="show the runs of what is not clean")
    options = parser.parse_args()
    os.umask(0o022)
    work = [(p, of) for of, names in (("sdist", SDISTS), ("wheel", WHEELS)) for p in dict.fromkeys(names) if not options.only or p in options.only]
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pwh", dir="/tmp", ignore_cleanup_errors=True) as folder:
        base = Path(folder)
        base.chmod(0o755)
        for sub in ("pythons", "templates"):
            (base / sub).mkdir()
        python = next(p for p in pythons.find(base / "pythons") if p.name == "distribution")
        templates = Templates(base / "templates", packages.world(base / "packages"))
        program = binary.public(options.binary.resolve(), base)
        user = ordinary_user()
        cache = options.cache or base / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        os.chown(cache, user.uid, user.gid)
        templates.make(python)

        def one(task: tuple[str, str]) -> Verdict | None:
            if options.minutes and time.monotonic() - start > 60 * options.minutes:
                return None
            world = World(Path(tempfile.mkdtemp(prefix="x", dir=base)), user, program)
            done = judge(world, templates, python, *task, cache)
            said = f"{time.monotonic() - start:5.0f} s  {done.project} {done.version} ({done.of}): {done.worst}  {'; '.join(done.rules)}"
            print(f"{said}\n{done.run}" if options.verbose and done.worst != "clean" else said, file=sys.stderr, flush=True)
            shutil.rmtree(world.root, ignore_errors=True)
            return done

        with ThreadPoolExecutor(options.jobs) as pool:
            found = [done for done in pool.map(one, work) if done]
    text = table(found)
    print(text)
    if options.write:
        sdists.write(options.write, text, BEGIN, END)
    return 1 if any(v.worst not in ("clean", "-") for v in found) else 0


if __name__ == "__main__":
    sys.exit(main())
