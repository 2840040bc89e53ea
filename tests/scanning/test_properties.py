"""What holds for any code, any plan and any expectation; and that the kernel stays pure."""

from __future__ import annotations

import ast
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge_agent import scanning
from edge_agent.scanning.expected import Candidate, Expected, Rule, Standing
from edge_agent.scanning.identify import identify
from edge_agent.scanning.labels import PREFIXES, label
from edge_agent.scanning.verdict import CODES, Pending, judge
from edge_agent.views import Kind, Verdict
from tests.scanning.plant import BEARING_GTIN, BOOK, PALLET_SSCC

KNOWN = [
    "A-03-2",
    "A-03-4",
    "B-02-1",
    "4006381333931",
    "B-6204",
    "B-6204/L75",
    "B-6204/*",
    "SEAL-9/L75",
    "CHEESE",
]
IDS = [*KNOWN, "TOTE-1", PALLET_SSCC, "J-100", "4711", "DRW-1001", "burr", "DIE-7", "Z-9"]
TEXTS = [
    *IDS,
    "L75",
    "L77",
    "what?",
    f"]d201{BEARING_GTIN}10L75",
    f"]d201{BEARING_GTIN}10L99",
    f"]C100{PALLET_SSCC}",
    "]d210L75",
    "]E04006381333931",
    "L:A-03-2.x",
]

rules = st.builds(
    Rule, st.sampled_from(Standing), st.sampled_from(["", "some.words"]), st.just({"why": "because"})
)
expectations = st.lists(
    st.builds(
        Expected,
        st.sampled_from(Kind),
        st.just("some.kind"),
        st.dictionaries(st.sampled_from(IDS), rules, max_size=4),
        any=st.booleans(),
        unknown_too=st.booleans(),
    ),
    max_size=4,
)
labels = st.builds(
    label, st.sampled_from(sorted(PREFIXES.values())), st.sampled_from([i for i in IDS if "/" not in i])
)
frames = st.binary(max_size=60) | st.sampled_from(TEXTS).map(str.encode) | labels.map(str.encode)


@given(frames, expectations, st.booleans(), st.sets(st.sampled_from(["confirm", "4711", "z-9"])))
def test_any_scan_gets_a_verdict_that_keeps_the_rules(
    raw: bytes, expected: list[Expected], asked: bool, actions: set[str]
) -> None:
    identified = identify(raw, BOOK)
    pending = Pending(identified.text, "here") if asked else None
    judged = judge(identified, expected, BOOK, step="here", pending=pending, actions=actions)

    assert judged.code in CODES or judged.code == "some.words"
    assert judged.verdict is not Verdict.LATE
    assert (judged.command in actions) == (judged.verdict is Verdict.COMMAND)
    if identified.fault:
        assert (judged.verdict, judged.code) == (Verdict.UNKNOWN, identified.fault)
    if judged.accepted:
        assert judged.candidate in identified.candidates
        assert may_be_accepted(judged.candidate, expected, judged.confirmed)
    assert judged.confirmed <= (judged.accepted and asked)


def may_be_accepted(candidate: Candidate | None, expected: list[Expected], confirmed: bool) -> bool:
    """Said once more, and more simply than the kernel does: some expectation of the kind allows it."""
    assert candidate is not None
    same = [one for one in expected if one.kind is candidate.kind]
    ruled = [rule for one in same if (rule := one.rule(candidate))]
    planned = any(rule.standing is Standing.PLANNED for rule in ruled)
    asked = confirmed and any(rule.standing is Standing.ASK for rule in ruled)
    return planned or asked or any(one.any for one in same)


@given(frames, expectations)
def test_the_same_scan_gets_the_same_verdict(raw: bytes, expected: list[Expected]) -> None:
    assert judge(identify(raw, BOOK), expected, BOOK) == judge(identify(raw, BOOK), expected, BOOK)


@given(frames, expectations)
def test_nothing_is_accepted_where_nothing_is_expected(raw: bytes, expected: list[Expected]) -> None:
    closed = [Expected(one.kind, one.code) for one in expected]
    assert not judge(identify(raw, BOOK), closed, BOOK).accepted


def test_the_kernel_imports_nothing_that_knows_the_time_or_chance_and_reads_one_file_of_its_own() -> None:
    allowed = {
        "__future__", "calendar", "collections", "dataclasses", "datetime", "decimal", "edge_agent", "enum",
        "functools", "re", "typing", "urllib",
    }  # fmt: skip
    table = {"application_identifiers.py": {"json", "pathlib"}}
    for file in Path(next(iter(scanning.__path__))).glob("*.py"):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            known = allowed | table.get(file.name, set())
            roots = {name.split(".")[0] for name in names}
            assert roots <= known, f"{file.name} imports {roots - known}"
            assert not (isinstance(node, ast.Attribute) and node.attr in ("now", "today", "utcnow")), (
                file.name
            )
