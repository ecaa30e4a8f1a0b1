"""pipwarden report and explain: of the two incidents, of honest installs, of a run that was killed; and what an explanation names does let the act through."""
from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from lib import journals, sarif
from lib.procs import descendants
from lib.schema import errors

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL")


def report(world, *args, status=0, **more):
    result = world.run([world.pipwarden, "report", *args], **more)
    assert result.status == status, str(result)
    return result


def as_json(world, *args):
    document = json.loads(report(world, *args, "--format", "json").out)
    found = list(errors(document, journals.schema("report"), journals.schema("report")))
    assert not found, found[:10]
    return document


def as_sarif(world, *args):
    document = json.loads(report(world, *args, "--format", "sarif").out)
    sarif.check(document)
    return document["runs"][0]


def explain(world, *args, status=0):
    result = world.run([world.pipwarden, "explain", *args])
    assert result.status == status, str(result)
    return result


def harmless(text: str) -> bool:
    return not any(ord(c) < 0x20 and c != "\n" or 0x7f <= ord(c) < 0xa0 or 0x202a <= ord(c) <= 0x202e or 0x2066 <= ord(c) <= 0x2069 for c in text)


@pytest.fixture
def world(make_world, user, net):
    return make_world(user, net=net)


# --- the incidents ------------------------------------------------------------------------------------------------------

def source_line(fixture: str, line: int) -> str:
    return (FIXTURES / fixture).read_text().splitlines()[line - 1]


def check_incident(world, run, *, fixture, file, name, host, who):
    text = report(world, run).out
    for word in ("malicious", who, host, "refused", f"{file}:", "in collect", "~/.ssh/id_ed25519", "net.exfil.pipedream", "T1567.004", "POST https://", " bytes", "carried  the decoy of AWS_", *SECRETS):
        assert word in text, f"{word}\n{text}"
    assert text.count("\n") <= 24, text

    document = as_json(world, run)
    assert document["verdict"] == "malicious" and document["score"] == 100 and document["record"]["ended"]
    assert {"T1552", "T1567.004"} <= set(document["attack"])
    [finding] = document["findings"]
    assert finding["kind"] == "chain" and finding["target"]["host"] == host and finding["rule"] == "net.exfil.pipedream"
    assert {s["step"] for s in finding["steps"]} == {"read", "send", "resolve"}
    assert finding["target"]["method"] == "POST" and finding["target"]["bytes"] > 100 and host in finding["target"]["url"]
    assert {s["decoy"].get("name") for s in finding["steps"] if s["step"] == "send"} >= set(SECRETS)
    assert [s["seq"] for s in finding["steps"]] == sorted(s["seq"] for s in finding["steps"])
    assert any(s["type"] == "env.enumerate" and s["origin"]["function"] == "collect" for s in finding["steps"])
    assert 0 <= finding["milliseconds"] < 60_000
    assert finding["allow"]["option"] == [] and "deny list" in finding["allow"]["why"]
    [package] = [p for p in document["packages"] if p["name"] == name]
    assert package["verdict"] == "malicious" and "T1195.001" in package["attack"]

    log = as_sarif(world, run)
    [result] = log["results"]
    place = result["locations"][0]["physicalLocation"]
    assert result["ruleId"] == "net.exfil.pipedream" and result["level"] == "error"
    assert place["artifactLocation"]["uri"] == file and place["artifactLocation"]["uriBaseId"] in log["originalUriBaseIds"]
    assert "urlopen" in source_line(fixture, place["region"]["startLine"]), "the line that sends"
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    first = steps[0]["location"]["physicalLocation"]
    assert first["artifactLocation"]["uri"] == file and "os.environ" in source_line(fixture, first["region"]["startLine"])
    rule = log["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["help"]["text"] and "external/mitre-attack/T1567.004" in rule["properties"]["tags"]

    why = explain(world, run).out
    assert "net.exfil.pipedream" in why and "from built-in:" in why and "no option does" in why and "supervisor" in why, why
    for output in (text, json.dumps(document), json.dumps(log), why):
        assert not any(c in output for c in ("cAnArY0wJalrXUtnFEMI0K7MDENG0bPxRfiCYzz9", "canary0key0of0the0throwaway0home")), "a secret is in a report"


def test_install_of_deepseekai(world, templates, distribution):
    env = world.plant_canaries()
    world.use_venv(templates, distribution)
    held = world.guarded(["pip", "install", "deepseekai"], env)
    assert held.status == 100 and held.end["verdict"] == "malicious", str(held)
    [package] = [p for p in held.end["packages"] if p["name"] == "deepseekai"]
    assert package["version"] == "0.0.8" and package["verdict"] == "malicious" and package["score"] == 100
    check_incident(world, held.journal, fixture="deepseekai/setup.py", file="setup.py", name="deepseekai", host="eoreplica000002.m.pipedream.net", who="deepseekai 0.0.8")


def test_run_of_deepseeek(world, templates, distribution):
    env = world.plant_canaries()
    world.use_venv(templates, distribution)
    assert world.guarded(["pip", "install", "deepseeek"], env).status == 0
    held = world.guarded(["run", "--", "deepseeek"], env)
    assert held.status == 100, str(held)
    check_incident(world, held.journal, fixture="deepseeek/deepseeek/__init__.py", file="deepseeek/__init__.py", name="deepseeek", host="eoreplica000001.m.pipedream.net",
                   who="deepseeek 0.0.8")


# --- honest runs --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("package", ["pwpure", "pwnative", "deepseeek"])
def test_honest(package, world, templates, distribution):
    """A wheel, and sdists with an extension: clean, in two lines."""
    env = world.plant_canaries()
    world.use_venv(templates, distribution)
    held = world.guarded(["pip", "install", "--no-build-isolation", package], env)
    assert held.status == 0 and held.end["verdict"] == "clean" and held.end["score"] < 30, str(held)
    assert all(p["verdict"] == "clean" for p in held.end["packages"])
    text = report(world, held.journal).out
    assert text.startswith(f"clean: pip install --no-build-isolation {package}\n") and text.count("\n") == 2, text
    document = as_json(world, held.journal)
    assert document["verdict"] == "clean" and document["findings"] == []
    assert as_sarif(world, held.journal)["results"] == []
    assert "nothing was refused" in explain(world, held.journal).out or "file.read.outside" in explain(world, held.journal).out


READS = "import os\nfor name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'DATABASE_URL'):\n    os.environ.get(name)\ndict(os.environ)\n"


def test_reading_by_name_stays_clean(world):
    env = world.plant_canaries()
    script = world.write(world.work / "reads.py", READS, 0o644)
    held = world.guarded(["run", "--", "/usr/bin/python3", script], env, options=["--allow-read", script])
    assert held.status == 0 and len(held.of_type("env.read")) == 3 and held.end["verdict"] == "clean", str(held)
    text = report(world, held.journal).out
    assert text.startswith("clean") and "AWS_SECRET_ACCESS_KEY at " in text and "a decoy was given" in text, text


def test_several_secrets_and_a_host_are_malicious(world):
    """No step of it is critical.  The status follows the verdict, also where only critical was asked for."""
    env = world.plant_canaries()
    script = world.write(world.work / "steals.py", READS + "import socket\ntry:\n    socket.getaddrinfo('drop.test', 443)\nexcept OSError:\n    pass\n", 0o644)
    held = world.guarded(["run", "--", "/usr/bin/python3", script], env, options=["--allow-read", script, "--fail-on", "critical"])
    assert held.end["counts"]["critical"] == 0 and held.end["verdict"] == "malicious" and held.status == 100, str(held)
    [finding] = [f for f in as_json(world, held.journal)["findings"] if f["kind"] == "chain"]
    assert [s["step"] for s in finding["steps"]][-1] == "resolve" and finding["origin"]["file"].endswith("steals.py")
    text = report(world, held.journal).out
    assert "read secrets and tried to get something out" in text and "the variable DATABASE_URL at" in text, text


# --- which run ----------------------------------------------------------------------------------------------------------

def test_which_run(world):
    runs = world.home / ".local/state/pipwarden/runs"
    for line in (report(world, status=125), explain(world, status=125)):
        assert line.err.count("\n") == 1 and str(runs) in line.err and line.out == "", str(line)
    first = world.guarded(["run", "--", "/bin/echo", "one"])
    second = world.guarded(["run", "--", "/bin/echo", "two"])
    one, two = first.events[0]["run"], second.events[0]["run"]
    assert as_json(world)["run"] == two and as_json(world, "latest")["run"] == two
    assert as_json(world, one)["run"] == one and as_json(world, one[:-2])["run"] == one
    assert as_json(world, first.journal)["run"] == one
    assert as_json(world, runs / one)["run"] == one and as_json(world, runs / one / "events.jsonl")["run"] == one
    several = report(world, one[:4], status=125)
    assert "several" in several.err and several.err.count("\n") == 1


BAD = {
    "unknown id": (["20200101T000000Z-0123456789"], "20200101T000000Z-0123456789"),
    "unknown word": (["nosuchrun"], "nosuchrun"),
    "missing path": (["/nowhere/x.jsonl"], "/nowhere/x.jsonl"),
    "folder without one": (["/usr"], "/usr/events.jsonl"),
    "no journal": (["/etc/passwd"], "/etc/passwd"),
    "device": (["/dev/null"], "/dev/null"),
    "format": (["--format", "html"], "html"),
    "format of later": (["--format=har"], "har"),
    "option": (["--colour"], "--colour"),
    "no value": (["-o"], "-o"),
    "two runs": (["a", "b"], "'b'"),
    "output": (["-o", "/nowhere/report", "RUN"], "/nowhere/report"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, make_world, user_named):
    world = make_world(user_named("user"))
    args, word = BAD[name]
    journal = world.guarded(["run", "--", "/bin/true"]).journal
    result = report(world, *(journal if a == "RUN" else a for a in args), status=125)
    assert word in result.err and result.err.count("\n") == 1 and result.out == "", str(result)


def test_output_file_and_order_of_words(make_world, user_named):
    world = make_world(user_named("user"))
    journal = world.guarded(["run", "--", "/bin/true"]).journal
    plain = report(world, "--format", "json", journal).out
    for args in ([journal, "--format=json", "-o", "out.json"], ["-oout.json", journal, "--format", "json"], ["--output", "out.json", "--format", "json", journal]):
        result = report(world, *args)
        assert result.out == "" and (world.work / "out.json").read_text() == plain
    assert report(world, "-o", "-", "--format", "json", journal).out == plain


# --- damaged records ----------------------------------------------------------------------------------------------------

def test_a_killed_run(world):
    journal = world.new_journal()
    p = world.popen([world.pipwarden, "--log", journal, "run", "--", "/bin/sh", "-c", "cat /root/secret; sleep 60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (journal.exists() and "exec" in journal.read_text()):
        time.sleep(0.05)
    running = report(world, journal).out
    assert "has no end" in running
    for child in [*descendants(p.pid)]:
        child.kill()
    p.send_signal(signal.SIGKILL)
    p.wait(30)
    assert "run.end" not in journal.read_text()
    assert "the run was killed" in report(world, journal).out
    document = as_json(world, journal)
    assert not document["record"]["ended"] and "exit_status" not in document
    log = as_sarif(world, journal)
    assert log["invocations"][0]["executionSuccessful"] is False and "no end" in log["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_a_damaged_record(world):
    journal = world.guarded(["run", "--", "/bin/sh", "-c", "cat /etc/shadow"]).journal
    lines = journal.read_text().splitlines(keepends=True)
    broken = world.write(world.work / "broken.jsonl", "".join([lines[0], "\0\xff{]\n", *lines[2:-1], lines[-1][:20]]))
    text = report(world, broken).out
    assert "line 2 cannot be understood" in text and "is missing" in text and "its last line is cut" in text, text
    document = as_json(world, broken)
    assert document["record"]["damaged"] and document["record"]["bad_lines"] == 1 and document["record"]["cut"]
    as_sarif(world, broken)
    for content in ("", "\n", lines[1], lines[0][:30]):
        nothing = world.write(world.work / "nothing.jsonl", content)
        result = report(world, nothing, status=125)
        assert result.err.count("\n") == 1 and "nothing.jsonl" in result.err, str(result)


EVIL = "evil\x1b]0;owned\x07\u202egnp.\x9b2J"


def test_hostile_names(world):
    """A record whose names are made to act on a terminal: told, and harmless."""
    journal = world.guarded(["run", "--", "/bin/sh", "-c", "cat /etc/shadow"]).journal
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines[1:-1]:
        line["package"] = {"name": EVIL, "version": EVIL, "stage": "build"}
        line["origin"] = {"file": "../" + EVIL, "line": 3, "function": EVIL}
        line["hint"] = line["kind"] = EVIL
        line["severity"] = "high"
        line.setdefault("target", {})["host"] = EVIL
    path = world.write(world.work / ("x" + EVIL + ".jsonl"), "".join(json.dumps(line) + "\n" for line in lines))
    for args in ((), ("--format", "json"), ("--format", "sarif")):
        assert harmless(report(world, path, *args).out)
    text = report(world, path).out
    assert "\\x1b]0;owned" in text and "\\u202e" in text
    assert harmless(explain(world, path).out)
    place = as_sarif(world, path)["results"][0]["locations"][0]
    assert "physicalLocation" not in place, "a path that leads out of the package is no place"
    assert harmless(report(world, str(path) + "x", status=125).err)


# --- explain ------------------------------------------------------------------------------------------------------------

def option_of(text: str) -> list[str]:
    """The option that an explanation prints, as a shell takes it."""
    [line] = {line.split("allow", 1)[1] for line in text.splitlines() if line.lstrip().startswith("allow") and "pipwarden --" in line}
    words = line.rsplit("…", 1)[0].strip()
    assert words.startswith("pipwarden --"), words
    said = subprocess.run(["/bin/bash", "-c", f"printf '%s\\0' {words}"], capture_output=True, check=True, timeout=10, env={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"})
    return said.stdout.decode().split("\0")[1:-1]


def policy_of(text: str) -> str:
    return next(line for line in text.splitlines() if "policy file" in line and "{" in line).split(": ", 1)[1].strip()


def seq_of(result, **want) -> str:
    [seq, *_] = [e["seq"] for e in result.events[1:-1] if all(e.get(k) == v for k, v in want.items())]
    return str(seq)


@pytest.mark.parametrize("name", ["plain.txt", "a 'b' $c \\d [e].txt", "a'\n\x1b]0;b\u202e\\n\u00e4.txt"], ids=["plain", "quotes", "unseen"])
def test_option_for_a_path(name, world):
    secret = world.write(world.work / name, "the contents\n", 0o600)
    command = ["run", "--", "/bin/cat", secret]
    held = world.guarded(command)
    assert held.out == "", str(held)
    text = explain(world, held.journal, seq_of(held, rule="file.read.outside")).out
    assert "file.read.outside" in text and "Landlock" in text and "from built-in:" in text, text
    option = option_of(text)
    assert option == ["--allow-read", f"guest:{secret}"]
    assert world.guarded(command, options=option).out == "the contents\n"
    if "\n" in name:
        assert "policy file" not in text, "a policy holds no control character"
    else:
        layer = world.write(world.work / "policy.json", policy_of(text), 0o644)
        assert world.guarded(command, options=["--policy", layer]).out == "the contents\n"


def test_option_for_a_variable(world):
    env = world.plant_canaries()
    script = world.write(world.work / "reads.py", "import os\nprint(os.environ['AWS_ACCESS_KEY_ID'])\n", 0o644)
    command = ["run", "--", "/usr/bin/python3", script]
    held = world.guarded(command, env, options=["--allow-read", script])
    assert env["AWS_ACCESS_KEY_ID"] not in held.out, str(held)
    text = explain(world, held.journal, seq_of(held, type="env.read")).out
    assert "a decoy was given" in text and "env.read" in text and "reads.py:2" in text, text
    option = option_of(text)
    passed = world.guarded(command, env, options=["--allow-read", script, *option])
    assert passed.out.strip() == env["AWS_ACCESS_KEY_ID"], str(passed)


def test_option_for_a_host(world, net):
    script = world.write(world.work / "asks.py", "import socket\ns = socket.create_connection(('sink.test', 80), 5)\ns.sendall(b'GET /seen HTTP/1.1\\r\\nHost: sink.test\\r\\n\\r\\n')\nprint(len(s.recv(10)))\n", 0o644)
    command = ["run", "--", "/usr/bin/python3", script]
    held = world.guarded(command, options=["--allow-read", script])
    assert held.status == 100 and net.names() == [], str(held)
    text = explain(world, held.journal).out
    assert "net.resolve" in text and "sink.test" in text and "was sent to no resolver" in text, text
    option = option_of(explain(world, held.journal, seq_of(held, type="net.resolve")).out)
    assert option == ["--allow-host", "guest:sink.test"]
    net.clear()
    net.dns.addresses["sink.test"] = ["93.184.216.34"]  # a public one: the fake internet answers on all
    passed = world.guarded(command, options=["--allow-read", script, *option])
    assert passed.status == 0 and passed.out.strip() != "0" and "sink.test" in net.names(), str(passed)


def test_nothing_allows_a_key(world):
    world.plant_canaries()
    key = world.home / ".ssh/id_ed25519"
    held = world.guarded(["run", "--", "/bin/cat", key])
    text = explain(world, held.journal, seq_of(held, rule="file.ssh-key")).out
    assert "no option does" in text and "protected place" in text and "T1552.004" in text, text
    assert world.guarded(["run", "--", "/bin/cat", key], options=["--allow-read", f"guest:{key}"]).status == 125


def test_rule_of_a_policy_file(world):
    layer = world.write(world.work / "policy.json", '{ "version": 1,\n  "network": { "deny": [\n    {"id": "corp.rival", "severity": "high", "hosts": ["rival.test"]} ] } }\n', 0o644)
    held = world.guarded(["run", "--", "/usr/bin/python3", "-c", "import socket\nsocket.getaddrinfo('rival.test', 1)"], options=["--policy", layer])
    result = world.run([world.pipwarden, "--policy", layer, "explain", held.journal, seq_of(held, type="net.resolve")])
    assert result.status == 0 and f"corp.rival, high, from {layer}:3:5, action deny" in result.out, str(result)
    assert "another policy" not in result.out
    other = explain(world, held.journal).out
    assert "another policy" in other and "corp.rival" in other and "of no rule in the policy that is in force now" in other, other


def test_explain_of_all_and_of_numbers(world):
    world.plant_canaries()
    held = world.guarded(["run", "--", "/bin/sh", "-c", f"cat {world.work}/nothing /opt/nothing /etc/shadow {world.home}/.ssh/id_ed25519 {world.home}/.netrc"],
                         options=["--on-violation", "deny"])
    text = explain(world).out
    order = [line.split("), ", 1)[1].split(",")[0] for line in text.splitlines() if line.startswith("  rule ")]
    levels = ["info", "low", "medium", "high", "critical"]
    assert len(order) >= 2 and order == sorted(order, key=levels.index, reverse=True), text
    last = str(held.end["seq"])
    for seq in ("1", last, "4000"):
        result = explain(world, held.journal, seq, status=125)
        assert result.err.count("\n") == 1 and f"has no event {seq}" in result.err, str(result)
    assert explain(world, seq_of(held, rule="file.ssh-key")).out.count("event ") == 1, "a number alone is one of the latest run's"
    assert explain(world, "a", "b", "c", status=125).err.count("\n") == 1


def test_policy_schema(make_world, user_named):
    world = make_world(user_named("user"))
    result = world.run([world.pipwarden, "policy", "schema"])
    assert result.status == 0 and json.loads(result.out) == journals.schema("policy")
