"""Turns a file into a C array, with its length and SHA-256: embed.py IN OUT SYMBOL."""
import hashlib
import sys

source, target, symbol = sys.argv[1:]
data = open(source, "rb").read()
rows = [",".join(str(b if b < 128 else b - 256) for b in data[i:i + 24]) for i in range(0, len(data), 24)]
with open(target, "w") as out:
    out.write(f"#include <stddef.h>\n\nextern const char {symbol}_text[];\nextern const size_t {symbol}_len;\nextern const char {symbol}_sha256[];\n\n")
    out.write(f"const char {symbol}_text[] = {{\n" + ",\n".join(rows) + ",0\n};\n")
    out.write(f"const size_t {symbol}_len = {len(data)};\n")
    out.write(f'const char {symbol}_sha256[] = "{hashlib.sha256(data).hexdigest()}";\n')
