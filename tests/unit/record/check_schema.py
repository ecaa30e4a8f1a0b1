"""docs/events.schema.json describes what the journal writes, and nothing else.

usage: check_schema.py SCHEMA EMITTER
The checker knows only the words of JSON Schema that the schema uses, and refuses any other.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

TYPES = {'object': dict, 'array': list, 'string': str, 'number': (int, float), 'integer': int}
WORDS = {'$schema', '$defs', '$ref', 'title', 'oneOf', 'type', 'const', 'enum', 'pattern', 'minimum', 'required', 'properties',
         'additionalProperties', 'items'}


def errors(value, schema, root, where='line'):
    unknown = set(schema) - WORDS
    if unknown:
        sys.exit(f'check_schema.py does not know {sorted(unknown)}')
    if '$ref' in schema:
        target = root
        for part in schema['$ref'].split('/')[1:]:
            target = target[part]
        yield from errors(value, target, root, where)
    if 'oneOf' in schema:
        found = [list(errors(value, option, root, where)) for option in schema['oneOf']]
        if sum(not option for option in found) != 1:
            yield f'{where}: matches {sum(not option for option in found)} of oneOf: {found}'
    if 'type' in schema and (not isinstance(value, TYPES[schema['type']]) or isinstance(value, bool)):
        yield f'{where}: not {schema["type"]}'
        return
    if 'const' in schema and value != schema['const']:
        yield f'{where}: not {schema["const"]}'
    if 'enum' in schema and value not in schema['enum']:
        yield f'{where}: {value!r} not of {schema["enum"]}'
    if 'pattern' in schema and not re.search(schema['pattern'], value):
        yield f'{where}: {value!r} does not match'
    if 'minimum' in schema and value < schema['minimum']:
        yield f'{where}: {value} is too small'
    for name in schema.get('required', []):
        if name not in value:
            yield f'{where}: no {name}'
    properties = schema.get('properties', {})
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in properties:
                yield from errors(inner, properties[name], root, f'{where}.{name}')
            elif schema.get('additionalProperties') is False:
                yield f'{where}: unknown {name}'
    if isinstance(value, list) and 'items' in schema:
        for inner in value:
            yield from errors(inner, schema['items'], root, f'{where}[]')


def main():
    with open(sys.argv[1], encoding='utf-8') as f:
        schema = json.load(f)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'events.jsonl')
        subprocess.run([sys.argv[2], path], check=True)
        with open(path, encoding='utf-8', newline='\n') as f:
            lines = [json.loads(line) for line in f]
    wrong = [error for line in lines for error in errors(line, schema, schema)]
    seen = {name for line in lines for name in line} | {name for line in lines for name in line.get('target', {})}
    for kind in ('start', 'event', 'end'):  # every field that is described is also written
        wrong += [f'{name} was never written' for name in schema['$defs'][kind]['properties'] if name not in seen | {'unrecorded'}]
    # The checker itself must be able to say no.
    for spoil in ({'severity': 'grave'}, {'count': 0}, {'surplus': 1}, {'ts': 'today'}, {'target': {'port': '1'}}):
        if not list(errors({**lines[1], **spoil}, schema, schema)):
            wrong.append(f'{spoil} was not noticed')
    print(*wrong, sep='\n')
    sys.exit(1 if wrong or len(lines) != 33 else 0)


main()
