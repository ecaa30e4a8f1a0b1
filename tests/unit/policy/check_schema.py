"""docs/policy.schema.json describes the built-in policy, and refuses what the reader refuses.

usage: check_schema.py SCHEMA BUILTIN
The checker knows only the words of JSON Schema that the schema uses, and stops at any other.
"""
import json
import re
import sys

TYPES = {"object": dict, "array": list, "string": str}
WORDS = {"$schema", "$defs", "$ref", "title", "description", "anyOf", "not", "type", "const", "enum", "pattern", "minLength", "maxLength",
         "minItems", "uniqueItems", "required", "properties", "propertyNames", "additionalProperties", "items"}

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
{"version": 1, "network": {"deny": [{"id": "x", "severity": "low"}]}}
{"version": 1, "network": {"deny": [{"id": "x", "severity": "low", "hosts": ["*"]}]}}
{"version": 1, "rules": {"net.outside": {"severity": "loud"}}}
{"version": 1, "actions": {"net.*": "explode"}}
""".split("\n")[1:-1]


def errors(value, schema, root, where="policy"):
    unknown = set(schema) - WORDS
    if unknown:
        sys.exit(f"check_schema.py does not know {sorted(unknown)}")
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].split("/")[1:]:
            target = target[part]
        yield from errors(value, target, root, where)
    if "type" in schema and not isinstance(value, TYPES[schema["type"]]):
        yield f"{where}: not {schema['type']}"
        return
    if "anyOf" in schema and all(list(errors(value, option, root, where)) for option in schema["anyOf"]):
        yield f"{where}: none of anyOf"
    if "not" in schema and not list(errors(value, schema["not"], root, where)):
        yield f"{where}: forbidden"
    if "const" in schema and (value != schema["const"] or isinstance(value, bool) != isinstance(schema["const"], bool)):
        yield f"{where}: not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: not of {schema['enum']}"
    if isinstance(value, str):
        if not re.search(schema.get("pattern", ""), value):
            yield f"{where}: {value!r} does not match"
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", sys.maxsize):
            yield f"{where}: length"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0) or (schema.get("uniqueItems") and len(set(map(str, value))) != len(value)):
            yield f"{where}: too few items, or one twice"
        for i, inner in enumerate(value):
            yield from errors(inner, schema.get("items", {}), root, f"{where}[{i}]")
    if isinstance(value, dict):
        yield from (f"{where}: no {name}" for name in schema.get("required", []) if name not in value)
        for name, inner in value.items():
            yield from errors(name, schema.get("propertyNames", {}), root, f"{where}: {name}")
            rest = schema.get("additionalProperties", {})
            if name in schema.get("properties", {}):
                yield from errors(inner, schema["properties"][name], root, f"{where}.{name}")
            elif rest is False:
                yield f"{where}: unknown {name}"
            else:
                yield from errors(inner, rest, root, f"{where}.{name}")


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
