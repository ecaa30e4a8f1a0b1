"""Fronting, rebinding and spelling: the attacks of tests/lib/fronting.py, all of a run at once.  Each has to send nothing of its own to anybody, to be in the record under
its rule, and its honest counterpart has to arrive; judged at the tests' resolver, at every packet that left, and in the journal."""
from __future__ import annotations

import dataclasses
import json
import time

import pytest

from lib import fronting
from lib.fakenet import INET4
from lib.procs import wait_for
from test_allowed_hosts import WORLDS

# Each of a file's attacks on a thread of its own; what became of it says nothing: it is judged outside.
DRIVER = r"""
import concurrent.futures, json, socket, sys, time
def send(a, family, kind, address):
    with socket.socket(family, kind) as s:
        s.settimeout(3)
        if a["udp"]:
            s.sendto(bytes.fromhex(a["send"][0]), address)
            return "sent"
        s.connect(address)
        for n, piece in enumerate(a["send"]):
            time.sleep(0.15 * (n > 0))
            s.sendall(bytes.fromhex(piece))
        s.settimeout(a["patience"])
        return s.recv(99)[:12].decode("latin-1") or "closed"
def attack(a):
    said = []
    for _ in range(a["times"]):
        try:
            found = socket.getaddrinfo(a["to"], a["port"], 0, socket.SOCK_DGRAM if a["udp"] else socket.SOCK_STREAM)
        except OSError as e:
            said.append("no name")
            continue
        for family, kind, _, _, address in found:
            try:
                said.append(send(a, family, kind, address))
            except OSError as e:
                said.append(type(e).__name__)
    return said
attacks = json.load(open(sys.argv[1]))
with concurrent.futures.ThreadPoolExecutor(24) as pool:
    print(json.dumps(list(pool.map(attack, attacks))))
"""
BATCH = 100  # a sandbox has 128 doors
THIS_MACHINE = "198.51.100.9"


@pytest.fixture(params=WORLDS, ids=[f"{hide or 'nothing'}-{name}" for hide, name in WORLDS])
def world(request, make_world, user_named, net):
    net.clear()
    hide, name = request.param
    net._ip("-n", net.host_ns, "addr", "add", THIS_MACHINE + "/32", "dev", "inet")  # an address of its own that looks like anybody's
    yield make_world(user_named(name), net=net, hide=hide)
    net.settle()
    net._ip("-n", net.host_ns, "addr", "del", THIS_MACHINE + "/32", "dev", "inet")


def placed(attacks):
    """Each with an address of its own."""
    return [dataclasses.replace(a, address=f"203.0.{113 + i // 200}.{10 + i % 200}") for i, a in enumerate(attacks)]


def filled(a, text: bytes) -> bytes:
    upper = a.host.upper()
    return text.replace(b"@HOST@", a.host.encode()).replace(b"@UPPER@", upper.encode()).replace(b"@ADDR@", a.address.encode())


def run(world, net, attacks, pieces):
    for a in attacks:
        net.dns.turns[a.host] = [[filled(a, x.encode()).decode() for x in turn] for turn in a.answers] or [[a.address]]
        if a.alias:
            net.dns.aliases[a.host] = a.alias
    net.dns.turns["opaque.files.test"] = [["203.0.112.1"]]
    orders = [{"to": a.to or a.host, "port": a.port, "udp": a.udp, "times": a.times, "patience": 0.5 if a.before or pieces is not attack_pieces else 3,
               "send": [filled(a, p).hex() for p in pieces(a)]} for a in attacks]
    policy = world.write(world.work / "policy.json", json.dumps({"version": 1, "network": {"guest": [
        "*.files.test:80", "*.files.test:443", "*.pipedream.net", {"host": "opaque.files.test", "port": 4444, "opaque": True}]}}))
    file = world.write(world.work / "attacks.json", json.dumps(orders), 0o644)
    result = world.guarded(["--on-violation", "deny", "--policy", policy, "--allow-read", world.work, "run", "--", "/usr/bin/python3", "-I", "-c", DRIVER, file], timeout=60)
    assert result.out.startswith("[["), str(result)
    time.sleep(0.2)  # what has arrived is read by a thread of ours
    return result, json.loads(result.out)


def attack_pieces(a):
    return a.send


def honest_pieces(a):
    return a.honest or (a.before or fronting.GET,)


def arrived(net, a) -> bytes:
    return b"".join(p.payload for p in net.outside() if p.destination == a.address)


def events_of(result, a):
    """Of attempts; the shim explains some of them besides."""
    def is_its(e):
        target = e["target"]
        if a.to and a.to[0] in "0123456789:f" and a.rule != fronting.RESOLVE:
            return e["type"] == "net.connect" and target.get("port") == a.port
        if a.udp:
            return e["type"] in ("net.send", "net.socket")
        return target.get("host") == (a.to or a.host)
    return [e for e in result.of_type("net.connect", "net.resolve", "net.send", "net.socket") if e["source"] == "kernel" and "first" not in e and is_its(e)]


def fault(a, world, net, result) -> str:
    """What is wrong with one attack, or nothing."""
    rule = a.plain or a.rule if "namespaces" in world.hide else a.rule
    events = [e for e in events_of(result, a) if e["rule"] == rule]
    got = arrived(net, a)
    if fronting.SECRET.encode() in got.replace(filled(a, a.before), b"") or not filled(a, a.before).startswith(got):
        return f"arrived: {got[:80]!r}"
    if not events:
        return f"no {rule}: {[(e['type'], e['rule'], e['target']) for e in events_of(result, a)]}"
    if not any(a.why in e.get("hint", "") for e in events):
        return f"another reason: {[e.get('hint') for e in events]}"
    if a.seen is not None and a.seen not in [e["target"].get("name") for e in events]:
        return f"another name: {[e['target'] for e in events]}"
    return ""


def batches(attacks):
    rows = placed(attacks)
    return [rows[i:i + BATCH] for i in range(0, len(rows), BATCH)]


def test_attacks(world, net):
    faults = {}
    for batch in batches(fronting.ATTACKS):
        net.clear()
        result, said = run(world, net, batch, attack_pieces)
        faults.update({a.name: (f, s) for a, s in zip(batch, said) if (f := fault(a, world, net, result))})
        good = {a.address for a in batch if a.before}
        strange = [p for p in net.outside() if p.payload and p.destination not in good]
        assert not strange, f"{strange}\n{result}"
        assert not [n for n in net.names() if n not in {a.host for a in batch} | {"opaque.files.test"}], f"{net.names()}\n{result}"
        assert result.status == 100, str(result)
    assert not faults, "\n".join(f"{name}: {what}" for name, what in faults.items())


def test_honest_counterparts(world, net):
    """What is refused of each is the attack, not its kind: the same without it arrives, whole."""
    rows = [a for a in fronting.ATTACKS if a.rule == fronting.NAME and not a.to]
    for batch in batches(rows):
        net.clear()
        result, said = run(world, net, batch, honest_pieces)
        expected = {a.name: b"".join(filled(a, p) for p in honest_pieces(a)) for a in batch}
        wait_for(lambda: all(arrived(net, a) == expected[a.name] for a in batch), 3)
        assert {a.name: arrived(net, a) for a in batch} == expected, str(result)
        assert {e["rule"] for a in batch for e in events_of(result, a)} == {"net.connect.relayed"} and result.status == 0, str(result)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of Python's ssl, about a name that is none
def test_the_same_without_pipwarden(make_world, user_named, net):
    """Unguarded they arrive: the sinks would have seen them."""
    net.clear()
    batch = placed([a for a in fronting.ATTACKS if a.rule == fronting.NAME and not a.to and not a.udp])
    for a in batch:
        net.dns.turns[a.host] = [[a.address]]
    world = make_world(user_named("user"), net=net)
    orders = [{"to": a.host, "port": a.port, "udp": False, "times": 1, "patience": 0.3, "send": [filled(a, p).hex() for p in a.send]} for a in batch]
    file = world.write(world.work / "attacks.json", json.dumps(orders), 0o644)
    result = world.run(["/usr/bin/python3", "-I", "-c", DRIVER, file], timeout=60)
    assert result.out.startswith("[["), str(result)
    wait_for(lambda: all(arrived(net, a) for a in batch), 3)
    missing = [a.name for a in batch if not arrived(net, a)]
    net.settle()
    assert not missing and INET4 not in {a.address for a in batch}, f"{missing}\n{result}"


def test_there_are_enough():
    assert len(fronting.ATTACKS) >= 40 and len({a.name for a in fronting.ATTACKS}) == len(fronting.ATTACKS)
