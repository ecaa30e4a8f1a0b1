"""./dev demo: the two packages of January 2025 against plain pip and against pipwarden.  usage: demo.py PIPWARDEN

Everything happens in a network namespace of the demo's own that leads nowhere: a package index, a resolver and a sink that
answers for *.m.pipedream.net are all there is.  The secrets are canaries.  Root uses its own rights for the namespace, an
ordinary user a user namespace."""
from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lib import binary, packages  # noqa: E402
from lib.fakenet import Dns, Sink, self_signed  # noqa: E402
from lib.index import Index  # noqa: E402
from lib.pythons import distribution  # noqa: E402
from lib.world import CANARY, Templates, User, World, canaries, canary_environment  # noqa: E402

SINK = "10.203.0.2"
BOLD, RED, GREEN, DIM, PLAIN = ("\033[1m", "\033[31m", "\033[32m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("",) * 5


def enter_namespace() -> None:
    """Starts this script again where the internet is the demo's own."""
    flags = "-nm" if os.geteuid() == 0 else "-Urnm"
    os.execvp("unshare", ["unshare", flags, sys.executable, *sys.argv, "--inside"])


def prepare_network(folder: Path) -> None:
    for words in (["link", "set", "lo", "up"], ["addr", "add", f"{SINK}/32", "dev", "lo"]):
        subprocess.run(["ip", *words], check=True)
    resolver = folder / "resolv.conf"
    resolver.write_text(f"nameserver {SINK}\noptions timeout:1 attempts:1\n")
    resolver.chmod(0o644)
    subprocess.run(["mount", "--bind", resolver, os.path.realpath("/etc/resolv.conf")], check=True)


def serve(sink: Sink, dns: Dns, folder: Path) -> Path:
    key, cert = self_signed(folder, "*.m.pipedream.net")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.sni_callback = lambda tls, name, _: setattr(tls, "server_name_seen", name or "")
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((SINK, 53))
    listener = socket.create_server((SINK, 443))

    def accept():
        while True:
            threading.Thread(target=sink.serve_tls, args=(listener.accept()[0], context), daemon=True).start()

    threading.Thread(target=dns.serve_udp, args=(udp,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return cert


def say(text: str = "") -> None:
    print(text, flush=True)


def title(text: str) -> None:
    say(f"\n{BOLD}{text}{PLAIN}")


def show(result) -> None:
    say(f"{DIM}$ {' '.join('pipwarden' if w.endswith('/pipwarden') else w for w in result.argv)}{PLAIN}")
    for line in (result.out + result.err).rstrip().splitlines():
        say("    " + line)
    say(f"    {DIM}exit status {result.status}, {result.seconds:.1f} s{PLAIN}")


class Demo:
    def __init__(self, program: Path, folder: Path):
        self.sink, self.dns, self.folder = Sink(), Dns(SINK), folder
        prepare_network(folder)
        cert = serve(self.sink, self.dns, folder)
        packages.world(folder / "packages")
        self.index = Index(folder / "packages")
        self.world = World(folder / "world", User("demo", os.geteuid(), os.getegid()), program, index_url=self.index.url)
        (folder / "templates").mkdir()
        self.templates = Templates(folder / "templates", folder / "packages")
        self.env = {**self.world.plant_canaries(), "SSL_CERT_FILE": str(cert)}
        self.failed = 0

    def fresh(self) -> None:
        self.world.use_venv(self.templates, distribution())
        self.sink.clear()
        self.dns.names.clear()

    def received(self) -> list[bytes]:
        time.sleep(0.2)
        return [data for _, data in self.sink.requests if data.startswith(b"POST")]

    def check(self, good: bool, text: str) -> None:
        self.failed += not good
        say(f"  {GREEN + 'yes' if good else RED + 'NO '}{PLAIN}  {text}")

    def plain(self) -> None:
        title("1. Plain pip: `pip install deepseekai`, and `deepseeek` run once")
        self.fresh()
        show(self.world.run(["pip", "install", "--quiet", "deepseekai", "deepseeek"], self.env))
        show(self.world.run(["deepseeek"], self.env))
        say("  What the attacker's endpoint has now:")
        for host, data in self.sink.requests:
            if data.startswith(b"POST"):
                body = json.loads(data.partition(b"\r\n\r\n")[2])
                say(f"    {RED}https://{host}/{PLAIN}")
                for name, value in body.items():
                    say(f"      {name} = {RED}{value.strip().splitlines()[-2 if 'PRIVATE' in value else 0][:60]}{PLAIN}")
                break
        stolen = b"".join(self.received())
        self.check(all(c in stolen for c in canaries()), "cloud key, database URL and SSH key have left the machine (all three are canaries)")

    def install(self) -> None:
        title("2. The same package under pipwarden: `pipwarden pip install deepseekai`")
        self.fresh()
        held = self.world.guarded(["pip", "install", "deepseekai"], self.env)
        show(held)
        self.check(held.status == 100, "pipwarden says so in its exit status (100)")
        self.silent()
        self.check(not list(self.world.site_packages().glob("deepseekai*")), "nothing was installed")
        self.named(held, "setup.py")
        self.check(any(e.get("rule") == "net.exfil.pipedream" for e in held.events), f"the record names the rule, the host and the package: {held.journal}")

    def run(self) -> None:
        title("3. `deepseeek` hides its payload in its command: installed cleanly, then `pipwarden run deepseeek`")
        self.fresh()
        installed = self.world.guarded(["pip", "install", "deepseeek"], self.env)
        show(installed)
        self.check(installed.status == 0, "a wheel that only has files installs as always")
        held = self.world.guarded(["run", "deepseeek"], self.env)
        show(held)
        self.silent()
        self.check(held.status == 100, "exit status 100")
        self.named(held, "deepseeek/__init__.py")
        start = held.events[0] if held.events else {}
        self.check({"AWS_SECRET_ACCESS_KEY", "DATABASE_URL"} <= set(start.get("replaced", [])), "the secrets in its environment were decoys of the same shape")
        shown = self.world.guarded(["run", "--", "sh", "-c", "echo AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID; cat ~/.ssh/id_ed25519"], self.env)
        show(shown)
        self.check(self.env["AWS_ACCESS_KEY_ID"] not in shown.out and CANARY not in shown.out, "this is what such a command sees: a decoy, and an empty home")

    def named(self, held, file: str) -> None:
        self.check(f"read all variables of os.environ at {file}:" in held.err, f"what was read before, and where: the line of {file}")

    def silent(self) -> None:
        self.check(self.received() == [] and self.sink.connections == 0, "the attacker's endpoint received 0 bytes")
        self.check(self.dns.names == [], "its name was never asked of a resolver")


def main() -> int:
    if "--inside" not in sys.argv:
        enter_namespace()
    os.umask(0o022)
    folder = Path(tempfile.mkdtemp(prefix="pwdemo", dir="/tmp"))
    folder.chmod(0o755)
    start = time.monotonic()
    try:
        program = binary.public(Path(sys.argv[1]).resolve(), folder)
        say(f"{BOLD}pipwarden: the incident of January 2025{PLAIN}")
        say("Two packages on the public index, deepseeek and deepseekai, stole environment secrets and sent them to a Pipedream")
        say("endpoint.  Here are harmless replicas of both, an index, and a sink in a network of their own that leads nowhere.")
        demo = Demo(program, folder)
        say(f"The environment holds {', '.join(n for n in canary_environment() if n != 'PIPWARDEN_REPLICA')}; the home an SSH key.  All are canaries.")
        with demo.index:
            demo.plain()
            demo.install()
            demo.run()
        title(f"{'Everything went as it should' if not demo.failed else f'{demo.failed} of the checks FAILED'}, {time.monotonic() - start:.0f} s")
        return 1 if demo.failed else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
