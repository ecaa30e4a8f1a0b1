"""Subversion over https as it is served: Apache with mod_dav_svn, in the outside's namespace."""
from __future__ import annotations

import subprocess
from pathlib import Path

from .procs import wait_for

APACHE, MODULES = Path("/usr/sbin/apache2"), Path("/usr/lib/apache2/modules")

CONF = """
ServerRoot {folder}
ServerName {name}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
Mutex default:{folder}
ErrorLog {folder}/error.log
{modules}
User nobody
Group nogroup
Listen {port}
SSLEngine on
SSLCertificateFile {cert}
SSLCertificateKeyFile {key}
LogFormat "%v %r %u %>s" short
CustomLog {folder}/access.log short
<Location />
  DAV svn
  SVNPath {repository}
  AuthType Basic
  AuthName svn
  AuthUserFile {folder}/users
  Require {require}
</Location>
"""
NEEDED = ("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "ssl", "socache_shmcb", "dav", "dav_svn")


def is_there() -> bool:
    return APACHE.exists() and (MODULES / "mod_dav_svn.so").exists()


class SvnServer:
    """with SvnServer(folder, repository, namespace, port, (cert, key), name, login=("user", "password")) as server: server.requests() are lines of its log."""

    def __init__(self, folder: Path, repository: Path, namespace: str, port: int, tls: tuple[Path, Path], name: str, login: tuple[str, str] | None = None):
        folder.mkdir(mode=0o755)
        if login:
            made = subprocess.run(["openssl", "passwd", "-apr1", login[1]], check=True, capture_output=True, text=True, timeout=30).stdout.strip()
            (folder / "users").write_text(f"{login[0]}:{made}\n")
        modules = "\n".join(f"LoadModule {m}_module {MODULES}/mod_{m}.so" for m in NEEDED)
        (folder / "conf").write_text(CONF.format(folder=folder, name=name, modules=modules, port=port, cert=tls[0], key=tls[1], repository=repository,
                                                 require="valid-user" if login else "all granted"))
        self._folder, self._argv = folder, ["ip", "netns", "exec", namespace, APACHE, "-d", folder, "-f", folder / "conf", "-DFOREGROUND"]

    def requests(self) -> list[str]:
        log = self._folder / "access.log"
        return log.read_text().splitlines() if log.exists() else []

    def __enter__(self) -> "SvnServer":
        self._process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_for(lambda: "resuming normal operations" in ((self._folder / "error.log").read_text() if (self._folder / "error.log").exists() else ""), 20)
        return self

    def __exit__(self, *exc) -> None:
        self._process.terminate()
        self._process.wait(20)
