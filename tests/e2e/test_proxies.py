"""Corporate networks: pip goes through the proxy of its configuration, which is asked for its hosts and no others.

The proxy stands in a network namespace and notes all that reaches it; what it says of a refused host is the test, before the journal is looked at."""
from __future__ import annotations

import json
import socket
import ssl
import subprocess

import pytest

from conftest import USERS
from lib import packages
from lib.fakenet import INDEX_NAME, INDEX_PORT, INET4, in_netns
from lib.index import Index
from lib.proxy import Proxy

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
