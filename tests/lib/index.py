"""A package index on loopback, or in a network namespace: PEP 503 pages with hashes, from a folder of files."""
from __future__ import annotations

import argparse
import base64
import hashlib
import html
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def project_of(filename: str) -> str:
    stem = filename.removesuffix(".whl").removesuffix(".tar.gz")
    return normalise(re.split(r"-(?=\d)", stem, maxsplit=1)[0])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def log_message(self, *args):
        pass

    def _answer(self, body: bytes, kind: str, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        if self.headers.get("Authorization"):
            self.server.authorizations.append(self.headers["Authorization"])
        if self.server.login and self.headers.get("Authorization") != self.server.login:
            return self._answer(b"who are you?\n", "text/plain", 401)
        if self.path.startswith("/away/"):
            return self._answer(b"", "text/html", 302, Location="http://away.attacker.test" + self.path)
        folder = self.server.folder
        how, host = self.server.moved or ("", "")
        if how == "redirects" and self.headers.get("Host") not in host and self.path.startswith("/files/"):
            return self._answer(b"", "text/html", 302, Location=host + self.path)
        parts = [unquote(p) for p in self.path.split("?")[0].split("/") if p]
        if self.server.endless and parts[:1] == ["files"] and parts[-1] == self.server.endless:
            return self.server.never.wait(60)
        if parts[:1] == ["files"] and len(parts) == 2 and (folder / parts[1]).is_file():
            return self._answer((folder / parts[1]).read_bytes(), "application/octet-stream")
        if parts[:1] == ["simple"] and len(parts) == 2:
            files = [f for f in sorted(folder.iterdir()) if project_of(f.name) == normalise(parts[1])]
            if files:
                links = "".join('<a href="{2}/files/{0}#sha256={1}">{0}</a><br>\n'.format(
                    html.escape(f.name), hashlib.sha256(f.read_bytes()).hexdigest(), host if how == "links" else "") for f in files)
                return self._answer(f"<!DOCTYPE html><html><body>\n{links}</body></html>".encode(), "text/html")
        return self._answer(b"not here\n", "text/plain", 404)

    do_HEAD = do_GET


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, listener: socket.socket, folder: Path):
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = listener.getsockname()[:2]
        self.folder, self.requests, self.authorizations = folder, [], []
        self.login = self.endless = self.moved = None
        self.never = threading.Event()
        self.server_activate()

    def handle_error(self, request, client_address):
        pass  # a client that was killed


class Index:
    """with Index(folder) as index: index.url.  A socket that is bound already (in another namespace) may be given."""

    def __init__(self, folder: Path, listener: socket.socket | None = None, host: str | None = None):
        if listener is None:
            listener = socket.create_server(("127.0.0.1", 0))
        self._server = _Server(listener, folder)
        self.folder = folder
        self.host = host or listener.getsockname()[0]
        self.port = listener.getsockname()[1]
        self.url = f"http://{self.host}:{self.port}/simple"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def requests(self) -> list[str]:
        return self._server.requests

    @property
    def logins(self) -> list[str]:
        """USER:PASSWORD of each request that came with one."""
        return [base64.b64decode(a.partition(" ")[2]).decode(errors="replace") for a in self._server.authorizations]

    def forget(self) -> None:
        """Who came so far."""
        del self._server.requests[:], self._server.authorizations[:]

    def serve(self, folder: Path) -> None:
        """Another folder from now on."""
        self.folder = self._server.folder = folder

    def ask_for(self, user: str | None, password: str = "") -> None:
        """Everything is 401 without them; None: nobody is asked any more."""
        self._server.login = None if user is None else "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def move(self, to: tuple[str, str] | None) -> None:
        """Files are at another place, ("links" or "redirects", "http://HOST:PORT"): its pages say so, or its answers do."""
        self._server.moved = to

    def never_send(self, filename: str) -> None:
        """Who asks for that file waits."""
        self._server.endless = filename

    def __enter__(self) -> "Index":
        self._thread.start()
        return self

    def __exit__(self, *exc) -> None:
        self._server.never.set()
        self._server.shutdown()
        self._server.server_close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bind", default="127.0.0.1:0")
    options = parser.parse_args()
    host, _, port = options.bind.rpartition(":")
    with Index(options.folder, socket.create_server((host, int(port)))) as index:
        print(index.url, flush=True)
        threading.Event().wait()
