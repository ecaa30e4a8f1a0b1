"""Packages made from nothing but the standard library: wheels, sdists, the build tools that isolation asks for."""
from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
DIST_PACKAGES = Path("/usr/lib/python3/dist-packages")
PYTHON_WHEELS = Path("/usr/share/python-wheels")
STAMP = (2025, 1, 29, 12, 0, 0)

# Debian's copy asks for options (install_layout, prefix_option) that only Debian's own Pythons have.
STRICT, LENIENT = b"getattr(src_cmd_obj, src_option)", b"getattr(src_cmd_obj, src_option, None)"

Files = dict[str, "bytes | str"]


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _record_line(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"


def _metadata(name: str, version: str, requires: tuple[str, ...] = ()) -> str:
    return (f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: a test package\n"
            + "".join(f"Requires-Dist: {r}\n" for r in requires))


def wheel(folder: Path, name: str, version: str, files: Files, *, entry_points: str = "", requires: tuple[str, ...] = (),
          tag: str = "py3-none-any", data: Files | None = None) -> Path:
    """data: files of the .data folder ("data/pip.conf", "scripts/x"). No name is checked: hostile wheels are made here too."""
    base = f"{name.replace('-', '_')}-{version}"
    info = f"{base}.dist-info"
    content: dict[str, bytes] = {n: _bytes(c) for n, c in files.items()}
    content.update({f"{base}.data/{n}": _bytes(c) for n, c in (data or {}).items()})
    content[f"{info}/METADATA"] = _metadata(name, version, requires).encode()
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    if entry_points:
        content[f"{info}/entry_points.txt"] = entry_points.encode()
    record = "".join(_record_line(n, c) for n, c in content.items()) + f"{info}/RECORD,,\n"
    content[f"{info}/RECORD"] = record.encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{base}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for n, c in content.items():
            entry = zipfile.ZipInfo(n, STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            z.writestr(entry, c, compresslevel=1)
    return path


def sdist(folder: Path, name: str, version: str, files: Files) -> Path:
    base = f"{name}-{version}"
    content = {"PKG-INFO": _metadata(name, version), **files}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{base}.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar:
        for n, c in content.items():
            data = _bytes(c)
            entry = tarfile.TarInfo(f"{base}/{n}")
            entry.size, entry.mode, entry.mtime = len(data), 0o644, 1738152000
            tar.addfile(entry, io.BytesIO(data))
    return path


def tree(folder: Path) -> Files:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*"))
            if p.is_file() and "__pycache__" not in p.parts}


# --- what every test needs -----------------------------------------------------------------------------------------

def build_tools(folder: Path) -> list[Path]:
    """setuptools and wheel as wheels: the distribution's own, so that nothing is fetched."""
    found = sorted(PYTHON_WHEELS.glob("setuptools-*.whl"))
    if not found or not (DIST_PACKAGES / "wheel").is_dir():
        raise RuntimeError("the distribution's setuptools and wheel are missing: run ./dev setup")
    folder.mkdir(parents=True, exist_ok=True)
    made = [_repacked_setuptools(folder, found[-1])]
    info = next(DIST_PACKAGES.glob("wheel-*.egg-info"), None) or next(DIST_PACKAGES.glob("wheel-*.dist-info"))
    entry_points = info / "entry_points.txt"
    made.append(wheel(folder, "wheel", info.name.split("-")[1].removesuffix(".egg").removesuffix(".dist"),
                      {f"wheel/{n}": c for n, c in tree(DIST_PACKAGES / "wheel").items()},
                      entry_points=entry_points.read_text() if entry_points.exists() else ""))
    return made


def _repacked_setuptools(folder: Path, source: Path) -> Path:
    version = source.name.split("-")[1]
    with zipfile.ZipFile(source) as z:
        files = {n: z.read(n) for n in z.namelist() if not n.endswith("/") and ".dist-info/" not in n and ".egg-info/" not in n}
        points = next((z.read(n).decode() for n in z.namelist() if n.endswith("-info/entry_points.txt")), "")
    files["setuptools/_distutils/cmd.py"] = files["setuptools/_distutils/cmd.py"].replace(STRICT, LENIENT)
    return wheel(folder, "setuptools", version, files, entry_points=points)


def tinyback(folder: Path) -> Path:
    """A PEP 517 back end of our own: isolation really has to install it, and any CPython can run it."""
    return wheel(folder, "tinyback", "1.0", {"tinyback.py": (FIXTURES / "tinyback" / "tinyback.py").read_bytes()})


def native_setup(folder: Path, name: str = "pwnative") -> Path:
    """An sdist with a C extension that setup.py builds."""
    source = tree(FIXTURES / "native")
    return sdist(folder, name, "1.0", {k: _bytes(v).replace(b"NAME", name.encode()) for k, v in source.items()
                                       if k != "pyproject.toml"})


def native_pep517(folder: Path, name: str = "pwisolated") -> Path:
    """The same through PEP 517, with build isolation."""
    source = tree(FIXTURES / "native")
    return sdist(folder, name, "1.0", {k: _bytes(v).replace(b"NAME", name.encode()) for k, v in source.items()})


def native_project(name: str, *, pyproject: bool) -> Files:
    """The same as a project's folder, with a console command and a script; without a pyproject.toml it is `setup.py develop` that makes it editable."""
    files: Files = {k: _bytes(v).replace(b"NAME", name.encode()) for k, v in tree(FIXTURES / "native").items() if pyproject or k != "pyproject.toml"}
    files["setup.py"] = _bytes(files["setup.py"]).replace(b"ext_modules=", f'py_modules=["{name}_cli"], scripts=["{name}-script"], '
                                                          f'entry_points={{"console_scripts": ["{name} = {name}_cli:main"]}},\n      ext_modules='.encode())
    return {**files, f"{name}_cli.py": f"import {name}\n\n\ndef main():\n    print({name}.add(1, 2))\n", f"{name}-script": f"#!python\nimport {name}\nprint({name}.add(2, 2))\n"}


def native_tiny(folder: Path, name: str = "pwtiny") -> Path:
    """PEP 517 without setuptools: the extension is compiled by cc, called by the back end."""
    return sdist(folder, name, "1.0", {
        "pyproject.toml": '[build-system]\nrequires = ["tinyback"]\nbuild-backend = "tinyback"\n'
                          f'[project]\nname = "{name}"\nversion = "1.0"\n',
        f"{name}.c": (FIXTURES / "native" / "module.c").read_text().replace("NAME", name)})


def pure_wheel(folder: Path, name: str = "pwpure", requires: tuple[str, ...] = ()) -> Path:
    return wheel(folder, name, "1.0", {f"{name}/__init__.py": "def main():\n    print('pure')\n",
                                       f"{name}/data.txt": "data\n"},
                 entry_points=f"[console_scripts]\n{name} = {name}:main\n", requires=requires,
                 data={f"data/share/doc/{name}/note.txt": "a note\n", f"scripts/{name}-script": "#!python\nprint('script')\n"})


def deepseeek(folder: Path) -> Path:
    return wheel(folder, "deepseeek", "0.0.8", tree(FIXTURES / "deepseeek"),
                 entry_points="[console_scripts]\ndeepseeek = deepseeek:main\n")


def deepseekai(folder: Path) -> Path:
    return sdist(folder, "deepseekai", "0.0.8", tree(FIXTURES / "deepseekai"))


def world(folder: Path) -> Path:
    """Everything honest and the two replicas."""
    for make in (build_tools, tinyback, native_setup, native_pep517, native_tiny, pure_wheel, deepseeek, deepseekai):
        make(folder)
    return folder
