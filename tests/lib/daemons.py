"""Daemons that stand outside every sandbox: sockets of all kinds that note who came and what was said."""
from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from .fakenet import close_sockets, in_netns

CONNECTED = b"[connection]"
Answer = Callable[[bytes], bytes]


class Daemons:
    """told[NAME]: CONNECTED for each connection, and every piece that came.  Names are whatever the test calls them."""

    def __init__(self, net):
        self._net, self._sockets, self._files = net, [], []
        self.told: dict[str, list[bytes]] = {}

    def unix(self, name: str, path: Path | str, kind: int = socket.SOCK_STREAM, answer: Answer | None = None) -> str:
        s = socket.socket(socket.AF_UNIX, kind)
        s.bind(str(path))
        self._files.append(Path(path))
        os.chmod(path, 0o666)
        self._serve(name, s, kind, answer)
        return str(path)

    def abstract(self, name: str, address: str, answer: Answer | None = None) -> str:
        """In the network namespace "host", where the commands run."""
        s = in_netns(self._net.host_ns, lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        s.bind("\0" + address)
        self._serve(name, s, socket.SOCK_STREAM, answer)
        return address

    def loopback(self, name: str, port: int, answer: Answer | None = None, host: str = "127.0.0.1") -> int:
        """On the loopback of "host"."""
        def make():
            s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((host, port))
            return s
        s = in_netns(self._net.host_ns, make)
        self._serve(name, s, socket.SOCK_STREAM, answer)
        return s.getsockname()[1]

    def netlink(self, name: str, protocol: int, groups: int) -> None:
        """A member of multicast groups in "host"."""
        def make():
            s = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, protocol)
            s.bind((0, groups))
            return s
        self._serve(name, in_netns(self._net.host_ns, make), socket.SOCK_DGRAM, None)

    def heard(self, name: str) -> bytes:
        return b"".join(self.told[name])

    def _serve(self, name: str, s: socket.socket, kind: int, answer: Answer | None) -> None:
        self._sockets.append(s)
        told = self.told.setdefault(name, [])
        stream = kind != socket.SOCK_DGRAM
        if stream:
            s.listen(64)
        threading.Thread(target=self._streams if stream else self._datagrams, args=(s, told, answer), daemon=True).start()

    def _streams(self, s, told, answer) -> None:
        while True:
            try:
                connection = s.accept()[0]
            except OSError:
                return
            told.append(CONNECTED)
            threading.Thread(target=self._talk, args=(connection, told, answer), daemon=True).start()

    @staticmethod
    def _talk(connection, told, answer) -> None:
        with connection:
            connection.settimeout(3)
            try:
                while piece := connection.recv(65536):
                    told.append(piece)
                    if answer and (reply := answer(piece)):
                        connection.sendall(reply)
            except OSError:
                pass

    @staticmethod
    def _datagrams(s, told, answer) -> None:
        while True:
            try:
                told.append(s.recv(65536))
            except OSError:
                return

    def close(self) -> None:
        close_sockets(self._sockets)
        for path in self._files:
            path.unlink(missing_ok=True)
