"""A structural check of SARIF 2.1.0: what the specification (OASIS, errata 01) requires of the parts that pipwarden writes.  The official schema was
used once, by hand, to see that nothing else is wrong; it is a hundred kilobytes, and not ours to carry."""
from __future__ import annotations

import re

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
KEYS = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool", "results", "originalUriBaseIds", "invocations"}, {"columnKind", "properties"}),
    "driver": ({"name", "semanticVersion", "rules"}, set()),
    "rule": ({"id", "shortDescription", "help", "defaultConfiguration", "properties"}, set()),
    "result": ({"ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "properties"}, {"codeFlows", "occurrenceCount"}),
    "location": (set(), {"physicalLocation", "logicalLocations", "message"}),
    "invocation": ({"executionSuccessful"}, {"exitCode", "startTimeUtc", "endTimeUtc", "arguments", "toolExecutionNotifications"}),
    "step": ({"location"}, {"executionTimeUtc", "executionOrder"}),
}


def keys(kind: str, value: dict) -> dict:
    required, more = KEYS[kind]
    assert isinstance(value, dict) and required <= set(value) <= required | more, f"{kind}: {sorted(value)}"
    return value


def message(value: dict) -> None:
    assert set(value) == {"text"} and value["text"] and not re.search(r"[\[\]{}]", value["text"]), value


def location(value: dict, run: dict) -> None:
    keys("location", value)
    assert value.get("logicalLocations") and all(isinstance(at["name"], str) and isinstance(at["kind"], str) for at in value["logicalLocations"])
    if "message" in value:
        message(value["message"])
    if "physicalLocation" in value:
        place = value["physicalLocation"]
        artifact = place["artifactLocation"]
        assert set(place) <= {"artifactLocation", "region"} and set(artifact) <= {"uri", "uriBaseId"}
        assert re.fullmatch(r"[A-Za-z0-9\-._~/%:]+", artifact["uri"]) and ".." not in artifact["uri"].split("/"), artifact
        # A relative reference has a root, an absolute one has none.
        assert ("uriBaseId" in artifact) != artifact["uri"].startswith("file://")
        assert artifact.get("uriBaseId") is None or artifact["uriBaseId"] in run["originalUriBaseIds"]
        assert place.get("region", {"startLine": 1})["startLine"] >= 1


def rule(value: dict) -> None:
    keys("rule", value)
    message(value["shortDescription"])
    message(value["help"])
    assert value["defaultConfiguration"]["level"] in ("note", "warning", "error")
    assert all(isinstance(tag, str) for tag in value["properties"]["tags"])
    assert len(set(value["properties"]["tags"])) == len(value["properties"]["tags"])
    assert 0 <= float(value["properties"]["security-severity"]) <= 10


def result(value: dict, run: dict) -> None:
    keys("result", value)
    message(value["message"])
    assert run["tool"]["driver"]["rules"][value["ruleIndex"]]["id"] == value["ruleId"]
    assert value["level"] in ("note", "warning", "error") and len(value["locations"]) == 1
    location(value["locations"][0], run)
    for flow in value.get("codeFlows", []):
        for thread in flow["threadFlows"]:
            assert thread["locations"]
            for i, step in enumerate(thread["locations"]):
                keys("step", step)
                location(step["location"], run)
                assert step["executionOrder"] == i + 1 and TIME.match(step.get("executionTimeUtc", "2026-01-01T00:00:00Z"))
    assert all(isinstance(v, str) for v in value["partialFingerprints"].values())


def invocation(value: dict) -> None:
    keys("invocation", value)
    assert isinstance(value["executionSuccessful"], bool)
    assert all(TIME.match(value[name]) for name in ("startTimeUtc", "endTimeUtc") if name in value)
    for notification in value.get("toolExecutionNotifications", []):
        message(notification["message"])


def check(document: dict) -> None:
    keys("log", document)
    assert document["version"] == "2.1.0" and "sarif-schema-2.1.0" in document["$schema"] and len(document["runs"]) == 1
    run = keys("run", document["runs"][0])
    assert set(run["tool"]) == {"driver"}
    driver = keys("driver", run["tool"]["driver"])
    ids = [r["id"] for r in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for value in driver["rules"]:
        rule(value)
    for base in run["originalUriBaseIds"].values():
        message(base["description"])
    for value in run["invocations"]:
        invocation(value)
    for value in run["results"]:
        result(value, run)
