"""Turns a text file into a C string: embed.py IN OUT SYMBOL."""
import sys

source, target, symbol = sys.argv[1:]
data = open(source, "rb").read()
rows = [",".join(str(b if b < 128 else b - 256) for b in data[i:i + 24]) for i in range(0, len(data), 24)]
with open(target, "w") as out:
    out.write(f"extern const char {symbol}_text[];\n\nconst char {symbol}_text[] = {{\n" + ",\n".join(rows) + ",0\n};\n")
