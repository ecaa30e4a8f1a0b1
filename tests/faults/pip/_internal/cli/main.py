from pip.__main__ import main  # noqa: F401
