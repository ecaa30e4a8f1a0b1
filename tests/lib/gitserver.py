"""A server of git repositories over http: git's own http-backend behind a few lines of Python, on a socket that may lie in another namespace."""
from __future__ import annotations

import base64
import os
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

GIT_ENV = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.test",
           "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.test", "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
           "GIT_CONFIG_KEY_1": "protocol.file.allow", "GIT_CONFIG_VALUE_1": "always"}


def git(*words, cwd: Path | None = None) -> str:
    return subprocess.run(["git", *map(str, words)], cwd=cwd, env=GIT_ENV, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def repository(path: Path, files: dict[str, bytes | str], links: dict[str, str] | None = None, submodules: dict[str, str] | None = None) -> Path:
    """A bare repository with one commit; submodules: path → URL, or URL#COMMIT (else one that nobody has)."""
    work = path.with_name(path.name + ".work")
    work.mkdir(parents=True)
    git("init", "-q", "-b", "main", work)
    for name, content in files.items():
        target = work / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(0o755 if content[:2] in ("#!", b"#!") else 0o644)
    if submodules:
        (work / ".gitmodules").write_text("".join(f'[submodule "{p}"]\n\tpath = {p}\n\turl = {u.split("#")[0]}\n' for p, u in submodules.items()))
        for place, url in submodules.items():
            git("update-index", "--add", "--cacheinfo", f"160000,{url.partition('#')[2] or '1' * 40},{place}", cwd=work)
    git("add", "-A", *([] if not submodules else ["--", ".", *[f":!{p}" for p in submodules]]), cwd=work)
    git("commit", "-q", "-m", "one", cwd=work)
    git("clone", "-q", "--bare", work, path)
    git("config", "uploadpack.allowFilter", "true", cwd=path)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=path)
    return path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "GitServer._Server"

    def log_message(self, *args):
        pass

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _refuse(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        body = self._body()
        self.server.requests.append((self.headers.get("Host", ""), self.path, self.headers.get("Authorization")))
        if self.server.login and self.headers.get("Authorization") != self.server.login:
            return self._refuse()
        path, _, query = self.path.partition("?")
        env = {**GIT_ENV, "GIT_PROJECT_ROOT": str(self.server.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
               "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
               "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", "")}
        out = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, timeout=60).stdout
        head, _, answer = out.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET


class GitServer:
    """with GitServer(folder, listener) as server: server.requests has (Host, path, Authorization) of each request."""

    class _Server(ThreadingHTTPServer):
        daemon_threads = True

        def __init__(self, listener: socket.socket, root: Path):
            super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
            self.socket.close()
            self.socket = listener
            self.root, self.requests, self.login = root, [], None
            self.server_name, self.server_port = listener.getsockname()[:2]
            self.server_activate()

        def handle_error(self, request, client_address):
            pass  # a client that went away

    def __init__(self, root: Path, listener: socket.socket, tls: tuple[Path, Path] | None = None):
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            listener = context.wrap_socket(listener, server_side=True)
        self._server = self._Server(listener, root)
        self.requests = self._server.requests
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def ask_for(self, user: str | None, password: str = "") -> None:
        """Everything is 401 without them; None: open again."""
        self._server.login = user and "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def __enter__(self) -> "GitServer":
        self._thread.start()
        return self

    def __exit__(self, *exc) -> None:
        self._server.shutdown()
        self._server.server_close()
