"""The hook's side: the workload, then a wheel of nothing."""
import json
import os
import subprocess
import sys

control = sys.argv[2]
with open(os.path.join(control, "input.json")) as f:
    wheels = json.load(f)["kwargs"]["wheel_directory"]
subprocess.run([os.path.abspath("workload"), *open("arguments").read().split()])
name = "pwfault-1.0-py3-none-any.whl"
open(os.path.join(wheels, name), "w").close()
with open(os.path.join(control, "output.json"), "w") as f:
    json.dump({"return_val": name}, f)
