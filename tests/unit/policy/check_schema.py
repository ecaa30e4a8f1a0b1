"""docs/schema/policy.schema.json describes the built-in policy, and refuses what the reader refuses.

usage: check_schema.py SCHEMA BUILTIN"""
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from lib.schema import errors  # noqa: E402

BAD = """
{}
{"version": 2}
{"version": 1, "x": 1}
{"version": 1, "environment": {"secret": "X"}}
{"version": 1, "environment": {"secret": ["*"]}}
{"version": 1, "environment": {"secret": ["A=B"]}}
{"version": 1, "environment": {"words": ["lower"]}}
{"version": 1, "environment": {"pairs": ["ONE"]}}
{"version": 1, "files": {"secret": [{"severity": "low", "paths": ["/a"]}]}}
{"version": 1, "files": {"secret": [{"id": "x", "paths": ["/a"]}]}}
{"version": 1, "files": {"secret": [{"id": "x", "severity": "low", "paths": []}]}}
{"version": 1, "files": {"secret": [{"id": "x", "severity": "low", "paths": ["a"]}]}}
{"version": 1, "files": {"secret": [{"id": "x", "severity": "low", "hosts": ["a"]}]}}
{"version": 1, "files": {"secret": [{"id": "x", "remove": false}]}}
{"version": 1, "files": {"read": {"everyone": []}}}
{"version": 1, "files": {"read": {"build": ["/a/*"]}}}
{"version": 1, "network": {"build": ["https://a"]}}
{"version": 1, "network": {"build": ["@typo"]}}
{"version": 1, "network": {"build": [{"host": "a.example", "port": 22}]}}
{"version": 1, "network": {"build": [{"host": "*.example", "port": 22, "opaque": true}]}}
{"version": 1, "network": {"build": [{"host": "a.example", "port": 0, "opaque": true}]}}
{"version": 1, "network": {"stand-in": "10.0.0.0/8"}}
{"version": 1, "network": {"stand-in": ["10.0.0.0"]}}
{"version": 1, "network": {"stand-in": ["10.0.0.0/24"]}}
{"version": 1, "network": {"stand-in": ["8.8.0.0/16"]}}
{"version": 1, "network": {"stand-in": ["2001:db8::/64"]}}
{"version": 1, "network": {"stand-in": ["fd00::/120"]}}
{"version": 1, "network": {"credential": [{"host": "a.example", "port": 22, "opaque": true}]}}
{"version": 1, "network": {"deny": [{"id": "x", "severity": "low"}]}}
{"version": 1, "network": {"deny": [{"id": "x", "severity": "low", "hosts": ["*"]}]}}
{"version": 1, "limits": {"installer": {"time": 1}}}
{"version": 1, "limits": {"build": {"memory": 1}}}
{"version": 1, "limits": {"build": {"time": "1h"}}}
{"version": 1, "limits": {"guest": {"processes": -1}}}
{"version": 1, "rules": {"net.outside": {"severity": "loud"}}}
{"version": 1, "actions": {"net.*": "explode"}}
""".split("\n")[1:-1]


def without_comments(text):
    return re.sub(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', lambda m: m[0] if m[0][0] == '"' else " ", text, flags=re.S)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    with open(sys.argv[2], encoding="utf-8") as f:
        builtin = json.loads(without_comments(f.read()))
    wrong = list(errors(builtin, schema, schema))
    wrong += [f"passed: {text}" for text in BAD if not list(errors(json.loads(text), schema, schema))]
    print(*wrong, sep="\n")
    sys.exit(1 if wrong else 0)


main()
