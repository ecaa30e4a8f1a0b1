# Every walk is told once, and of the variables only those that are named in the code.
import os


def walk():
    dict(os.environ)  # WALK walk
    for name, value in os.environ.items():  # WALK walk
        pass
    for name in os.environ:  # WALK walk
        os.environ[name]
    os.environ.copy()  # WALK walk
    repr(os.environ)  # WALK walk
    sorted(os.environ.values())  # WALK walk
    {**os.environ}  # WALK walk
    os.environ["GITHUB_TOKEN"]  # READ GITHUB_TOKEN walk


walk()
