"""An HTTP and SOCKS5 proxy that notes whom it was asked for, by which words, and what went through: to judge at it what reached it."""
from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request of a proxy."""
    host: str
    port: int
    head: bytes = b""
    sent: bytearray = field(default_factory=bytearray)  # what the client said in the tunnel


class Proxy:
    """with Proxy(listen, dial) as proxy: both are called for sockets: a listening one, and one that is connected to (host, port).

    login: "user:password" that it wants.  answer: what it says to CONNECT in place of its own words.  slow: seconds until it answers.  tls: it is spoken to in TLS."""

    def __init__(self, listen, dial, *, login: str | None = None, tls: ssl.SSLContext | None = None):
        self._dial, self._listener = dial, listen()
        self.port = self._listener.getsockname()[1]
        self.login, self.answer, self._tls = login, None, tls
        self.slow = 0.0
        self.asked: list[Asked] = []
        self.bytes = bytearray()  # all that any client said, before it was understood
        self.logins: list[bytes] = []
        self._open: list[socket.socket] = []

    def hosts(self) -> set[str]:
        return {a.host for a in self.asked}

    def clear(self) -> None:
        self.asked.clear(), self.bytes.clear(), self.logins.clear()
        self.answer, self.slow = None, 0.0

    # --- its clients

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            if self._tls:
                client = self._tls.wrap_socket(client, server_side=True)
            first = self._read(client, 1)
            if first == b"\x05":
                self._socks(client)
            elif first:
                self._http(client, first)
        except (OSError, ValueError, IndexError):
            pass
        finally:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            client.close()

    def _read(self, client: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = client.recv(count - len(data))
            if not piece:
                break
            data += piece
        self.bytes += data
        return data

    def _head(self, client: socket.socket, data: bytes) -> bytes:
        while b"\r\n\r\n" not in data:
            piece = client.recv(65536)
            if not piece:
                return b""
            self.bytes += piece
            data += piece
        return data

    def _http(self, client: socket.socket, data: bytes) -> None:
        while data := self._head(client, data):
            head, _, data = data.partition(b"\r\n\r\n")
            words = head.split(b"\r\n")[0].decode("latin-1").split(" ")
            if self.login and not self._knows(head):
                client.sendall(b"HTTP/1.1 407 Who are you?\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
                return
            if words[0] == "CONNECT":
                host, _, port = words[1].rpartition(":")
                return self._tunnel(client, Asked(host, int(port), head), data, self.answer or b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._forward(client, head, words)

    def _knows(self, head: bytes) -> bool:
        wanted = b"proxy-authorization: basic " + base64.b64encode(self.login.encode())
        self.logins += [line for line in head.split(b"\r\n") if line.lower().startswith(b"proxy-authorization:")]
        return any(line[:27].lower() + line[27:] == wanted for line in head.split(b"\r\n"))

    def _forward(self, client: socket.socket, head: bytes, words: list[str]) -> None:
        host, _, path = words[1].removeprefix("http://").partition("/")
        name, _, port = host.partition(":")
        self.asked.append(Asked(name, int(port or 80), head))
        fields = [line for line in head.split(b"\r\n")[1:] if not line.lower().startswith((b"proxy-", b"connection:"))]
        with self._dial(name, int(port or 80)) as server:
            server.sendall(b"\r\n".join([f"{words[0]} /{path} HTTP/1.1".encode(), *fields, b"Connection: close", b"", b""]))
            answer = b""
            while piece := server.recv(65536):
                answer += piece
        start, _, body = answer.partition(b"\r\n\r\n")
        client.sendall(start.replace(b"Connection: close", b"X: y") + b"\r\n\r\n" + body)

    def _socks(self, client: socket.socket) -> None:
        methods = self._read(client, self._read(client, 1)[0])
        method = 2 if self.login else 0
        client.sendall(bytes([5, method if method in methods else 0xff]))
        if self.login:
            self._read(client, 1)
            user = self._read(client, self._read(client, 1)[0])
            word = self._read(client, self._read(client, 1)[0])
            self.logins.append(user + b":" + word)
            client.sendall(bytes([1, user + b":" + word != self.login.encode()]))
        kind = self._read(client, 4)[3]
        raw = self._read(client, {1: 4, 4: 16}[kind] if kind != 3 else self._read(client, 1)[0])
        host = raw.decode() if kind == 3 else socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, raw)
        port = int.from_bytes(self._read(client, 2), "big")
        self._tunnel(client, Asked(host, port), b"", self.answer or b"\x05\x00\x00\x01\0\0\0\0\0\0")

    def _tunnel(self, client: socket.socket, asked: Asked, rest: bytes, answer: bytes) -> None:
        self.asked.append(asked)
        time.sleep(self.slow)
        with self._dial(asked.host, asked.port) as server:
            client.sendall(answer)
            if rest:
                asked.sent += rest
                server.sendall(rest)
            back = threading.Thread(target=self._copy, args=(server, client, None), daemon=True)
            back.start()
            self._copy(client, server, asked)
            back.join(10)

    def _copy(self, source: socket.socket, target: socket.socket, asked: Asked | None) -> None:
        try:
            while piece := source.recv(65536):
                if asked:
                    asked.sent += piece
                    self.bytes += piece
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc) -> None:
        for s in (self._listener, *self._open):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
