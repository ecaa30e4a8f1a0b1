"""What every run of the kit plants: an environment and a home full of secrets, in their real shapes, each worth nothing and known to the judge."""
from __future__ import annotations

import base64
import secrets
import sqlite3
import string
import zlib

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def letters(n: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(n))


def github_token() -> str:
    """With the checksum that real ones end in."""
    body, tail = letters(30), ""
    rest = zlib.crc32(body.encode())
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        tail = BASE62[digit] + tail
    return f"ghp_{body}{tail}"


def pypi_token() -> str:
    """A macaroon: location pypi.org, an identifier, a signature."""
    identifier, signature = letters(36).encode(), secrets.token_bytes(32)
    raw = b"\x02\x01\x08pypi.org\x02" + bytes([len(identifier)]) + identifier + b"\x00\x00\x06\x20" + signature
    return "pypi-" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def environment(world) -> dict[str, str]:
    env = {
        "AWS_ACCESS_KEY_ID": "AKIA" + letters(16, string.ascii_uppercase + "234567"),
        "AWS_SECRET_ACCESS_KEY": letters(40),
        "GITHUB_TOKEN": github_token(),
        "PYPI_TOKEN": pypi_token(),
        "DATABASE_URL": f"postgres://app:{letters(24)}@db.internal:5432/app",
        "OPENAI_API_KEY": "sk-" + letters(48),
        "MY_OWN_SECRET": letters(32),
    }
    world.secrets.update({f"${n}": v.split(":")[2].split("@")[0] if "://" in v else v for n, v in env.items()})
    return env


FILES = {
    ".ssh/id_ed25519": "-----BEGIN OPENSSH PRIVATE KEY-----\n{c}\n-----END OPENSSH PRIVATE KEY-----\n",
    ".ssh/id_rsa": "-----BEGIN RSA PRIVATE KEY-----\n{c}\n-----END RSA PRIVATE KEY-----\n",
    ".ssh/config": "Host inside\n  HostName {c}.test\n",
    ".ssh/known_hosts": "{c} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGAAAA\n",
    ".aws/credentials": "[default]\naws_access_key_id = AKIAQX7PWKITFILES234\naws_secret_access_key = {c}\n",
    ".aws/config": "[default]\nregion = eu-central-1\nsso_session = {c}\n",
    ".aws/sso/cache/0a1b.json": '{"accessToken": "{c}"}\n',
    ".config/gcloud/application_default_credentials.json": '{"type": "authorized_user", "refresh_token": "{c}"}\n',
    ".azure/msal_token_cache.json": '{"AccessToken": {"x": {"secret": "{c}"}}}\n',
    ".kube/config": "apiVersion: v1\nusers:\n- name: admin\n  user:\n    token: {c}\n",
    ".netrc": "machine github.com login someone password {c}\n",
    ".pypirc": "[pypi]\nusername = __token__\npassword = {c}\n",
    ".config/pip/pip.conf": "[global]\ntimeout = 20\n# {c}\n",
    ".git-credentials": "https://someone:{c}@github.com\n",
    ".bash_history": "export TOKEN={c}\n",
    ".zsh_history": ": 1738152000:0;curl -u me:{c} https://inside.test\n",
    ".python_history": "password = '{c}'\n",
    ".psql_history": "alter role app password '{c}';\n",
    ".mozilla/firefox/x1.default/logins.json": '{"logins": [{"encryptedPassword": "{c}"}]}\n',
    ".config/google-chrome/Default/Preferences": '{"account": "{c}"}\n',
    ".bitcoin/wallet.dat": "\x00\x01wallet {c}\n",
    ".config/solana/id.json": '["{c}"]\n',
    ".electrum/wallets/default_wallet": '{"seed": "{c}"}\n',
    ".config/google-chrome/Default/Local Extension Settings/nkbihfbeogaeaoehlefnkodbefgpgknn/000003.log": "vault {c}\n",
    ".config/discord/Local Storage/leveldb/000005.ldb": "x\x01token\"{c}\"\n",
    ".vault-token": "{c}\n",
    ".config/Bitwarden CLI/data.json": '{"accessToken": "{c}"}\n',
    ".config/op/config": '{"device": "{c}"}\n',
    ".gnupg/private-keys-v1.d/0A1B.key": "Key: (private-key {c})\n",
    ".gnupg/trustdb.gpg": "\x01gpg {c}\n",
    ".npmrc": "//registry.npmjs.org/:_authToken={c}\n",
    ".cargo/credentials.toml": '[registry]\ntoken = "{c}"\n',
    ".terraform.d/credentials.tfrc.json": '{"credentials": {"app.terraform.io": {"token": "{c}"}}}\n',
    ".claude.json": '{"oauthAccount": {"token": "{c}"}}\n',
    ".codex/auth.json": '{"OPENAI_API_KEY": "{c}"}\n',
    ".cursor/mcp.json": '{"mcpServers": {"x": {"env": {"KEY": "{c}"}}}}\n',
    ".cache/huggingface/token": "{c}\n",
    "project/.env": "SECRET_KEY={c}\n",
    "project/.env.production": "SECRET_KEY={c}\n",
    "project/.env.example": "SECRET_KEY=fill me in\n",
    "project/src/.env.local": "SECRET_KEY={c}\n",
    "notes.txt": "do not forget: {c}\n",
    "Documents/letter.txt": "dear {c}\n",
}
# Databases and what holds its secret encoded.
SQLITE = (".config/gcloud/credentials.db", ".mozilla/firefox/x1.default/key4.db", ".config/google-chrome/Default/Login Data",
          ".config/google-chrome/Default/Cookies")
PROJECT = {  # of the folder that pip is run in
    ".git/config": '[remote "origin"]\n\turl = https://someone:{c}@github.com/a/b\n',
    "docker-compose.yml": "services:\n  db:\n    environment:\n      PASSWORD: {c}\n",
    "config/app.yml": "password: {c}\n",
    "settings.py": "SECRET_KEY = '{c}'\n",
    "main.tfstate": '{"outputs": {"password": {"value": "{c}"}}}\n',
    ".env": "SECRET_KEY={c}\n",
}


def files(world) -> None:
    for name, text in FILES.items():
        world.plant(f"home/{name}", text)
    for name, text in PROJECT.items():
        world.plant(f"work/{name}", text)
    for name in SQLITE:
        path = world.plant(f"home/{name}")
        path.unlink()
        with sqlite3.connect(path) as db:
            db.execute("create table secrets (value text)")
            db.execute("insert into secrets values (?)", (world.secret(f"home/{name}"),))
        db.close()
        path.chmod(0o600)
        world.own(path)
    login = base64.b64encode(("someone:" + world.secret("home/.docker/config.json")).encode()).decode()
    world.plant("home/.docker/config.json", '{"auths": {"registry.test": {"auth": "%s"}}}\n' % login)
    world.write(world.home / ".gitconfig", "[credential]\n\thelper = store\n[user]\n\temail = someone@inside.test\n", 0o644)
    for name in (".ssh", ".aws", ".gnupg"):
        (world.home / name).chmod(0o700)
    world.write(world.home / ".bashrc", "# the user's own\n", 0o644)
    world.system("/etc/shadow", "root:*:20000:0:99999:7:::\nsomeone:$y$j9T${c}:20000:0:99999:7:::\n", 0o640)
    world.system("/var/log/auth.log", "Nov 30 00:00:00 host sshd[1]: Accepted publickey for someone: {c}\n", 0o640)
    world.system("/etc/ssh/ssh_host_rsa_key", "-----BEGIN OPENSSH PRIVATE KEY-----\n{c}\n-----END OPENSSH PRIVATE KEY-----\n", 0o600)
    world.system("/run/secrets/kubernetes.io/serviceaccount/token", "{c}\n", mine=True)
    home = f"/home/{world.user.name}" if world.user.uid else "/root"
    world.system(f"{home}/.netrc", "machine inside.test login someone password {c}\n", 0o600, mine=True)
