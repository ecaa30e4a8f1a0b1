import os


def read():
    return os.environ["DATABASE_URL"]  # READ DATABASE_URL read


if __name__ == "__main__":
    read()
