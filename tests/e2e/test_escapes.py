"""The escape kit: each replica has its effect under plain pip, none under pipwarden, and stands in the record (tests/escapes)."""
from __future__ import annotations

import pytest

from conftest import USERS
from escapes import origins, run
from escapes.catalogue import IDS
from escapes.rows import table

ROWS = table()


@pytest.fixture(scope="session")
def run_of(request, base, pipwarden, templates, distribution, internet, user_named):
    """run_of(user name, guarded): all rows that this session tests, once."""
    known = {}
    mine = [item for item in request.session.items if item.path.name == "test_escapes.py" and hasattr(item, "callspec")]
    wanted = {item.callspec.params["row"].id for item in mine}
    bench = run.Bench(base, pipwarden, templates, distribution, internet)
    served = internet.index.folder

    def make(user, guarded):
        if (user, guarded) not in known:
            try:
                known[user, guarded] = bench.run([r for r in ROWS if r.id in wanted], user_named(user), guarded)
            finally:
                internet.index.serve(served)
            print(f"escape kit: {user}, {'guarded' if guarded else 'plain'}: {known[user, guarded].seconds:.0f} s, of a processor {known[user, guarded].cpu:.0f} s")
        return known[user, guarded]

    return make


def test_the_table():
    """Every behaviour of the catalogue has its one row, and none waits for anything."""
    ids = [row.id for row in ROWS]
    here = {id[:2] for id in ids}
    assert ids == [id for id in IDS if id[:2] in here]


@pytest.mark.slow
def test_sockets_without_namespaces(base, pipwarden, templates, distribution, internet, user_named):
    """The rows that are about sockets, in a sandbox that shares the machine's network: not one effect."""
    served, rows, outcomes = internet.index.folder, run.select(ROWS, "NE-*,NR-*,IP-*"), {}
    bench = run.Bench(base, pipwarden, templates, distribution, internet)
    try:
        for _ in range(2):  # what a busy machine did not get to is tried once more
            found = bench.run([r for r in rows if r.id not in outcomes], user_named("user"), True, hide="namespaces").outcomes
            outcomes.update({id: o for id, o in found.items() if o.ran or o.not_tried})
            assert {id: o.effect for id, o in found.items() if o.effect} == {}
            if all(o.ran or o.not_tried for o in found.values()):
                break
    finally:
        internet.index.serve(served)
    assert {r.id for r in rows if "user" in r.users} == set(outcomes) and sum(o.ran for o in outcomes.values()) > 60


@pytest.mark.slow
def test_who_did_it(run_of):
    """Package, version, stage, file, line and function of what the replicas' Python code tried, compared with the replicas themselves."""
    held, tally = run_of("user", True), origins.Tally()
    for row in (r for r in ROWS if r.id in held.sources and not r.control):
        origins.add(tally, row, held.outcomes[row.id].events, held.sources[row.id])
    print(tally)
    assert len(tally.rows) > 60 and tally.share >= 0.99, str(tally)


@pytest.mark.slow
@pytest.mark.parametrize("user,row", [pytest.param(u, r, id=f"{r.id}-{u}") for u in USERS for r in ROWS if u in r.users])
def test_row(user, row, run_of):
    plain, held = (run_of(user, guarded).outcomes[row.id] for guarded in (False, True))
    verdict = run.judge(row, user, plain, held)
    if plain.not_tried:
        pytest.skip(f"its tool is not here: {plain.not_tried}")
    assert verdict.good, f"{row.id} {row.title}: {verdict.text}\n--- plain\n{plain.told()}\n--- guarded\n{held.told()}"
