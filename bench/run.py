"""What pipwarden costs: the bare command and the guarded one in turn, so that a busy machine is busy for both.  usage: run.py PIPWARDEN [ROUNDS] [--online]

Prints medians, the median of the pairwise ratios, between which quartiles one bare run is of the bare run before it (what the machine does by itself),
notifications and the supervisor's CPU time, and names the machine.  A disk adds noise of its own: TMPDIR on a tmpfs has none.  --online: also sdists from the index, each built from its source."""
from __future__ import annotations

import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import downloads  # noqa: E402
from lib import binary, packages  # noqa: E402
from lib.index import Index  # noqa: E402
from lib.pythons import distribution  # noqa: E402
from lib.world import Templates, User, World  # noqa: E402

SOURCES = ("markupsafe", "simplejson", "cffi", "pyyaml")  # with C extensions
CHILDREN = 20  # subprocess.run(["true"]) in one command: the cost of one child is the difference divided by this


def machine() -> str:
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")), platform.machine())
    release = next((line.split("=")[1].strip('"') for line in Path("/etc/os-release").read_text().splitlines() if line.startswith("PRETTY_NAME=")), "")
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, {release}, {'root' if os.geteuid() == 0 else 'an ordinary user'}"


def children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Bench:
    def __init__(self, program: Path, folder: Path, index: Index, rounds: int):
        self.world = World(folder / "world", User("bench", os.geteuid(), os.getegid()), program, index_url=index.url)
        (folder / "templates").mkdir()
        self.templates, self.rounds, self.python = Templates(folder / "templates", index.folder), rounds, distribution()

    def pairs(self, name: str, argv: list, rounds: int, *, fresh: bool = False, prefix: tuple = ("run", "--"), per: int = 1, before=lambda: None) -> tuple[float, float]:
        """Medians, in seconds: bare and guarded."""
        bare, held, costs, cpu = [], [], [], []
        for i in range(rounds + 1):
            for guarded in (False, True) if i % 2 else (True, False):
                if fresh:
                    self.world.use_venv(self.templates, self.python)
                before()
                used_before = children_cpu()
                result = self.world.guarded([*prefix, *argv]) if guarded else self.world.run(argv)
                used = children_cpu() - used_before
                if result.status != 0:
                    raise SystemExit(str(result))
                if i == 0:
                    continue  # warms the caches
                (held if guarded else bare).append(result.seconds)
                if guarded:
                    costs.append(result.cost)
                else:
                    cpu.append(used)
        ratio = statistics.median(h / b for h, b in zip(held, bare))
        added = statistics.median(h - b for h, b in zip(held, bare)) / per
        supervisor = statistics.median(c.get("supervisor_cpu", 0) for c in costs)
        low, _, high = statistics.quantiles([after / this for this, after in zip(bare, bare[1:])], n=4)
        print(f"{name:<34} {rounds:>4} {statistics.median(bare) * 1000:>9.1f} {statistics.median(held) * 1000:>9.1f} {ratio:>7.3f} {low:>6.3f}-{high:.3f} {added * 1000:>9.2f} "
              f"{statistics.median(c.get('installer_notifications', 0) for c in costs):>5.0f} {statistics.median(c.get('notifications', 0) for c in costs):>8.0f} {supervisor * 1000:>9.1f} {supervisor / max(statistics.median(cpu), 1e-6) * 100:>7.1f} %",
              flush=True)
        return statistics.median(bare), statistics.median(held)

    def sources(self, rounds: int) -> None:
        self.world.index_url = None
        for name in SOURCES:
            self.pairs(f"from the index: {name}", ["pip", "install", "--no-deps", "--no-binary", name, name], rounds, fresh=True, prefix=())


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="pwbench"))
    folder.chmod(0o755)
    numbers = [int(word) for word in sys.argv[2:] if word.isdigit()]
    rounds = numbers[0] if numbers else 15
    try:
        program = binary.public(Path(sys.argv[1]).resolve(), folder)
        with Index(packages.world(folder / "packages")) as index:
            bench = Bench(program, folder, index, rounds)
            version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
            print(f"{version}: {machine()}")
            print(f"{'command':<34} {'n':>4} {'bare ms':>9} {'guarded':>9} {'ratio':>7} {'bare, bare':>12} {'added ms':>9} {'pip':>5} {'notif.':>8} {'sup. ms':>9} {'of its CPU':>9}")
            bench.pairs("run -- /bin/true", ["/bin/true"], rounds * 4)
            children = f"import subprocess\nfor i in range({CHILDREN}): subprocess.run(['/bin/true'])"
            bench.pairs("guest: one started child", ["/usr/bin/python3", "-c", children], rounds, per=CHILDREN)
            bench.pairs("pip --version", ["pip", "--version"], rounds, fresh=False, prefix=())
            bench.pairs("pip install: wheel", ["pip", "install", "pwpure"], rounds, fresh=True, prefix=())
            bench.pairs("pip install: setup.py, C", ["pip", "install", "pwnative"], rounds, fresh=True, prefix=())
            bench.pairs("pip install: PEP 517, isolated, C", ["pip", "install", "pwisolated"], max(3, rounds // 2), fresh=True, prefix=())
            downloads.downloads(bench, folder, max(3, rounds // 2))
            downloads.names(bench)
            if "--online" in sys.argv:
                bench.sources(max(3, rounds // 3))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
