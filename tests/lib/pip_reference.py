"""Whom a pip really contacts.  Run by the interpreter of an environment that has that pip; no package of ours is imported.

Standard input: a JSON list of {"words", "env", "cwd", "remote"}.  Each is run in a fork, pip's own main() with all of its parsing, up to where
requests hands over to urllib3: the connection pool that would be used says the host, the port and the proxy.  Every request is answered from
memory (a page with one wheel beside it, that wheel, or `remote`), so pip goes on to whom it would ask next; nothing is sent and nothing installed.
Standard output: a JSON list of {"hosts": ["HOST:PORT"], "status", "error"}."""
import importlib
import io
import json
import os
import sys
import tempfile
import zipfile

import pip._internal.cli.main
import pip._internal.commands.download  # noqa: F401
import pip._internal.commands.install as install
import pip._internal.self_outdated_check as outdated
from pip._internal.commands import create_command  # noqa: F401
from pip._internal.models.index import PyPI
from pip._internal.network import session
from pip._vendor.requests.adapters import HTTPAdapter
from pip._vendor.urllib3 import HTTPResponse
from pip._vendor.urllib3.util import parse_url

# What pip imports late, once for all rows instead of in each fork.
for late in ("pip._internal.commands.list", "pip._internal.commands.wheel", "pip._internal.resolution.resolvelib.resolver", "pip._internal.cli.progress_bars",
             "pip._vendor.html5lib", "pip._vendor.rich.progress", "pip._internal.metadata.importlib", "pip._internal.operations.check"):
    try:
        importlib.import_module(late)
    except ImportError:
        pass
PORTS = {"http": 80, "https": 443}


def wheel(filename):
    name, version = filename.split("-")[:2]
    info = "{}-{}.dist-info/".format(name, version)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: {}\nVersion: {}\n".format(name, version))
        z.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(info + "RECORD", "")
    return out.getvalue()


class Recorder:
    def __init__(self, remote):
        self.remote, self.hosts = remote, set()

    def add(self, host, port):
        self.hosts.add("{}:{}".format(host.strip("[]").rstrip(".").lower(), port))

    def pool(self, adapter, request, verify, proxies, cert):
        if hasattr(adapter, "get_connection_with_tls_context"):
            return adapter.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        return adapter.get_connection(request.url, proxies)

    def send(self, adapter, request, verify, cert, proxies):
        pool = self.pool(adapter, request, verify, proxies, cert)
        url = parse_url(request.url)
        if pool.proxy:
            self.add(pool.proxy.host, pool.proxy.port)
            self.add(url.host, url.port or PORTS[url.scheme])
        else:
            self.add(pool.host, pool.port)
        return adapter.build_response(request, self.answer(request.url))

    def answer(self, url):
        name = url.split("#")[0].split("?")[0].rsplit("/", 1)[1]
        kind = "text/html"
        if name.endswith(".txt"):
            body, kind = self.remote.get(name, "").encode(), "text/plain"
        elif name.endswith(".whl"):
            body, kind = wheel(name), "application/octet-stream"
        else:
            body = b'<!DOCTYPE html><html><body><a href="pwx-1.0-py3-none-any.whl">pwx-1.0-py3-none-any.whl</a></body></html>'
        return HTTPResponse(body=io.BytesIO(body), headers={"Content-Type": kind, "Content-Length": str(len(body))}, status=200, preload_content=False)

    def probe(self, one):
        """Whatever else it may be sent to goes through these proxies."""
        for scheme in PORTS:
            try:
                prepared = one.prepare_request(session.requests.Request("GET", scheme + "://elsewhere.test/"))
                settings = one.merge_environment_settings(prepared.url, {}, None, None, None)
                pool = self.pool(one.get_adapter(prepared.url), prepared, True, settings["proxies"], None)
            except Exception:
                continue
            if pool.proxy:
                self.add(pool.proxy.host, pool.proxy.port)


def record(case):
    recorder = Recorder(case["remote"])
    sessions = []
    made = session.PipSession.__init__

    def init(self, *args, **more):
        made(self, *args, **more)
        sessions.append(self)

    HTTPAdapter.send = lambda self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None: recorder.send(
        self, request, verify, cert, proxies)
    session.PipSession.__init__ = init
    session.PipSession.is_secure_origin = lambda self, location: True  # whether http is trusted is another question
    install.install_given_reqs = lambda *args, **more: []
    outdated.was_installed_by_pip = lambda *args: True
    error = ""
    try:
        status = pip._internal.cli.main.main(list(case["words"]))
    except SystemExit as e:
        status = e.code
    except Exception as e:
        status, error = -1, repr(e)
    for one in sessions[:1]:
        recorder.probe(one)
    if any(host.rsplit(":", 1)[0] == PyPI.netloc for host in recorder.hosts):
        recorder.add(PyPI.file_storage_domain, 443)  # where its pages lead
    return {"hosts": sorted(recorder.hosts), "status": status, "error": error}


def forked(case):
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as result:
        child = os.fork()
        if child == 0:
            try:
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
                os.environ.clear()
                os.environ.update(case["env"])
                os.chdir(case["cwd"])
                os.write(result.fileno(), json.dumps(record(case)).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        result.seek(0)
        said.seek(0)
        got = json.loads(result.read().decode() or "{}")
        got["error"] = (got.get("error", "no answer") + "\n" + said.read().decode(errors="replace"))[-3000:]
        return got


json.dump([forked(case) for case in json.load(sys.stdin)], sys.stdout)
