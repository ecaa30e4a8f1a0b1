"""A pip that does nothing but start what pip starts: hundreds of runs under faults would take hours with the real one."""
__version__ = "23.0.1"
