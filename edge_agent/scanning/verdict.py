"""The answer to a scan: what a code can mean against what the step expects.

    >>> from edge_agent.scanning.expected import Rule
    >>> from edge_agent.scanning.identify import identify
    >>> from edge_agent.scanning.labels import label
    >>> from sync.contract import StorageUnit
    >>> book = PlanBook.of(StorageUnit(id=id, zone="A") for id in ("A-03-2", "A-03-4", "B-02-1"))
    >>> rules = {"A-03-2": Rule(), "B-02-1": Rule(Standing.ASK, "pick.other_location")}
    >>> bins = Expected(Kind.LOCATION, "pick.location", rules, "pick.wrong_location")
    >>> def scan(text, pending=None):
    ...     return judge(identify(text.encode(), book), [bins], book, step="go", pending=pending)

The planned place, another one, and one that is legal but not planned, which must be scanned twice:

    >>> scan(label(Kind.LOCATION, "A-03-2")).verdict
    <Verdict.OK: 'ok'>
    >>> wrong = scan(label(Kind.LOCATION, "A-03-4"))
    >>> wrong.verdict, wrong.code, wrong.params, wrong.expected_text, wrong.got_text
    (<Verdict.WRONG: 'wrong'>, 'pick.wrong_location', {'got': 'A-03-4'}, 'location A-03-2', 'location A-03-4')
    >>> other = label(Kind.LOCATION, "B-02-1")
    >>> scan(other).verdict
    <Verdict.CONFIRM: 'confirm'>
    >>> again = scan(other, Pending(other, "go"))
    >>> again.verdict, again.confirmed
    (<Verdict.OK: 'ok'>, True)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from edge_agent.planbook import PlanBook
from edge_agent.scanning.expected import PLANNED, Candidate, Expected, Rule, Standing
from edge_agent.scanning.identify import PLAIN_TEXT, Identified
from edge_agent.views import Kind, Verdict

PARAMS: Mapping[str, tuple[str, ...]] = {
    "scan.ok": ("got",),
    "scan.ok_plus": ("got",),
    # Rules bring words of their own; these four stand in where a rule has none.
    "scan.confirm": ("got",),
    "scan.held": ("got",),
    "scan.duplicate": ("got",),
    "scan.incomplete": ("got",),
    "scan.wrong": ("got",),  # and the params of what was expected
    "scan.ambiguous": ("got", "count", "meanings"),  # the first three meanings
    "scan.other_type": ("got", "got_kind", "expected_kinds"),  # values of Kind, the latter with commas
    "scan.nothing_expected": ("got", "got_kind"),
    "scan.unknown": ("got",),
    "scan.command": ("action",),
    "scan.command_not_now": ("action",),
    "scan.bad_check": ("text", "what"),  # the kind of an own label, or gtin, or sscc
    "scan.bad_date": (),  # a note beside any answer
    # Words of a refusal or a question, or a note beside those of the rule.
    "scan.past_use_by": ("got", "printed", "known"),  # of the label, and of the plans where that is another date
    "scan.past_best_before": ("got", "printed", "known"),
    "scan.other_use_by": ("got", "printed", "known"),
    "scan.other_best_before": ("got", "printed", "known"),
    "scan.lost_fnc1": ("text", "read", "lot"),  # the lot as read, and the known lot that it seems to be
    "scan.gs1_unreadable": ("text",),
    "scan.hibc_unsupported": ("text",),
    "scan.no_aim": ("text",),
    "scan.control_characters": ("text",),
    "scan.too_long": ("text", "size", "most"),
    "scan.empty": ("text",),
    "scan.too_soon": (),  # a note beside a question, of the caller too
    "scan.unended": ("text",),
    "scan.unprefixed": ("text",),
    "scan.late": (),  # for the caller, who alone knows the age of a scan
}
CODES = tuple(PARAMS)

LATE_AFTER = timedelta(seconds=10)
REPEAT_WINDOW = 1.5  # seconds
_SAME_PULL = 2 / 3  # of the window: one second as delivered
_SHOWN = 3  # ids that a line of evidence names
_UNLISTED = (Kind.TOOL, Kind.WORKSTATION)  # no plan lists them: who has a label is known

_DEFAULT_CODES = {
    Standing.ASK: "scan.confirm",
    Standing.HELD: "scan.held",
    Standing.DONE: "scan.duplicate",
    Standing.INCOMPLETE: "scan.incomplete",
}
_REFUSALS = {
    Standing.HELD: Verdict.HELD,
    Standing.DONE: Verdict.DUPLICATE,
    Standing.INCOMPLETE: Verdict.AMBIGUOUS,
}
_ORDER = (Standing.PLANNED, Standing.ASK, Standing.HELD, Standing.DONE, Standing.INCOMPLETE)


@dataclass(frozen=True, slots=True)
class Pending:
    """The person was asked whether this unplanned scan is meant: its text, and the step that asked."""

    text: str
    step: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to make of a scan, and the evidence of it.

    `code` and `params` are the words. `candidate` is the one meaning that was judged, None when there
    was none or more than one. `command` is the action of a command label that may be done now.
    `confirmed`: it was asked about and scanned again. `notes` are codes of what else is odd about
    the code, told with the same `params`.
    """

    verdict: Verdict
    code: str
    params: dict[str, str] = field(default_factory=dict)
    candidate: Candidate | None = None
    expected_text: str = ""
    got_text: str = ""
    command: str | None = None
    confirmed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the scenario gets it."""
        return self.verdict in (Verdict.OK, Verdict.OK_PLUS)


def judge(
    identified: Identified,
    expected: Sequence[Expected],
    book: PlanBook,
    *,
    step: str = "",
    pending: Pending | None = None,
    actions: Collection[str] = (),
    today: date | None = None,
) -> Judgement:
    """The verdict on a scan. `actions` are those that may be done now, by key or by command label.

    Of several meanings only those that the step has a rule for count; if there are more than one and
    any could be accepted, it is AMBIGUOUS. A meaning of an expected kind without a rule is WRONG, of
    another kind OTHER_TYPE: when the book knows it or the code itself says its kind. Everything else
    is UNKNOWN. Never LATE: see `is_late`. `today` judges the dates on a label (see `_Dated`); None: they are not.
    """
    scan = _Scan(identified, expected, book, today)
    if identified.fault:
        return scan.answer(Verdict.UNKNOWN, identified.fault, identified.params)
    for candidate in identified.candidates:
        if candidate.kind is Kind.COMMAND:
            return _command(scan, candidate, actions)
    fits = [(c, rule) for c in identified.candidates if (rule := _standing(c, expected, book)) is not None]
    accepting = [c for c, rule in fits if rule.standing in (Standing.PLANNED, Standing.ASK)]
    if accepting and len(fits) > 1:
        return _ambiguous(scan, [c for c, _ in fits])
    if fits:
        candidate, rule = min(fits, key=lambda fit: _ORDER.index(fit[1].standing))
        return _ruled(scan, candidate, rule, Pending(identified.text, step) == pending)
    return _without_rule(scan)


def is_late(received_at: datetime, now: datetime) -> bool:
    """Whether a scan is too old to act on: the person has seen ten seconds of nothing and moved on."""
    return now - received_at > LATE_AFTER


def is_repeat(
    last_text: str | None, first: float, last: float, text: str, monotonic: float, window: float = REPEAT_WINDOW
) -> bool:
    """Whether a reading belongs to the burst that began at `first` and was `last` read then: it is no scan of its own.

    The window counts from the beginning: who scans again and again is heard once it is over, however often they
    scanned meanwhile. But a presentation scanner reads what lies in front of it for as long as it lies there,
    most every half second; that must not become a yes that nobody gave. What follows sooner than a hand can
    take the label away and bring it back, two thirds of the window, belongs to the burst for ever.
    """
    return text == last_text and (monotonic - first < window or monotonic - last < window * _SAME_PULL)


@dataclass(frozen=True, slots=True)
class _Scan:
    """One scan with all that it is judged by, and the form in which each answer is given."""

    identified: Identified
    expected: Sequence[Expected]
    book: PlanBook
    day: date | None

    def answer(
        self,
        verdict: Verdict,
        code: str,
        params: Mapping[str, str],
        candidate: Candidate | None = None,
        command: str | None = None,
        confirmed: bool = False,
        notes: tuple[str, ...] = (),
    ) -> Judgement:
        meant = [candidate] if candidate else list(self.identified.candidates)
        return Judgement(
            verdict,
            code,
            dict(params),
            candidate,
            expected_text=expected_text(self.expected),
            got_text=_meanings(meant) or self.identified.text,
            command=command,
            confirmed=confirmed,
            notes=(*self.identified.notes, *notes),
        )


def _standing(candidate: Candidate, expected: Sequence[Expected], book: PlanBook) -> Rule | None:
    """The rule that the step has for a candidate; None when it has none."""
    known: bool | None = None
    for one in expected:
        if one.kind is not candidate.kind:
            continue
        rule = one.rule(candidate)
        if rule is not None:
            return rule
        if one.any:
            known = _known(candidate, book) if known is None else known
            if known or one.unknown_too:
                return PLANNED
    return None


def _known(candidate: Candidate, book: PlanBook) -> bool:
    return candidate.kind in _UNLISTED or book.knows(candidate.kind, candidate.id)


def _command(scan: _Scan, candidate: Candidate, actions: Collection[str]) -> Judgement:
    action = candidate.id.lower()
    if action in actions:
        return scan.answer(Verdict.COMMAND, "scan.command", {"action": action}, candidate, command=action)
    return scan.answer(Verdict.OTHER_TYPE, "scan.command_not_now", {"action": action}, candidate)


def _ambiguous(scan: _Scan, candidates: Sequence[Candidate]) -> Judgement:
    params = {"got": scan.identified.text, "count": str(len(candidates)), "meanings": _meanings(candidates)}
    return scan.answer(Verdict.AMBIGUOUS, "scan.ambiguous", params)


def _ruled(scan: _Scan, candidate: Candidate, rule: Rule, confirmed: bool) -> Judgement:
    """The verdict on the one meaning that the step has a rule for."""
    params = {**rule.params, "got": _name(candidate)}
    code = rule.code or _DEFAULT_CODES.get(rule.standing, "")
    dated = _dated(candidate, scan.book, scan.day)
    beside: tuple[str, ...] = ()
    if dated is not None:
        params, beside = {**params, **dated.params}, (dated.code,)
    refusal = _REFUSALS.get(rule.standing)
    if refusal is not None:
        return scan.answer(refusal, code, params, candidate, notes=beside)
    if dated is not None and dated.verdict is Verdict.HELD:
        return scan.answer(Verdict.HELD, dated.code, params, candidate)
    asked = rule.standing is Standing.ASK
    if (asked or dated is not None) and not confirmed:
        words = (code, beside) if asked else (beside[0], ())
        return scan.answer(Verdict.CONFIRM, words[0], params, candidate, notes=words[1])
    verdict, code = (Verdict.OK_PLUS, "scan.ok_plus") if candidate.carries_more else (Verdict.OK, "scan.ok")
    return scan.answer(verdict, code, {"got": _name(candidate)}, candidate, confirmed=asked or dated is not None)


@dataclass(frozen=True, slots=True)
class _Dated:
    """What is wrong with the date on a label, and what that comes to.

    After a use-by date (AI 17, 7003) goods are not used, whoever says so here: HELD, and so are goods whose lot has
    another date in the plans, because one of the two is wrong. A best-before date (AI 15) is a promise of
    quality, and the plans may hold the use-by date beside it: CONFIRM.
    """

    verdict: Verdict
    code: str
    params: dict[str, str]


def _dated(candidate: Candidate, book: PlanBook, today: date | None) -> _Dated | None:
    printed = candidate.expires or candidate.best_before
    if printed is None or today is None or candidate.kind is not Kind.MATERIAL:
        return None
    lot = book.lot_of(candidate.id, candidate.lot) if candidate.lot else None
    known = lot.expires if lot is not None else None
    other = known is not None and known != printed
    if printed >= today and not other:
        best = candidate.best_before
        if best is None or best >= today:
            return None
        return _Dated(Verdict.CONFIRM, "scan.past_best_before", {"printed": best.isoformat()})
    params = {"printed": printed.isoformat()} | ({"known": known.isoformat()} if known is not None and other else {})
    which = "use_by" if candidate.expires else "best_before"
    verdict = Verdict.HELD if candidate.expires else Verdict.CONFIRM
    return _Dated(verdict, f"scan.{'past' if printed < today else 'other'}_{which}", params)


def _without_rule(scan: _Scan) -> Judgement:
    """The verdict when the step has nothing to say about any meaning of the code."""
    by_kind = {one.kind: one for one in reversed(scan.expected)}
    other: Candidate | None = None
    for candidate in scan.identified.candidates:
        known = _known(candidate, scan.book)
        if candidate.kind in by_kind and known:
            one = by_kind[candidate.kind]
            return scan.answer(Verdict.WRONG, one.wrong, {**one.params, "got": _name(candidate)}, candidate)
        if candidate.kind not in by_kind and other is None and (known or candidate.trust < PLAIN_TEXT):
            other = candidate
    if other is None:
        return scan.answer(Verdict.UNKNOWN, "scan.unknown", {"got": scan.identified.text})
    params = {"got": _name(other), "got_kind": other.kind.value}
    if not scan.expected:
        return scan.answer(Verdict.OTHER_TYPE, "scan.nothing_expected", params, other)
    params["expected_kinds"] = ",".join(dict.fromkeys(one.kind.value for one in scan.expected))
    return scan.answer(Verdict.OTHER_TYPE, "scan.other_type", params, other)


def expected_text(expected: Sequence[Expected]) -> str:
    """What was expected, as evidence: the first three planned ids, and `*` where any of a kind would do.

    >>> expected_text([Expected(Kind.JOB, "", {"J-1": PLANNED}), Expected(Kind.BADGE, "", any=True)])
    'job J-1, badge *'
    """
    said: list[str] = []
    for one in expected:
        ids = [*one.planned, "*"] if one.any else one.planned
        said.extend(f"{one.kind.value} {id}" for id in ids)
    return _first_few(said)


def _meanings(candidates: Sequence[Candidate]) -> str:
    return _first_few([f"{candidate.kind.value} {_name(candidate)}" for candidate in candidates])


def _first_few(said: Sequence[str]) -> str:
    more = [f"+{len(said) - _SHOWN}"] if len(said) > _SHOWN else []
    return ", ".join([*said[:_SHOWN], *more])


def _name(candidate: Candidate) -> str:
    """A thing as people write it: the item with its lot, the drawing with its revision, else the id."""
    return "/".join(part for part in (candidate.id, candidate.lot or candidate.revision) if part)
