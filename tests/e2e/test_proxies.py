"""Corporate networks: pip goes through the proxy of its configuration, which is asked for its hosts and no others.

The proxy stands in a network namespace and notes all that reaches it; what it says of a refused host is the test, before the journal is looked at."""
from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import USERS, cannot
from lib import packages
from lib.fakenet import INDEX_NAME, INDEX_PORT, INET4, in_netns
from lib.index import Index
from lib.procs import wait_for
from lib.proxy import Proxy
from test_allowed_hosts import UNBLOCKED

PROXY, LOGIN = "proxy.corp.test", "someone:sesame-opens-9"
FILES = "files.corp.test"
SECURE, SECURE_PORT = "secure.corp.test", 9443


def listening(net, port=0):
    def make():
        return socket.create_server(("", port), backlog=64)
    return lambda: in_netns(net.inet_ns, make)


def dialling(net):
    """All names lead to the fake internet, and addresses to themselves."""
    def dial(host, port):
        return in_netns(net.inet_ns, lambda: socket.create_connection((host if host[0].isdigit() else INET4, port), 10))
    return dial


@pytest.fixture(scope="module")
def running(internet):
    with Proxy(listening(internet), dialling(internet)) as proxy:
        yield proxy


@pytest.fixture
def proxy(running, net):
    running.clear()
    running.login = None
    yield running
    net.index.move(None)


@pytest.fixture
def world(request, net, make_world, user_named, templates, distribution):
    world = make_world(user_named(getattr(request, "param", "user")), net=net)
    world.use_venv(templates, distribution)
    return world


as_both = pytest.mark.parametrize("world", USERS, indirect=True)


def url(proxy, scheme="http", login=None):
    return f"{scheme}://{login + '@' if login else ''}{PROXY}:{proxy.port}"


def install(*words):
    return ["pip", "install", "--retries", "0", "--timeout", "8", *words]


def installed(world, name="pwpure"):
    return bool(list(world.site_packages().glob(f"{name}*")))


def kernel_events(result, rule):
    return [e for e in result.of_type("net.connect") if e["rule"] == rule and "first" not in e]


WAYS = {
    "option": lambda u: (["--proxy", u], {}),
    "setting": lambda u: ([], {"PIP_PROXY": u}),
    "http_proxy": lambda u: ([], {"http_proxy": u}),
    "HTTP_PROXY": lambda u: ([], {"HTTP_PROXY": u}),
    "all_proxy": lambda u: ([], {"all_proxy": u}),
}


@as_both
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("way", WAYS)
def test_index_is_reached_through_it_and_the_login_stays_secret(way, scheme, world, net, proxy):
    proxy.login = LOGIN
    words, env = WAYS[way](url(proxy, scheme, LOGIN))
    result = world.guarded(install(*words, "pwpure"), env)
    assert result.status == 0 and installed(world), str(result)
    assert {a.host for a in proxy.asked} == ({INET4} if scheme == "socks5" else {INDEX_NAME}) and {a.port for a in proxy.asked} == {INDEX_PORT}
    assert proxy.logins, "it was not asked for"
    secret = LOGIN.partition(":")[2]
    assert secret not in result.out + result.err + result.journal.read_text(), str(result)
    assert not kernel_events(result, "net.connect.installer"), str(result)


def test_a_login_without_a_scheme_stays_secret_too(world, net, proxy):
    proxy.login = LOGIN
    result = world.guarded(install("--proxy", f"{LOGIN}@{PROXY}:{proxy.port}", "pwpure"))
    assert '"--proxy"' in result.journal.read_text(), str(result)  # this pip takes the name for a scheme
    assert LOGIN.partition(":")[2] not in result.out + result.err + result.journal.read_text(), str(result)


def test_ctrl_c_where_the_proxy_does_not_answer(world, net):
    """Nobody waits for a connection that the user has given up."""
    def full():
        listener = socket.create_server(("", 0), backlog=0)
        waiting = [socket.socket() for _ in range(4)]
        for s in waiting:
            s.setblocking(False)
            s.connect_ex((INET4, listener.getsockname()[1]))
        return [listener, *waiting]
    sockets = in_netns(net.inet_ns, full)
    port = sockets[0].getsockname()[1]
    argv = [world.pipwarden, "--log", world.new_journal(), *install("--proxy", f"http://{PROXY}:{port}", "pwpure")]
    with world.popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as p:
        try:
            assert wait_for(lambda: any(packet.port == port for packet in net.sink.packets), 20), "it does not try"
            time.sleep(0.3)
            os.killpg(p.pid, signal.SIGINT)
            start = time.monotonic()
            out = p.communicate(timeout=25)[0].decode()
            assert time.monotonic() - start < 8 and "cancelled by user" in out, out
        finally:
            p.kill()
            for s in sockets:
                s.close()


# --- another host ----------------------------------------------------------------------------------------------------

ELSEWHERE = f"http://{FILES}:{INDEX_PORT}"
REFUSED = "net.connect.installer"


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize("kind", ["links", "redirects"])
def test_another_host_is_not_asked_for_and_can_be_allowed(kind, scheme, world, net, proxy, templates, distribution):
    net.index.move((kind, ELSEWHERE))
    argv, env = install("pwpure"), {"http_proxy": url(proxy, scheme)}
    held = world.guarded(argv, env)
    assert held.status != 0 and not installed(world), str(held)
    assert proxy.hosts() == {INDEX_NAME} and FILES.encode() not in proxy.bytes, str(held)
    told = kernel_events(held, REFUSED)
    assert [e["target"]["host"] for e in told] == [FILES] and told[0]["target"]["port"] == INDEX_PORT, str(held)
    assert f"--allow-host {FILES}" in told[0]["hint"] and f'"installer": ["@index", "{FILES}"]' in told[0]["hint"] and PROXY in told[0]["hint"], told
    assert f"--allow-host {FILES}" in held.err, str(held)
    assert ("Forbidden by pipwarden" if scheme == "http" else "not allowed by the proxy's rules, or by pipwarden's") in held.out + held.err, str(held)

    proxy.clear()
    allowed = world.guarded(argv, env, options=["--allow-host", FILES])
    assert allowed.status == 0 and installed(world) and FILES in proxy.hosts(), str(allowed)


def test_a_host_of_the_deny_list_is_refused_whatever_allows_it(world, net, proxy):
    host = "eo1abcdef.m.pipedream.net"
    net.index.move(("links", f"http://{host}:{INDEX_PORT}"))
    held = world.guarded(install("pwpure"), {"http_proxy": url(proxy)}, options=["--allow-host", host, "--on-violation", "deny"])
    assert held.status != 0 and host.encode() not in proxy.bytes, str(held)
    told = [e for e in held.of_type("net.connect") if e["target"].get("host") == host]
    assert told and told[0]["rule"].startswith("net.exfil") and "no option allows" in told[0]["hint"], str(held)


def test_past_the_proxy(world, net, proxy):
    """Whom NO_PROXY names is reached directly; the others are not."""
    env = {"http_proxy": url(proxy), "no_proxy": f"other.test,{INDEX_NAME}"}
    result = world.guarded(install("pwpure"), env)
    assert result.status == 0 and installed(world) and proxy.asked == [], str(result)


# --- by TLS ----------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def authority(base):
    """A company's own: authority("NAME") signs a server's certificate."""
    folder = base / "authority"
    folder.mkdir()

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Company", "-addext", "keyUsage=critical,keyCertSign")
    (folder / "ca.pem").chmod(0o644)

    def sign(name):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "ext").write_text(f"subjectAltName=DNS:{name}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext",
                "-out", f"{name}.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        return context

    sign.bundle = str(folder / "ca.pem")
    return sign


class TlsListener(socket.socket):
    """Its connections are spoken to in TLS, each on the thread that serves it."""
    context: ssl.SSLContext

    def accept(self):
        connection, peer = super().accept()
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), peer


@pytest.fixture(scope="module")
def secure(internet, authority, package_folder):
    """An index that is reached by https alone."""
    made = in_netns(internet.inet_ns, lambda: socket.create_server(("", SECURE_PORT), backlog=64))
    listener = TlsListener(fileno=made.detach())
    listener.context = authority(SECURE)
    with Index(package_folder, listener, SECURE) as index:
        index.url = index.url.replace("http:", "https:")
        yield index


BUNDLES = {
    "--cert": lambda b: (["--cert", b], {}),
    "PIP_CERT": lambda b: ([], {"PIP_CERT": b}),
    "REQUESTS_CA_BUNDLE": lambda b: ([], {"REQUESTS_CA_BUNDLE": b}),
    "CURL_CA_BUNDLE": lambda b: ([], {"CURL_CA_BUNDLE": b}),
}


@pytest.mark.parametrize("scheme", [None, "http", "socks5h"], ids=["direct", "http", "socks5h"])
@pytest.mark.parametrize("how", BUNDLES)
def test_a_companys_own_authority(how, scheme, world, net, proxy, secure, authority):
    words, env = BUNDLES[how](authority.bundle)
    env |= {"PIP_INDEX_URL": secure.url} | ({"https_proxy": url(proxy, scheme)} if scheme else {})
    result = world.guarded(install(*words, "pwpure"), env)
    assert result.status == 0 and installed(world), str(result)
    assert proxy.hosts() == ({SECURE} if scheme else set()) and result.of_type("net.connect") == [], str(result)
    if scheme:
        assert all(bytes(a.sent[:2]) == b"\x16\x03" for a in proxy.asked), "no TLS of pip's own"


def test_without_the_authority_nothing_is_believed(world, net, proxy, secure):
    result = world.guarded(install("pwpure"), {"PIP_INDEX_URL": secure.url, "https_proxy": url(proxy)})
    assert result.status != 0 and not installed(world) and "CERTIFICATE_VERIFY_FAILED" in result.out + result.err, str(result)


def test_the_systems_store(world, net, proxy, secure, authority, all_pythons, templates):
    """From 24.2 on pip asks the system's store (truststore), which SSL_CERT_FILE names."""
    python = all_pythons.get("3.13")
    if python is None:
        pytest.skip("there is no CPython 3.13 here")  # optional by the matrix's own definition
    world.use_venv(templates, python)
    for env in ({}, {"https_proxy": url(proxy)}):
        env |= {"PIP_INDEX_URL": secure.url, "SSL_CERT_FILE": authority.bundle}
        plain = world.run(install("--dry-run", "pwpure"), env)
        proxy.clear()
        result = world.guarded(install("--dry-run", "pwpure"), env)
        assert result.status == plain.status, f"{plain}\n{result}"  # behind a proxy pips before 25.1 do not ask that store
        assert result.status == 0 or "https_proxy" in env, str(result)
    assert proxy.hosts() == {SECURE}


def test_another_host_by_tls_is_not_asked_for(world, net, proxy, secure, authority):
    env = {"PIP_INDEX_URL": secure.url, "PIP_CERT": authority.bundle, "https_proxy": url(proxy), "PIP_EXTRA_INDEX_URL": ""}
    secure.move(("links", f"https://{FILES}:{SECURE_PORT}"))
    try:
        held = world.guarded(install("pwpure"), env)
    finally:
        secure.move(None)
    assert held.status != 0 and proxy.hosts() == {SECURE} and FILES.encode() not in proxy.bytes, str(held)
    assert [(e["target"]["host"], e["target"]["port"]) for e in kernel_events(held, REFUSED)] == [(FILES, SECURE_PORT)], str(held)


# --- a proxy that is itself reached by TLS ---------------------------------------------------------------------------

@pytest.fixture(scope="module")
def tls_proxy(internet, authority):
    with Proxy(listening(internet), dialling(internet), tls=authority(PROXY)) as proxy:
        yield proxy


def test_what_is_asked_by_tls_cannot_be_seen(world, net, tls_proxy, authority):
    tls_proxy.clear()
    argv, env = install("--cert", authority.bundle, "pwpure"), {"http_proxy": url(tls_proxy, "https")}
    held = world.guarded(argv, env)
    assert held.status == 1 and not installed(world) and not tls_proxy.bytes, str(held)
    told = kernel_events(held, "net.connect.proxy")
    entry = {"host": PROXY, "port": tls_proxy.port, "opaque": True}
    assert told and told[0]["severity"] == "medium" and json.dumps(entry) in told[0]["hint"], str(held)

    world.write(world.home / ".config/pipwarden/policy.json", json.dumps({"version": 1, "network": {"installer": ["@index", entry]}}))
    allowed = world.guarded(argv, env)
    assert allowed.status == 0 and installed(world) and tls_proxy.hosts() == {INDEX_NAME}, str(allowed)


# --- builds and guests -----------------------------------------------------------------------------------------------

STATIC, PUBLIC = "static.example.org", "203.0.113.40"
SETUP = """
import json, os, urllib.request
from setuptools import setup
def get(url):
    try:
        return urllib.request.urlopen(url, timeout=8).read().decode()
    except OSError as e:
        return "nothing: %s" % e
seen = {"http": get("http://static.example.org/part"), "proxy": [v for n, v in os.environ.items() if "PROXY" in n.upper()]}
open("pwseen.py", "w").write("SEEN = %r" % seen)
setup(name="pwseen", version="1.0", py_modules=["pwseen"])
"""
GET = """
import json, os, socket, ssl, sys
def talk(port, tls=None, host="static.example.org", name=None):
    try:
        s = socket.create_connection((host, port), 10)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            s = context.wrap_socket(s, server_hostname=tls)
        s.sendall(b"GET /x HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % (name or host).encode())
        return s.recv(999).decode("latin-1")[:15] or "closed"
    except OSError as e:
        return type(e).__name__
print(json.dumps([talk(**json.loads(a)) for a in sys.argv[1:]] + [[v for n, v in os.environ.items() if "PROXY" in n.upper()]]))
"""
OK = "HTTP/1.1 200 OK"
WORLDS = [*(("", u) for u in USERS), ("namespaces", "user"), ("namespaces,pidfd_getfd", "root")]


@pytest.fixture(params=WORLDS, ids=[f"{hide or 'nothing'}-{name}" for hide, name in WORLDS])
def behind(request, net, make_world, user_named, templates, distribution):
    """A machine whose names of the outside nobody knows, and which finds its proxy."""
    for host in (STATIC, "other.example.org"):
        net.dns.addresses[host] = []
    hide, name = request.param
    world = make_world(user_named(name), net=net, hide=hide)
    world.use_venv(templates, distribution)
    return world


def only_by(net, proxy):
    """What left the machine was for the proxy, and no name but its own was asked for."""
    return {p.port for p in net.outside() if p.payload} <= {proxy.port} and set(net.names()) <= {PROXY}


def guest(world, env, *talks, options=("--allow-host", STATIC)):
    result = world.guarded([*options, "--on-violation", "deny", "run", "--", "/usr/bin/python3", "-I", "-c", GET, *map(json.dumps, talks)], env, timeout=60)
    assert result.out.startswith("["), str(result)
    return result, json.loads(result.out)


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_an_allowed_host_is_reached_through_the_proxy(scheme, behind, net, proxy):
    proxy.login = LOGIN
    env = {"http_proxy": url(proxy, scheme, LOGIN), "HTTPS_PROXY": url(proxy, scheme, LOGIN), "no_proxy": "x.test"}
    result, got = guest(behind, env, {"port": 80}, {"port": 443, "tls": STATIC})
    assert got == [OK, OK, []], str(result)
    assert [(a.host, a.port) for a in proxy.asked] == [(STATIC, 80), (STATIC, 443)] and only_by(net, proxy), str(result)
    told = [e for e in kernel_events(result, "net.connect.relayed")]
    assert [e["target"]["host"] for e in told] == [STATIC] * 2 and all(f"{PROXY}:{proxy.port}" in e["hint"] for e in told), str(result)
    secret = LOGIN.partition(":")[2]
    assert secret not in result.out + result.err + result.journal.read_text() and result.status == 0, str(result)


def test_the_right_name_holds_behind_the_proxy_too(behind, net, proxy):
    env = {"ALL_PROXY": url(proxy)}
    result, got = guest(behind, env, {"port": 443, "tls": "other.example.org"}, {"port": 80, "name": "other.example.org"}, {"port": 80, "host": "other.example.org"})
    assert OK not in got[:3], str(result)
    assert b"other.example.org" not in proxy.bytes and only_by(net, proxy), str(result)
    assert [e["target"].get("name") for e in kernel_events(result, "net.connect.name")] == ["other.example.org"] * 2, str(result)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 407 Who\r\n\r\n", b"HTTP/1.1 403 No\r\n\r\n", b"SSH-2.0-x\r\n"], ids=["407", "403", "ssh"])
def test_a_proxy_that_refuses(answer, behind, net, proxy):
    proxy.answer = answer
    result, got = guest(behind, {"ALL_PROXY": url(proxy)}, {"port": 80})
    assert got[0] == "ConnectionRefusedError" and [bytes(a.sent) for a in proxy.asked] == [b""], str(result)


@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize("slow,answer,expected", [(0, None, f"at once {OK}"), (3, None, f"at once {OK}"), (3, b"SSH-2.0-x\r\n", "at once ConnectionResetError"),
                                                  (0, b"SSH-2.0-x\r\n", "at once error 111")], ids=["soon", "late", "late-no", "no"])
def test_who_does_not_wait_for_the_proxy(slow, answer, expected, scheme, behind, net, proxy):
    """An event loop is not held up by a proxy that takes long, and is told at once what is known at once."""
    proxy.slow, proxy.answer = slow, answer
    argv = ["run", "--", "/usr/bin/python3", "-I", "-c", UNBLOCKED, STATIC, "80"]
    result = behind.guarded(["--allow-host", STATIC, "--on-violation", "deny", *argv], {"ALL_PROXY": url(proxy, scheme)}, timeout=60)
    assert result.out == expected + "\n" and only_by(net, proxy), str(result)
    assert [(a.host, a.port) for a in proxy.asked] == [(STATIC, 80)], str(result)


def test_past_the_proxy_goes_what_it_is_not_for(behind, net, proxy):
    net.dns.addresses[STATIC] = [PUBLIC]
    for bypass in (STATIC, "example.org", ".example.org", "x.test, example.org:80", "*"):
        result, got = guest(behind, {"ALL_PROXY": url(proxy), "NO_PROXY": bypass}, {"port": 80})
        assert got[0] == OK and proxy.asked == [], f"{bypass}: {result}"
    assert {p.destination for p in net.outside() if p.payload} == {PUBLIC}


def test_private_names_are_looked_at_and_not_sent_through(behind, net, proxy):
    """Where they lead can be seen here, and could not be behind the proxy."""
    net.dns.addresses["intranet.corp"] = ["10.9.8.7"]
    result, got = guest(behind, {"ALL_PROXY": url(proxy)}, {"port": 80, "host": "intranet.corp"}, {"port": 80, "host": "metadata.google.internal"},
                        options=("--allow-host", "*"))
    assert OK not in got[:2] and proxy.asked == [] and [p for p in net.outside() if p.payload] == [], str(result)
    assert "net.resolve.private" in [e["rule"] for e in result.of_type("net.resolve")], str(result)


def test_a_build_is_led_through_the_proxy_and_sees_none(behind, net, proxy, base):
    folder = base / "proxied"
    if not folder.exists():
        packages.sdist(folder, "pwseen", "1.0", {"setup.py": SETUP})
    before = net.index.folder
    net.index.serve(folder)
    try:
        u = url(proxy, login=LOGIN)
        proxy.login = LOGIN
        env = {n: u for n in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "ftp_proxy", "PIP_PROXY")} | {"no_proxy": INDEX_NAME}
        result = behind.guarded(install("--no-build-isolation", "pwseen"), env, options=["--allow-host", f"build:{STATIC}"])
    finally:
        net.index.serve(before)
    assert result.status == 0, f"{result} {proxy.asked} {net.index.requests[-3:]}"
    seen = (behind.site_packages() / "pwseen.py").read_text()
    assert "a module of the attacker" in seen and "'proxy': []" in seen and "sesame" not in seen, seen
    assert (STATIC, 80) in {(a.host, a.port) for a in proxy.asked}, str(result)


# --- a pip that has gone bad -----------------------------------------------------------------------------------------

# In the place of pip's own: speaks to the proxy as PW_TALKS says, and says what it heard.
BAD_PIP = """
import json, os, socket, ssl
def play(steps):
    heard = []
    try:
        s = socket.create_connection((os.environ["PW_HOST"], int(os.environ["PW_PORT"])), 8)
        for kind, what in steps:
            if kind == "say":
                s.sendall(what.encode("latin-1"))
            elif kind == "tls":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                s = context.wrap_socket(s, server_hostname=what)
            else:
                heard.append(s.recv(4096).decode("latin-1"))
    except OSError as e:
        heard.append(type(e).__name__)
    return heard
def main(args=None):
    print(json.dumps([play(steps) for steps in json.loads(os.environ["PW_TALKS"])]))
    return 0
"""
AT = f"{INDEX_NAME}:{INDEX_PORT}"


def say(text):
    return ["say", text]


def connect(host, port, *then):
    return [say(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"), ["hear", ""], *then]


def get(url, host):
    return f"GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n"


def socks(request, *then):
    return [say("\x05\x01\x00"), ["hear", ""], say("\x05" + request), ["hear", ""], *then]


def by_name(host, port):
    return "\x01\x00\x03" + chr(len(host)) + host + chr(port >> 8) + chr(port & 255)


EVIL = "evil.test"
INDEXED, MISNAMED = "net.connect.installer", "net.connect.name"
BAD_TALKS = {
    "another host": ("http", connect(EVIL, 443), INDEXED),
    "another port": ("http", connect(INDEX_NAME, 22), INDEXED),
    "the proxy itself": ("http", connect(PROXY, 9, say("x")), INDEXED),
    "another host in the tunnel, by TLS": ("http", connect(INDEX_NAME, INDEX_PORT, ["tls", EVIL]), MISNAMED),
    "another host in the tunnel, by HTTP": ("http", connect(INDEX_NAME, INDEX_PORT, say(get("/", EVIL)), ["hear", ""]), MISNAMED),
    "another host before the tunnel stands": ("http", [say(connect(INDEX_NAME, INDEX_PORT)[0][1] + get("/", EVIL)), ["hear", ""], ["hear", ""]], MISNAMED),
    "a tunnel in the tunnel": ("http", connect(INDEX_NAME, INDEX_PORT, *connect(INDEX_NAME, INDEX_PORT)), MISNAMED),
    "something else in the tunnel": ("http", connect(INDEX_NAME, INDEX_PORT, say("ssh evil.test"), ["hear", ""]), MISNAMED),
    "a request": ("http", [say(get(f"http://{EVIL}/", EVIL)), ["hear", ""]], INDEXED),
    "a request to the second of two": ("http", [say(get(f"http://{AT}/x", AT)), ["hear", ""], say(get(f"http://{EVIL}/", EVIL)), ["hear", ""]], INDEXED),
    "a tunnel behind a request": ("http", [say(get(f"http://{AT}/x", AT)), ["hear", ""], *connect(INDEX_NAME, INDEX_PORT)], MISNAMED),
    "one host in the target and another in Host": ("http", [say(get(f"http://{AT}/", EVIL)), ["hear", ""]], MISNAMED),
    "https without a tunnel": ("http", [say(get(f"https://{EVIL}/", EVIL)), ["hear", ""]], MISNAMED),
    "the metadata service": ("http", [say(get("http://169.254.169.254/evil.test", "169.254.169.254")), ["hear", ""]], None),
    "the metadata service by a number": ("http", connect("2852039166", 80), MISNAMED),
    "an unlisted address": ("http", connect("203.0.113.9", 443), INDEXED),
    "SOCKS: another host": ("socks5", socks(by_name(EVIL, 443)), INDEXED),
    "SOCKS: another port": ("socks5", socks(by_name(INDEX_NAME, 22)), INDEXED),
    "SOCKS: an unlisted address": ("socks5", socks("\x01\x00\x01\xcb\x00\x71\x09\x01\xbb"), INDEXED),
    "SOCKS: the metadata service": ("socks5", socks("\x01\x00\x01\xa9\xfe\xa9\xfe\x00\x50"), None),
    "SOCKS: the metadata service, mapped": ("socks5", socks("\x01\x00\x04" + "\0" * 10 + "\xff\xff\xa9\xfe\xa9\xfe\x00\x50"), None),
    "SOCKS: bind": ("socks5", socks("\x02\x00\x01\xcb\x00\x71\x09\x01\xbb"), MISNAMED),
    "SOCKS: datagrams": ("socks5", socks("\x03\x00\x01\xcb\x00\x71\x09\x01\xbb"), MISNAMED),
    "SOCKS: another host in the tunnel": ("socks5", socks(by_name(INDEX_NAME, INDEX_PORT), ["tls", EVIL]), MISNAMED),
    "SOCKS: the older one": ("socks5", [say("\x04\x01\x01\xbb\xcb\x00\x71\x09evil.test\0"), ["hear", ""]], MISNAMED),
    "SOCKS: of an HTTP proxy": ("http", socks(by_name(EVIL, 443)), MISNAMED),
    "HTTP of a SOCKS proxy": ("socks5", connect(EVIL, 443), MISNAMED),
}


def talk_badly(world, proxy, scheme, talks, options=()):
    world.write(world.site_packages() / "pip/_internal/cli/main.py", BAD_PIP)
    env = {"http_proxy": url(proxy, scheme), "PW_TALKS": json.dumps(talks), "PW_HOST": PROXY, "PW_PORT": str(proxy.port)}
    return world.guarded(["pip", "download", "pwpure"], env, options=["--on-violation", "deny", *options])


@pytest.mark.parametrize("what", BAD_TALKS)
def test_a_pip_that_has_gone_bad_gets_no_further(what, world, net, proxy):
    scheme, steps, rule = BAD_TALKS[what]
    result = talk_badly(world, proxy, scheme, [steps])
    assert result.out.startswith("["), str(result)
    assert {(a.host, a.port) for a in proxy.asked} <= {(INDEX_NAME, INDEX_PORT)} and EVIL.encode() not in proxy.bytes, f"{bytes(proxy.bytes)} {result}"
    assert b"\xa9\xfe\xa9\xfe" not in proxy.bytes and b"169.254" not in proxy.bytes and set(net.names()) <= {PROXY}, f"{bytes(proxy.bytes)} {result}"
    told = [e for e in result.of_type("net.connect") if "first" not in e]
    assert len(told) == 1 and told[0]["action"] == "denied" and (told[0]["rule"] == rule if rule else "metadata" in told[0]["rule"]), str(result)
    assert "in the tunnel" not in what or f"in the proxy's tunnel to {INDEX_NAME}" in told[0]["hint"] or "SOCKS" in what, str(result)


def test_without_the_relay_each_of_them_would(world, net, proxy):
    """That the proxy is one that would have done as it was told: a trusted one is not looked into."""
    entry = {"host": PROXY, "port": proxy.port, "opaque": True}
    world.write(world.home / ".config/pipwarden/policy.json", json.dumps({"version": 1, "network": {"installer": ["@index", entry]}}))
    talk_badly(world, proxy, "http", [connect(EVIL, 80, say("x")), BAD_TALKS["SOCKS: another host"][1]])
    assert proxy.hosts() == {EVIL}


# --- Debian's own ----------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def in_inet(internet):
    """The network of the proxies: its names are those of the fake internet."""
    etc = Path("/etc/netns", internet.inet_ns)  # goes with the namespace
    etc.mkdir(parents=True)
    (etc / "resolv.conf").write_text(f"nameserver {INET4}\n")

    def start(argv):
        return subprocess.Popen(["ip", "netns", "exec", internet.inet_ns, *map(str, argv)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return start


@dataclass(frozen=True)
class Daemon:
    port: int
    schemes: tuple[str, ...]


def free_port(net):
    with in_netns(net.inet_ns, lambda: socket.create_server(("", 0))) as s:
        return s.getsockname()[1]


def answers(net, port):
    def one():
        socket.create_connection((INET4, port), 1).close()
        return True
    try:
        return in_netns(net.inet_ns, one)
    except OSError:
        return False


@pytest.fixture(params=["tinyproxy", "microsocks"])
def debians(request, internet, in_inet, base):
    if not shutil.which(request.param):
        cannot(f"there is no {request.param} here")
    port = free_port(internet)
    name, word = LOGIN.split(":")
    if request.param == "tinyproxy":
        conf = base / "tinyproxy.conf"
        conf.write_text(f'Port {port}\nTimeout 60\nMaxClients 50\nLogFile "{base}/tinyproxy.log"\nLogLevel Connect\nBasicAuth {name} {word}\n')
        (base / "tinyproxy.log").touch()
        (base / "tinyproxy.log").chmod(0o666)
        daemon = in_inet(["tinyproxy", "-d", "-c", conf])
    else:
        daemon = in_inet(["microsocks", "-p", port, "-u", name, "-P", word])
    try:
        assert wait_for(lambda: answers(internet, port), 10), "it does not start"
        yield Daemon(port, ("http",) if request.param == "tinyproxy" else ("socks5", "socks5h"))
    finally:
        daemon.terminate()
        daemon.wait(10)


def test_debians_proxies(debians, net, world, secure, authority, templates, distribution):
    for scheme in debians.schemes:
        u = url(debians, scheme, LOGIN)
        for env in ({"PIP_INDEX_URL": secure.url, "PIP_CERT": authority.bundle, "https_proxy": u}, {"http_proxy": u}):
            world.use_venv(templates, distribution)
            result = world.guarded(install("pwpure"), env)
            assert result.status == 0 and installed(world), str(result)
            assert {p.port for p in net.outside() if p.payload} == {debians.port}, str(result)
            net.index.move(("links", ELSEWHERE))
            secure.move(("links", f"https://{FILES}:{SECURE_PORT}"))
            before = len(net.index.requests) + len(secure.requests)
            held = world.guarded(install("--force-reinstall", "--no-cache-dir", "pwpure"), env)
            net.index.move(None), secure.move(None)
            assert held.status != 0 and len(net.index.requests) + len(secure.requests) == before + 1, str(held)  # the page, and no file
            told = [e for e in held.of_type("net.resolve" if scheme == "socks5" else "net.connect") if "first" not in e]  # socks5: pip itself looks names up
            assert [(e["rule"].rpartition(".")[2], e["target"]["host"]) for e in told] == [("installer", FILES)], str(held)


def test_a_build_behind_debians_proxies(debians, net, make_world, user_named):
    net.dns.addresses[STATIC] = [PUBLIC]
    for scheme in debians.schemes:
        for name in USERS:
            world = make_world(user_named(name), net=net)
            result, got = guest(world, {"ALL_PROXY": url(debians, scheme, LOGIN)}, {"port": 80}, {"port": 443, "tls": STATIC})
            assert got == [OK, OK, []], str(result)
    assert {p.port for p in net.outside() if p.payload} == {debians.port}


@as_both
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_what_a_build_requires_comes_through_the_proxy(scheme, world, net, proxy):
    """The pip of build isolation is led as the launched one is."""
    result = world.guarded(install("pwtiny"), {"http_proxy": url(proxy, scheme)})
    assert result.status == 0, str(result)
    assert {a.host for a in proxy.asked} == {INDEX_NAME} and [p for p in net.outside() if p.payload and p.port != proxy.port] == [], str(result)
