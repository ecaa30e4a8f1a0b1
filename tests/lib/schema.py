"""JSON Schema, as far as the schemas in docs/ use it: any word that is not known here stops the test."""
from __future__ import annotations

import re
import sys

TYPES = {"object": dict, "array": list, "string": str, "number": (int, float), "integer": int, "boolean": bool}
WORDS = {"$schema", "$defs", "$ref", "title", "description", "oneOf", "anyOf", "not", "type", "const", "enum", "pattern", "minimum", "maximum",
         "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "required", "properties", "propertyNames", "additionalProperties", "items"}


def errors(value, schema, root, where="it"):
    """What is wrong with the value, in words.  root: the schema that "$ref" leads into."""
    unknown = set(schema) - WORDS
    if unknown:
        sys.exit(f"schema.py does not know {sorted(unknown)}")
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].split("/")[1:]:
            target = target[part]
        yield from errors(value, target, root, where)
    if "type" in schema and (not isinstance(value, TYPES[schema["type"]]) or (isinstance(value, bool) and schema["type"] != "boolean")):
        yield f"{where}: not {schema['type']}"
        return
    yield from _combined(value, schema, root, where)
    if "const" in schema and (value != schema["const"] or isinstance(value, bool) != isinstance(schema["const"], bool)):
        yield f"{where}: not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} not of {schema['enum']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where}: {value} is too small"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{where}: {value} is too large"
    if isinstance(value, str):
        if not re.search(schema.get("pattern", ""), value):
            yield f"{where}: {value!r} does not match"
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", sys.maxsize):
            yield f"{where}: length"
    if isinstance(value, list):
        yield from _items(value, schema, root, where)
    if isinstance(value, dict):
        yield from _members(value, schema, root, where)


def _combined(value, schema, root, where):
    options = [list(errors(value, option, root, where)) for word in ("oneOf", "anyOf") for option in schema.get(word, [])]
    matching = sum(not option for option in options)
    if ("oneOf" in schema and matching != 1) or ("anyOf" in schema and not matching):
        yield f"{where}: matches {matching} of {len(options)}: {options}"
    if "not" in schema and not list(errors(value, schema["not"], root, where)):
        yield f"{where}: forbidden"


def _items(value, schema, root, where):
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", sys.maxsize) or (schema.get("uniqueItems") and len(set(map(str, value))) != len(value)):
        yield f"{where}: too few items, too many, or one twice"
    for i, inner in enumerate(value):
        yield from errors(inner, schema.get("items", {}), root, f"{where}[{i}]")


def _members(value, schema, root, where):
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
