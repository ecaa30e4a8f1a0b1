"""A machine whose nameservers are all of one family: allowed names lead to addresses of both, whoever resolves them, and pip finds its index."""
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from conftest import USERS
from lib.fakenet import INET4, INET6
from test_allowed_hosts import GET, HOST, PUBLIC, STATIC, allow, rules

PUBLIC6 = "2001:db8:1::5"
SERVERS = {"four": [INET4], "six": [INET6]}
WORLDS = [*(("", u) for u in USERS), ("namespaces", "user")]


@pytest.fixture(params=SERVERS, scope="module")
def servers(request, internet):
    resolv = Path("/etc/netns", internet.host_ns, "resolv.conf")
    before = resolv.read_text()
    resolv.write_text("".join(f"nameserver {s}\n" for s in SERVERS[request.param]) + "options timeout:1 attempts:1\n")
    yield request.param
    resolv.write_text(before)


@pytest.fixture(params=WORLDS, ids=[f"{hide or 'nothing'}-{name}" for hide, name in WORLDS])
def world(request, servers, make_world, user_named, net):
    net.clear()
    hide, name = request.param
    return make_world(user_named(name), net=net, hide=hide)


@pytest.fixture(scope="module")
def programs(base):
    """The same program with each libc's own resolver, and with the shim's."""
    source = base / "one-family.c"
    source.write_text(STATIC.replace("hints.ai_socktype", "hints.ai_flags = FLAGS;\n\thints.ai_socktype"))
    made = {}
    for name, compiler, more in (("musl", "musl-gcc", ["-static"]), ("glibc", "cc", ["-static"]), ("shim", "cc", [])):
        for flags in ("0", "AI_ADDRCONFIG"):
            made[name, flags] = base / f"one-family-{name}-{flags}"
            subprocess.run([compiler, *more, "-w", "-O1", f"-DFLAGS={flags}", "-o", made[name, flags], source], check=True, capture_output=True, timeout=60)
    return made


@pytest.mark.parametrize("addresses", [[PUBLIC], [PUBLIC6], [PUBLIC6, PUBLIC]], ids=["four", "six", "both"])
@pytest.mark.parametrize("flags", ["0", "AI_ADDRCONFIG"])
@pytest.mark.parametrize("how", ["musl", "glibc", "shim"])
def test_an_allowed_host(world, net, programs, how, flags, addresses):
    net.dns.addresses[HOST] = addresses
    if world.hide and how != "shim":  # without a network namespace there is nobody whom a resolver of its own could ask
        result = world.guarded([*allow(HOST), "run", "--", programs[how, flags], HOST, "80", GET.format(HOST)], timeout=30)
        assert result.out == "no name\n" and "net.socket" in rules(result, "net.socket"), str(result)
        assert net.names() == [] and net.outside() == [], str(result)
        return
    result = world.guarded([*allow(HOST), "run", "--", programs[how, flags], HOST, "80", GET.format(HOST)], timeout=30)
    assert result.out == "HTTP/1.1 200\n" and rules(result) == ["net.connect.relayed"], str(result)
    assert set(net.names()) == {HOST} and {p.destination for p in net.outside() if p.payload} <= {*addresses, INET6}, str(result)
    refused = world.guarded(["run", "--", programs[how, flags], HOST, "80", GET.format(HOST)], timeout=30)
    assert refused.out == "no name\n" and "net.resolve" in rules(refused, "net.resolve"), str(refused)


def test_pip_finds_its_index(world, net, templates, distribution):
    world.use_venv(templates, distribution)
    result = world.guarded(["pip", "install", "pwpure"])
    assert result.status == 0 and result.above("info") == [], str(result)
