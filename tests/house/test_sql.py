"""SQL is text of ours: what comes from outside goes into it as a parameter, and in no other way.

A linter looks at one expression; here a name is followed to where it was bound, in another file as well.
"""

from __future__ import annotations

import ast
import functools
import textwrap
from collections.abc import Iterator

import pytest

from tests.house.sources import Source, product

RUNS_SQL = {"execute", "executemany", "executescript"}
Function = ast.FunctionDef | ast.AsyncFunctionDef

# Where SQL is put together of more than literals, by file and function, and why nothing from outside is in it.
PUT_TOGETHER = {
    "edge_agent/store/looking_over.py _walked": "a row of _WALKS, which is texts of the file; values are parameters",
    "edge_agent/store/outliving.py _each": "a text of the file, and the seq of the base, made a whole number",
    "edge_agent/store/outliving.py _insert": "tables are keys of the file, columns are asked of the schema of ours",
    "edge_agent/store/progress.py _progress_of": "as many question marks as there are parameters",
    "edge_agent/store/rebuilding.py _copy_table": "tables and columns are asked of the schema of ours",
    "edge_agent/store/rebuilding.py _columns": "a table of the schema of ours",
    "edge_agent/store/samples_bounds.py _drop": "one of two names that its type lists",
    "edge_agent/store/samples_reading.py _stored": "a row of _TABLES, which is texts of the file, and an order of it",
    "edge_agent/store/schema.py run": "a statement of a migration, which is a file of the product",
    "edge_agent/store/schema.py _made": "the same",
    "edge_agent/store/writes.py _one": "a condition of the file",
    "sync/reference_books.py _bookings": "two conditions and two orders of the file",
    "sync/reference_decisions.py _found": "as many question marks as there are parameters",
}


@functools.cache
def by_module() -> dict[str, Source]:
    return {each.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): each for each in product()}


class Reader:
    """One file: whether an expression is text of ours, whatever happens at run time."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.module: dict[str, list[ast.expr | None]] = {}
        self.imported: dict[str, tuple[str, str]] = {}
        self._bind(source.tree.body, self.module, deep=False)
        for node in source.find(ast.ImportFrom):
            if isinstance(node, ast.ImportFrom) and node.module:
                self.imported |= {each.asname or each.name: (node.module, each.name) for each in node.names}

    def _bind(self, body: list[ast.stmt], into: dict[str, list[ast.expr | None]], deep: bool = True) -> None:
        """What each name was ever bound to; None: to what can not be told."""
        for node in (each for statement in body for each in (ast.walk(statement) if deep else [statement])):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._target(target, value, into)
                case ast.AnnAssign(target=target, value=value) if value is not None:
                    self._target(target, value, into)
                case ast.For(target=target, iter=over) | ast.comprehension(target=target, iter=over):
                    self._target(target, over, into, each=True)
                case ast.AugAssign(target=target) | ast.NamedExpr(target=target):
                    self._target(target, None, into)
                case _:
                    pass

    def _target(
        self, target: ast.expr, value: ast.expr | None, into: dict[str, list[ast.expr | None]], each: bool = False
    ) -> None:
        if isinstance(target, ast.Name):
            into.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and not each:
            for one, other in zip(target.elts, value.elts, strict=False):
                self._target(one, other, into)
        else:
            for name in ast.walk(target):
                if isinstance(name, ast.Name):
                    into.setdefault(name.id, []).append(None)

    def ours(self, node: ast.expr | None, names: dict[str, list[ast.expr | None]], seen: frozenset[str]) -> bool:
        """Whether it is made of literals only, or of whole numbers written as such."""
        match node:
            case ast.Constant(value=str() | int()):
                return True
            case ast.JoinedStr(values=values):
                return all(self.ours(each, names, seen) for each in values)
            case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value="d")])):
                return True
            case ast.FormattedValue(value=value):
                return self.ours(value, names, seen)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.ours(left, names, seen) and self.ours(right, names, seen)
            case ast.IfExp(body=body, orelse=orelse):
                return self.ours(body, names, seen) and self.ours(orelse, names, seen)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):  # a loop goes over them
                return all(self.ours(each, names, seen) for each in elts)
            case ast.Name(id=name) if name not in seen:
                return self._name(name, names, seen | {name})
            case _:
                return False

    def _name(self, name: str, names: dict[str, list[ast.expr | None]], seen: frozenset[str]) -> bool:
        if name in names:
            return all(self.ours(each, names, seen) for each in names[name])
        if name in self.module:
            return all(self.ours(each, {}, seen) for each in self.module[name])
        module, there = self.imported.get(name, ("", ""))
        if module not in by_module():
            return False
        other = Reader(by_module()[module])
        return there in other.module and other._name(there, {}, frozenset({there}))

    def found(self) -> Iterator[tuple[str, str]]:
        """Every call that runs SQL which is not ours for certain: its function, and where it is."""
        for function, call in self._calls(self.source.tree, []):
            names: dict[str, list[ast.expr | None]] = {}
            for each in function:
                self._bind(each.body, names)
                for argument in (*each.args.posonlyargs, *each.args.args, *each.args.kwonlyargs):
                    names.setdefault(argument.arg, []).append(None)
            if not call.args or not self.ours(call.args[0], names, frozenset()):
                yield (function[-1].name if function else ""), self.source.at(call)

    def _calls(self, node: ast.AST, within: list[Function]) -> Iterator[tuple[list[Function], ast.Call]]:
        within = [*within, node] if isinstance(node, Function) else within
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RUNS_SQL:
            yield within, node
        for child in ast.iter_child_nodes(node):
            yield from self._calls(child, within)


def reasons_for(path: str, function: str) -> list[str]:
    return [key for key in PUT_TOGETHER if key == f"{path} {function}"]


def test_every_statement_is_a_literal_or_stands_in_the_list_with_its_reason() -> None:
    told = [(source.path, *each) for source in product() for each in Reader(source).found()]
    assert [place for path, function, place in told if not reasons_for(path, function)] == []
    used = {key for path, function, _ in told for key in reasons_for(path, function)}
    assert sorted(set(PUT_TOGETHER) - used) == [], "what is no longer put together needs no reason"


@pytest.mark.parametrize(("text", "good"), [
    ('conn.execute("SELECT 1")', True),
    ('conn.execute("SELECT " + name)', False),
    ('conn.execute(f"SELECT {name}")', False),
    ('conn.execute("SELECT {}".format(name))', False),
    ('conn.execute("SELECT %s" % name)', False),
    ('sql = "SELECT 1"\n    conn.execute(sql + " LIMIT 1")', True),
    ('sql = "SELECT 1"\n    sql += name\n    conn.execute(sql)', False),
    ('sql = name\n    conn.executescript(sql)', False),
    ('conn.execute(f"PRAGMA user_version = {name:d}")', True),
    ('for each in ("a", "b"):\n        conn.execute(f"PRAGMA {each}")', True),
    ('for each in name:\n        conn.execute(f"PRAGMA {each}")', False),
    ('conn.execute(SELECT + " WHERE id = ?", (name,))', True),
    ('query = "A" if name else "B"\n    conn.execute(query)', True),
])  # fmt: skip
def test_the_check_finds_what_it_looks_for(text: str, good: bool) -> None:
    code = f"from edge_agent.store.journal import SELECT\ndef f(conn, name):\n    {text}\n"
    source = Source("edge_agent/x.py", code, ast.parse(textwrap.dedent(code)))
    assert [*Reader(source).found()] == ([] if good else [("f", source.at(last_call(source)))])


def last_call(source: Source) -> ast.AST:
    calls = [each for each in source.find(ast.Call) if getattr(getattr(each, "func", None), "attr", "") in RUNS_SQL]
    return calls[-1]
