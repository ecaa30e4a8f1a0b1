import os

os.environ["AWS_SECRET_ACCESS_KEY"]  # READ AWS_SECRET_ACCESS_KEY <module>
