"""The escape kit: a harmless replica of each catalogued attack behaviour, and a runner that judges by effects (docs/escapes.md)."""
