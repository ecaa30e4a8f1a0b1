"""The module `socks` for pip, where a SOCKS proxy is configured: what urllib3.contrib.socks uses of PySocks.

PySocks itself would come from the environment, and nothing of that runs inside pip (pip_boot.py).  CONNECT of SOCKS5 (RFC 1928) with a name and a
password or without (RFC 1929).  The proxy's own address is dialled as any other: pipwarden's relay reads what is asked of it.
"""
import ipaddress
import socket

PROXY_TYPE_SOCKS4 = SOCKS4 = 1
PROXY_TYPE_SOCKS5 = SOCKS5 = 2
ANSWERS = ("", "general failure", "not allowed by the proxy's rules, or by pipwarden's", "network unreachable", "host unreachable", "connection refused",
           "TTL expired", "command not supported", "address type not supported")


class ProxyError(OSError):
    def __init__(self, message, socket_err=None):
        super().__init__(message)
        self.msg, self.socket_err = message, socket_err


def take(sock, count):
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise ProxyError("the SOCKS proxy closed the connection")
        data += piece
    return data


def log_in(sock, user, password):
    offers = b"\x00\x02" if user and password else b"\x00"
    sock.sendall(b"\x05" + bytes([len(offers)]) + offers)
    version, method = take(sock, 2)
    if version != 5 or method not in offers:
        raise ProxyError("the SOCKS proxy wants another way to log in" if version == 5 else "that is no SOCKS5 proxy")
    if method == 0:
        return
    name, word = user.encode(), password.encode()
    if len(name) > 255 or len(word) > 255:
        raise ProxyError("the name or password for the SOCKS proxy is too long")
    sock.sendall(b"\x01" + bytes([len(name)]) + name + bytes([len(word)]) + word)
    if take(sock, 2)[1]:
        raise ProxyError("the SOCKS proxy refused the name and password")


def address_of(host, port, remote):
    """The request's address: a literal one as it is, a name as one (`remote`: socks5h) or as what it leads to."""
    if not remote:
        host = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][4][0].partition("%")[0]
    try:
        literal = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        name = host.encode("idna")
        return b"\x03" + bytes([len(name)]) + name
    return (b"\x01" if literal.version == 4 else b"\x04") + literal.packed


def ask(sock, host, port, remote):
    sock.sendall(b"\x05\x01\x00" + address_of(host, port, remote) + port.to_bytes(2, "big"))
    version, answer, _, kind = take(sock, 4)
    if version != 5:
        raise ProxyError("that is no SOCKS5 proxy")
    take(sock, (take(sock, 1)[0] if kind == 3 else 16 if kind == 4 else 4) + 2)
    if answer:
        raise ProxyError("{} ({})".format(host, ANSWERS[answer] if answer < len(ANSWERS) else "error {}".format(answer)))


def create_connection(dest_pair, timeout=None, source_address=None, proxy_type=None, proxy_addr=None, proxy_port=None, proxy_rdns=True,
                      proxy_username=None, proxy_password=None, socket_options=None):
    if proxy_type != PROXY_TYPE_SOCKS5:
        raise ProxyError("only SOCKS5 is spoken under pipwarden")
    limits = () if timeout is None else (timeout,)
    try:
        sock = socket.create_connection((proxy_addr, proxy_port or 1080), *limits, source_address=source_address)
    except OSError as error:
        raise ProxyError("the SOCKS proxy {}:{} cannot be reached: {}".format(proxy_addr, proxy_port or 1080, error), error)
    try:
        for option in socket_options or ():
            sock.setsockopt(*option)
        log_in(sock, proxy_username, proxy_password)
        ask(sock, dest_pair[0], dest_pair[1], proxy_rdns)
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError) and not isinstance(error, ProxyError):
            raise ProxyError(str(error), error)
        raise
    return sock
