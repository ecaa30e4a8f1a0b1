"""A fake internet in network namespaces of its own: "host", where pip runs, and "inet", which answers everything.

    host 10.203.0.1, fd00:203::1  ── veth ──  inet 10.203.0.2, fd00:203::2 and every other address there is
      resolv.conf names 10.203.0.2              a resolver that answers any name with 10.203.0.2 and notes it,
      default route: inet                       TLS sinks (443, 465, 853), TCP sinks, UDP sink, a package index (8080),
                                                a capture of every packet that arrived, whatever its protocol

Nothing of it is reachable from outside, nothing in it reaches outside.  Needs root; all of it goes at the end."""
from __future__ import annotations

import ctypes
import os
import re
import select
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .index import Index

CLONE_NEWNET = 0x40000000
HOST4, INET4, HOST6, INET6 = "10.203.0.1", "10.203.0.2", "fd00:203::1", "fd00:203::2"
INDEX_NAME, INDEX_PORT = "index.test", 8080
TCP_PORTS = (22, 80, 4444, 6379, 8443)
TLS_PORTS = (443, 465, 853)
UDP_PORTS = (123, 4444, 5353)
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6, ETH_P_ARP = 0x0003, 0x0800, 0x86DD, 0x0806
QUIET_ICMP6 = {130, 131, 132, 133, 134, 135, 136, 143}  # neighbour discovery and multicast reports of the kernel

_libc = ctypes.CDLL(None, use_errno=True)


def in_netns(name: str, make):
    """make() on a thread of its own inside the namespace; a socket stays where it was made."""
    result = []

    def work():
        fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _libc.setns(fd, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            result.append((True, make()))
        except BaseException as e:
            result.append((False, e))
        finally:
            os.close(fd)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    good, value = result[0]
    if not good:
        raise value
    return value


def self_signed(folder: Path, *names: str) -> tuple[Path, Path]:
    key, cert = folder / "sink.key", folder / "sink.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=pipwarden test sink",
                    "-addext", "subjectAltName=" + ",".join(f"DNS:{n}" for n in names),
                    "-addext", "keyUsage=critical,keyCertSign,digitalSignature"],
                   check=True, capture_output=True)
    cert.chmod(0o644)
    return key, cert


class Dns:
    """Answers any A question with one address, or those that `addresses` has for the name, and notes every name.  What `turns` has for it it answers one after the
    other, the last for good; those may be of either family.  A name in `aliases` is another one (CNAME) of what stands there."""

    def __init__(self, address: str):
        self._address = address
        self.addresses: dict[str, list[str]] = {}
        self.turns: dict[str, list[list[str]]] = {}
        self.aliases: dict[str, str] = {}
        self.names: list[str] = []

    def _name(self, query: bytes) -> tuple[str, int]:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
            at += 1 + query[at]
        return ".".join(labels).lower(), at + 1

    def reply(self, query: bytes) -> bytes | None:
        try:
            name, at = self._name(query)
            kind = struct.unpack_from("!H", query, at)[0]
        except (IndexError, struct.error):
            return None
        self.names.append(name)
        answers = [self._record(b"\xc0\x0c", 5, self._wire(self.aliases[name]))] if name in self.aliases else []
        owner = self._wire(self.aliases[name]) if answers else b"\xc0\x0c"
        answers += [self._record(owner, kind, self._bytes(a)) for a in self._given(name, kind)]
        return query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(answers), 0, 0) + query[12:at + 4] + b"".join(answers)

    @staticmethod
    def _record(owner: bytes, kind: int, data: bytes) -> bytes:
        return owner + struct.pack("!HHIH", kind, 1, 0, len(data)) + data

    @staticmethod
    def _wire(name: str) -> bytes:
        return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"

    @staticmethod
    def _bytes(address: str) -> bytes:
        return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)

    def _given(self, name: str, kind: int) -> list[str]:
        turns = self.turns.get(name)
        if turns:
            all_of_it = turns.pop(0) if kind == 1 and len(turns) > 1 else turns[0]
        else:
            all_of_it = self.addresses.get(name, [self._address])
        return [a for a in all_of_it if kind == (28 if ":" in a else 1)]

    def serve_udp(self, sock: socket.socket) -> None:
        while True:
            try:
                query, peer = sock.recvfrom(4096)
                answer = self.reply(query)
                if answer:
                    sock.sendto(answer, peer)
            except OSError:
                return

    def serve_tcp(self, connection: socket.socket) -> None:
        with connection:
            head = connection.recv(2)
            if len(head) == 2:
                answer = self.reply(connection.recv(struct.unpack("!H", head)[0]))
                if answer:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)


@dataclass(frozen=True)
class Packet:
    protocol: int
    destination: str
    port: int
    payload: bytes


HTTP_BODY = b"print('a module of the attacker')\n"
HTTP_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(HTTP_BODY), HTTP_BODY)


def is_whole_request(data: bytes) -> bool:
    """An HTTP request with all of the body that it announces."""
    head, mark, body = data.partition(b"\r\n\r\n")
    if re.search(rb"(?i)transfer-encoding: *chunked", head):
        return body.endswith(b"0\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return bool(mark) and len(body) >= (int(length[1]) if length else 0)


class Sink:
    """Everything that left "host"."""

    def __init__(self):
        self.requests: list[tuple[str, bytes]] = []  # (server name, decrypted bytes) of the TLS sink
        self.streams: list[tuple[int, bytes]] = []  # (port, bytes) of each connection to a plain TCP sink, of each datagram to a UDP sink
        self.connections = 0
        self._packets: list[Packet] = []
        self._captured: socket.socket | None = None
        self._lock, self._capturing = threading.Lock(), threading.Lock()

    @property
    def packets(self) -> list[Packet]:
        """All that has left by now: what the capture has yet to read as well."""
        end = time.monotonic() + 10
        while self._captured and time.monotonic() < end:
            with self._capturing:
                if not select.select([self._captured], [], [], 0)[0]:
                    break
            time.sleep(0.001)
        return self._packets

    @property
    def bytes(self) -> bytes:
        """What the sinks were told, decrypted, and what lay in any packet."""
        return (b"".join(b for _, b in self.requests) + b"".join(b for _, b in self.streams)
                + b"".join(p.payload for p in self.packets))

    def clear(self) -> None:
        self.requests.clear(), self.streams.clear(), self.packets.clear()
        self.connections = 0

    def serve_tls(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self.connections += 1
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.settimeout(5)
                data = b""
                entry = len(self.requests)
                self.requests.append((tls.server_name_seen if hasattr(tls, "server_name_seen") else "", b""))
                while piece := tls.recv(65536):
                    data += piece
                    self.requests[entry] = (self.requests[entry][0], data)
                    if is_whole_request(data):
                        tls.sendall(HTTP_ANSWER)
                        break
        except OSError:
            pass

    def serve_plain(self, connection: socket.socket, port: int) -> None:
        self.connections += 1
        with connection:
            try:
                connection.settimeout(5)
                streams, entry = self.streams, None
                while piece := connection.recv(65536):
                    with self._lock:
                        if entry is None:
                            entry = len(streams)
                            streams.append((port, b""))
                        streams[entry] = (port, streams[entry][1] + piece)
                    if is_whole_request(streams[entry][1]):
                        connection.sendall(HTTP_ANSWER)
                        break
            except (OSError, IndexError):  # IndexError: cleared meanwhile
                pass

    def serve_udp(self, sock: socket.socket, port: int) -> None:
        while True:
            try:
                piece = sock.recvfrom(65536)[0]
            except OSError:
                return
            with self._lock:
                self.streams.append((port, piece))

    def capture(self, sock: socket.socket) -> None:
        self._captured = sock
        while True:
            try:
                select.select([sock], [], [])
                with self._capturing:
                    frame, address = sock.recvfrom(65536)
                    packet = parse(address[1], frame) if address[2] != socket.PACKET_OUTGOING else None
                    if packet:
                        self._packets.append(packet)
            except (OSError, ValueError):  # ValueError: closed
                self._captured = None
                return


def parse(ethertype: int, packet: bytes) -> Packet | None:
    if ethertype == ETH_P_ARP:
        return None
    if ethertype == ETH_P_IP and len(packet) >= 20:
        head, total = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
        protocol, destination = packet[9], socket.inet_ntoa(packet[16:20])
        rest = packet[head:total]
    elif ethertype == ETH_P_IPV6 and len(packet) >= 40:
        protocol, destination = packet[6], socket.inet_ntop(socket.AF_INET6, packet[24:40])
        rest = packet[40:40 + struct.unpack_from("!H", packet, 4)[0]]
        if protocol == 0 or protocol == 58 and rest and rest[0] in QUIET_ICMP6:
            return None
    else:
        return Packet(-ethertype, "", 0, packet)
    port = struct.unpack_from("!H", rest, 2)[0] if protocol in (6, 17) and len(rest) >= 4 else 0
    skip = (rest[12] >> 4) * 4 if protocol == 6 and len(rest) >= 20 else 8
    return Packet(protocol, destination, port, rest[skip:])


def close_sockets(sockets) -> None:
    for s in sockets:
        try:
            s.shutdown(socket.SHUT_RDWR)  # wakes the threads that wait on it
        except OSError:
            pass
        s.close()


class FakeInternet:
    """with FakeInternet(folder_of_packages) as net: net.run([...], user=…)"""

    count = 0

    def __init__(self, packages: Path, folder: Path):
        FakeInternet.count += 1
        self._tag = f"pwt{os.getpid()}n{FakeInternet.count}"
        self.host_ns, self.inet_ns = self._tag + "h", self._tag + "i"
        self._packages, self._folder = packages, folder
        self._sockets: list[socket.socket] = []
        self.sink, self.dns = Sink(), Dns(INET4)
        self.ca = folder / "sink.pem"
        self.index_url = f"http://{INDEX_NAME}:{INDEX_PORT}/simple"
        self.index: Index | None = None

    # --- namespaces

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)

    def _make_namespaces(self) -> None:
        h, i = self.host_ns, self.inet_ns
        self._ip("netns", "add", h)
        self._ip("netns", "add", i)
        for ns in (h, i):  # no duplicate address detection: the addresses are usable at once
            subprocess.run(["ip", "netns", "exec", ns, "sh", "-c",
                            "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad"
                            "; echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range"],
                           check=False, capture_output=True, timeout=20)
        self._ip("link", "add", "inet", "netns", h, "type", "veth", "peer", "name", "host", "netns", i)
        for ns, link, a4, a6, peer4, peer6 in ((h, "inet", HOST4, HOST6, INET4, INET6), (i, "host", INET4, INET6, HOST4, HOST6)):
            self._ip("-n", ns, "link", "set", "lo", "up")
            self._ip("-n", ns, "link", "set", link, "up")
            self._ip("-n", ns, "addr", "add", a4 + "/24", "dev", link)
            self._ip("-n", ns, "-6", "addr", "add", a6 + "/64", "dev", link, "nodad")
        self._ip("-n", h, "route", "add", "default", "via", INET4)
        self._ip("-n", h, "-6", "route", "add", "default", "via", INET6)
        self._ip("-n", i, "route", "add", "local", "0.0.0.0/0", "dev", "lo")  # every address is answered here
        self._ip("-n", i, "-6", "route", "add", "local", "::/0", "dev", "lo")
        self._ip("-n", i, "route", "add", HOST4 + "/32", "dev", "host")
        self._ip("-n", i, "-6", "route", "add", HOST6 + "/128", "dev", "host", "table", "local")  # else answers would be looped
        etc = Path("/etc/netns", h)
        etc.mkdir(parents=True)
        (etc / "resolv.conf").write_text(f"nameserver {INET4}\noptions timeout:1 attempts:1\n")

    # --- servers

    def _socket(self, family: int, kind: int, port: int) -> socket.socket:
        def make():
            s = socket.socket(family, kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind(("", port))
            if kind == socket.SOCK_STREAM:
                s.listen(256)
            return s
        s = in_netns(self.inet_ns, make)
        self._sockets.append(s)
        return s

    def _thread(self, work, *args) -> None:
        threading.Thread(target=work, args=args, daemon=True).start()

    def _accept(self, listener: socket.socket, serve, *args) -> None:
        def loop():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                self._thread(serve, connection, *args)
        self._thread(loop)

    def _start_servers(self) -> None:
        key, _ = self_signed(self._folder, "*.m.pipedream.net", "*.pipedream.net", "webhook.site")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        context.sni_callback = lambda tls, name, _: setattr(tls, "server_name_seen", name or "")
        for family in (socket.AF_INET, socket.AF_INET6):
            self._thread(self.dns.serve_udp, self._socket(family, socket.SOCK_DGRAM, 53))
            self._accept(self._socket(family, socket.SOCK_STREAM, 53), self.dns.serve_tcp)
            for port in TLS_PORTS:
                self._accept(self._socket(family, socket.SOCK_STREAM, port), self.sink.serve_tls, context)
            for port in TCP_PORTS:
                self._accept(self._socket(family, socket.SOCK_STREAM, port), self.sink.serve_plain, port)
            for port in UDP_PORTS:
                self._thread(self.sink.serve_udp, self._socket(family, socket.SOCK_DGRAM, port), port)
        capture = in_netns(self.inet_ns, self._capture_socket)
        self._sockets.append(capture)
        self._thread(self.sink.capture, capture)
        self.index = Index(self._packages, self._socket(socket.AF_INET, socket.SOCK_STREAM, INDEX_PORT), INDEX_NAME)
        self.index.__enter__()

    @staticmethod
    def _capture_socket() -> socket.socket:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        s.bind(("host", ETH_P_ALL))
        return s

    # --- use

    def environment(self) -> dict[str, str]:
        return {"PIP_INDEX_URL": self.index_url, "PIP_TRUSTED_HOST": INDEX_NAME, "SSL_CERT_FILE": str(self.ca)}

    def wrap(self, argv: list, user: int = 0, group: int | None = None) -> list[str]:
        """argv, to be run in "host" as that user."""
        who = ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={user if group is None else group}", "--clear-groups"]
        return ["/usr/bin/env", "ip", "netns", "exec", self.host_ns, *(who if user else []), *map(str, argv)]

    def outside(self) -> list[Packet]:
        """What left "host" for anything but the index and the resolver (whose names are in dns.names)."""
        return [p for p in self.sink.packets if not (p.destination == INET4 and p.port in (INDEX_PORT, 53) and p.protocol in (6, 17))]

    def names(self) -> list[str]:
        """Names that were asked for, but for the index's own."""
        return [n for n in self.dns.names if n.rstrip(".") != INDEX_NAME]

    def settle(self) -> None:
        """Waits until what was left of many connections has come to its end: it would be seen by the next test."""
        seen = -1
        while seen != len(self.sink.packets):
            seen = len(self.sink.packets)
            time.sleep(0.4)

    def clear(self) -> None:
        self.sink.clear()
        self.dns.names.clear()
        self.dns.addresses.clear(), self.dns.turns.clear(), self.dns.aliases.clear()

    def __enter__(self) -> "FakeInternet":
        try:
            self._make_namespaces()
            self._start_servers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc) -> None:
        if self.index:
            self.index.__exit__()
        close_sockets(self._sockets)
        for ns in (self.host_ns, self.inet_ns):
            subprocess.run(["ip", "netns", "del", ns], capture_output=True, timeout=20)
            shutil.rmtree(f"/etc/netns/{ns}", ignore_errors=True)
        try:
            os.rmdir("/etc/netns")
        except OSError:
            pass
