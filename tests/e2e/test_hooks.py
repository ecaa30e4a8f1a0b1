"""A PEP 517 back end that lies to pip: absolute paths, links, another package's metadata, and more than anybody reads."""
from __future__ import annotations

import pytest

from lib import packages
from lib.index import Index
from lib.world import CANARY

BACK_END = """
import os, zipfile
NAME = "pwliar"
INFO = NAME + "-1.0.dist-info"
META = "Metadata-Version: 2.1\\nName: %s\\nVersion: 1.0\\n" % NAME
VICTIM = os.environ.get("PWT_VICTIM", "")

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    os.makedirs(os.path.join(folder, INFO))
    open(os.path.join(folder, INFO, "METADATA"), "w").write(META)
    return {metadata}

def make(folder):
    name = NAME + "-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as z:
        z.writestr(NAME + ".py", "")
        z.writestr(INFO + "/METADATA", META)
        z.writestr(INFO + "/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        z.writestr(INFO + "/RECORD", "")
    return name

def build_wheel(folder, config_settings=None, metadata_directory=None):
    {before}
    return {wheel}
"""
HONEST = {"metadata": "INFO", "before": "pass", "wheel": "make(folder)"}
LIES = {
    "honest": {},
    "absolute wheel": {"wheel": "VICTIM"},
    "wheel above": {"wheel": "os.path.relpath(VICTIM, folder)"},
    "wheel is a link": {"before": "os.symlink(VICTIM, os.path.join(folder, 'x-1.0-py3-none-any.whl'))", "wheel": "'x-1.0-py3-none-any.whl'"},
    "absolute metadata": {"metadata": "os.path.dirname(VICTIM)"},
    "metadata above": {"metadata": "'../..'"},
    "metadata is a link": {"metadata": "os.symlink(os.path.dirname(VICTIM), os.path.join(folder, 'x.dist-info')) or 'x.dist-info'"},
    "metadata of another": {"metadata": "os.path.join('..', '..', 'pwother')"},
}


@pytest.mark.parametrize("lie,name", [*((lie, "root") for lie in LIES), ("honest", "user"), ("absolute wheel", "user")])
def test_what_a_hook_returns(lie, name, user_named, make_world, templates, distribution, base):
    folder = base / f"liar-{name}-{lie.replace(' ', '-')}"
    back_end = BACK_END.format(**{**HONEST, **LIES[lie]})
    packages.sdist(folder, "pwliar", "1.0", {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "liar"\nbackend-path = ["."]\n', "liar.py": back_end})
    with Index(folder) as index:
        world = make_world(user_named(name), index=index)
        # Not below the home: a private key of a service, say, that root's pip may read.  Named like a wheel, or pip stops by itself.
        victim = world.write(world.root / "victim/pwliar-1.0-py3-none-any.whl", CANARY)
        world.use_venv(templates, distribution)
        held = world.guarded(["pip", "install", "pwliar"], {"PWT_VICTIM": str(victim)})
    assert victim.read_text() == CANARY and victim.is_file() and not victim.is_symlink(), "pip moved it away"
    copies = [p for p in world.home.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()]
    assert copies == [], "pip copied it into its cache"
    if lie == "honest":
        assert held.status == 0 and held.above("info") == [], str(held)
        assert (world.site_packages() / "pwliar.py").exists()
    else:
        assert held.status != 0, str(held)
        assert not (world.site_packages() / "pwliar.py").exists()
        assert [e for e in held.above("low") if (e.get("package") or {}).get("name") == "pwliar"], f"not recorded\n{held}"


# What it hands to pipwarden itself to read, where no limit of its sandbox's counts any more: each took minutes, or hundreds of megabytes.
FLOODS = {
    "keys": "'{\"return_val\": null, ' + ', '.join('\"%d\": 0' % i for i in range(250000)) + '}'",
    "values": "'{\"return_val\": [' + '0, ' * 4000000 + '0]}'",
    "depth": "'{\"return_val\": ' + '[' * 900000",
}


@pytest.mark.parametrize("flood", FLOODS)
def test_how_much_a_hook_returns(flood, user_named, make_world, templates, distribution, base):
    before = f"import sys; open(os.path.join(sys.argv[2], 'output.json'), 'w').write({FLOODS[flood]}); os._exit(0)"
    folder = base / f"flood-{flood}"
    packages.sdist(folder, "pwliar", "1.0", {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "liar"\nbackend-path = ["."]\n', "liar.py": BACK_END.format(**{**HONEST, "before": before})})
    with Index(folder) as index:
        world = make_world(user_named("user"), index=index)
        world.use_venv(templates, distribution)
        held = world.guarded(["pip", "install", "pwliar"], timeout=200)
    events = [e for e in held.events if e.get("rule") == "hook.output"]
    assert held.status == 100 and len(events) == 1, str(held)
    assert events[0]["hint"] == "the build hook returned far more than any that is honest" and events[0]["package"]["name"] == "pwliar", str(held)
    assert held.seconds < 25, str(held)
    assert not (world.site_packages() / "pwliar.py").exists()


def test_an_honest_hook_that_returns_much(user_named, make_world, templates, distribution, base):
    """Requirements, of which most are for other machines."""
    folder = base / "returns-much"
    back_end = BACK_END.format(**HONEST) + """
def get_requires_for_build_wheel(config_settings=None):
    return ["requirement-%d[one,two] >= 1, < 2; platform_system == 'Nothing like it, {[\\"'" % i for i in range(1000)]
"""
    packages.sdist(folder, "pwliar", "1.0", {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "liar"\nbackend-path = ["."]\n', "liar.py": back_end})
    with Index(folder) as index:
        world = make_world(user_named("user"), index=index)
        world.use_venv(templates, distribution)
        held = world.guarded(["pip", "install", "pwliar"])
    assert held.status == 0 and held.above("info") == [], str(held)
    assert (world.site_packages() / "pwliar.py").exists()
