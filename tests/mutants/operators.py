"""What can be changed in a source file, and which of it is drawn."""

from __future__ import annotations

import ast
import copy
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGES = ("consensus", "rewards", "operations", "state", "chain")
Function = ast.FunctionDef | ast.AsyncFunctionDef

COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.Pow: ast.Mult,
}
NEGATED_ELSEWHERE = (ast.Compare, ast.UnaryOp, ast.Constant)
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Mutant(NamedTuple):
    """One change: `before` becomes `after` in a function (or a class, or the module) of a file."""

    file: str
    scope: str
    """Qualified name of the outermost function around the change, else of the class, else empty."""
    is_in_function: bool
    line: int
    before: str
    after: str
    occurrence: int
    """How many equal changes stand before it in the same scope."""
    source: str
    """Digest of the code of the scope: where it is another, what was found out about the mutant is old."""
    tree: Callable[[], ast.Module]

    @property
    def name(self) -> str:
        """Names the mutant by what is changed, not by its line, so that it outlives changes elsewhere."""
        number = f" #{self.occurrence}" if self.occurrence else ""
        return f"{self.full_scope}: {self.before} -> {self.after}{number}"

    @property
    def is_boundary(self) -> bool:
        """Whether a comparison is moved by one: `<` for `<=`, or the other way round."""
        return self.before.replace("=", "") == self.after.replace("=", "")

    @property
    def full_scope(self) -> str:
        """The file and the scope in it."""
        return f"{self.file} {self.scope}"


def _set(**fields: object) -> Callable[[ast.AST], ast.AST]:
    def change(node: ast.AST) -> ast.AST:
        for name, value in fields.items():
            setattr(node, name, value)
        return node

    return change


def _instead(other: ast.AST, _node: ast.AST) -> ast.AST:
    return other


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], ast.AST]]:
    """What can be changed at a node."""
    match node:
        case ast.Compare(ops=[*ops]):
            for index, op in enumerate(ops):
                for other in COMPARE[type(op)]:
                    yield _set(ops=[*ops[:index], other(), *ops[index + 1 :]])
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            yield _set(op=ARITHMETIC[type(op)]())
        case ast.BoolOp(op=op, values=values):
            yield _set(op=ast.And() if isinstance(op, ast.Or) else ast.Or())
            for index in range(len(values)):
                left = [*values[:index], *values[index + 1 :]]
                yield _set(values=left) if len(left) > 1 else partial(_instead, left[0])
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield lambda _node: operand
        case ast.Constant(value=bool(value)):
            yield _set(value=not value)
        case ast.Constant(value=int(value)):
            yield _set(value=value + 1)
            if value > 1:
                yield _set(value=value - 1)
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield _set(func=ast.Name(CALLS[name], ast.Load()))
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield _set(value=ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield lambda _node: ast.Pass()
        case ast.Break():
            yield lambda _node: ast.Continue()
        case ast.Continue():
            yield lambda _node: ast.Break()
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if not isinstance(test, NEGATED_ELSEWHERE):
            yield _set(test=ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=[_, *_]):
            yield _set(ifs=[])
        case ast.Slice(lower=ast.expr()):
            yield _set(lower=None)
        case _:
            return


def _shown(node: ast.AST) -> str:
    """A node's text in one line; of a compound statement its head only."""
    if isinstance(node, ast.If | ast.While):
        return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
    if isinstance(node, ast.comprehension):
        return ast.unparse(node).strip()
    return " ".join(ast.unparse(node).split())


def _walk(node: ast.AST, path: tuple[tuple[str, int], ...], scope: str, around: ast.AST) -> Iterator[_Place]:
    """All nodes that can be changed, with the way to each from the root."""
    yield _Place(node, path, scope, around)
    for field, value in ast.iter_fields(node):
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _is_left_out(node, field, child):
                continue
            inner, inside = scope, around
            if not isinstance(around, Function) and isinstance(node, ast.ClassDef | Function) and field == "body":
                inner, inside = f"{scope}.{node.name}".lstrip("."), node
            yield from _walk(child, (*path, (field, index)), inner, inside)


class _Place(NamedTuple):
    node: ast.AST
    path: tuple[tuple[str, int], ...]
    scope: str
    around: ast.AST
    """The function of the scope, else its class, else the module."""


def _is_left_out(parent: ast.AST, field: str, child: ast.AST) -> bool:
    """Whether nothing below is changed: types, texts of messages, imports, what only a type checker reads, asserts."""
    if field in ("annotation", "returns", "decorator_list", "type_params") or isinstance(
        child, ast.JoinedStr | ast.Assert
    ):
        return True
    if isinstance(child, ast.If):
        return ast.unparse(child.test) in ("TYPE_CHECKING", "__name__ == '__main__'")
    if isinstance(parent, ast.Raise):  # The texts and figures of refusals, but not that there is one.
        return True
    return isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def find_mutants(file: str) -> list[Mutant]:
    """All mutants of a file, in the order of their places."""
    module = ast.parse((ROOT / file).read_text())
    seen: Counter[tuple[str, str, str]] = Counter()
    mutants = []
    digests: dict[str, str] = {}
    for place in _walk(module, (), "", module):
        for change in _changes(place.node):
            before, after = _shown(place.node), _shown(change(copy.deepcopy(place.node)))
            if before == after:
                continue
            scope = place.scope
            if scope not in digests:
                digests[scope] = hashlib.sha256(ast.dump(place.around).encode()).hexdigest()[:12]
            number = seen[scope, before, after]
            seen[scope, before, after] += 1
            is_in_function, make = isinstance(place.around, Function), _maker(module, place, change)
            line = getattr(place.node, "lineno", 0)
            mutants.append(Mutant(file, scope, is_in_function, line, before, after, number, digests[scope], make))
    return mutants


def _maker(module: ast.Module, place: _Place, change: Callable[[ast.AST], ast.AST]) -> Callable[[], ast.Module]:
    def make() -> ast.Module:
        tree = copy.deepcopy(module)
        if not place.path:
            return tree
        parent: ast.AST = tree
        for field, index in place.path[:-1]:
            parent = _child(parent, field, index)
        field, index = place.path[-1]
        old = _child(parent, field, index)
        new = ast.copy_location(change(old), old)
        if isinstance(getattr(parent, field), list):
            getattr(parent, field)[index] = new
        else:
            setattr(parent, field, new)
        return ast.fix_missing_locations(tree)

    return make


def _child(node: ast.AST, field: str, index: int) -> ast.AST:
    value = getattr(node, field)
    child = value[index] if isinstance(value, list) else value
    assert isinstance(child, ast.AST)
    return child


def list_files(packages: Iterable[str] = PACKAGES) -> list[str]:
    """The source files of packages."""
    return [path.relative_to(ROOT).as_posix() for name in packages for path in sorted((ROOT / name).rglob("*.py"))]


def count_code_lines(file: str) -> int:
    """Lines of a file that hold code, without comments and docstrings."""
    tree = ast.parse((ROOT / file).read_text())
    texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return len(
        {node.lineno for node in ast.walk(tree) if isinstance(node, ast.expr | ast.stmt) and id(node) not in texts}
    )


def compute_shares(lines: Mapping[str, int], total: int) -> dict[str, int]:
    """Shares a number among files by their lines, with nothing lost to rounding."""
    whole = sum(lines.values())
    bounds = [0]
    for count in lines.values():
        bounds.append(bounds[-1] + count)
    return {
        file: total * upper // whole - total * lower // whole
        for file, lower, upper in zip(lines, bounds, bounds[1:], strict=False)
    }


def draw(total: int, seed: int, packages: Iterable[str] = PACKAGES) -> list[Mutant]:
    """The mutants of a seed, in shares by file.

    In each file those are taken whose names hash lowest: a change of the code changes the draw there only.
    """

    def rank(mutant: Mutant) -> bytes:
        return hashlib.sha256(f"{seed} {mutant.name}".encode()).digest()

    shares = compute_shares({file: count_code_lines(file) for file in list_files(packages)}, total)
    drawn, rest = [], []
    for file, share in shares.items():
        ranked = sorted(find_mutants(file), key=rank)
        drawn += ranked[:share]
        rest += ranked[share:]
    return drawn + sorted(rest, key=rank)[: total - len(drawn)]
