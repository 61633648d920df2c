"""The page of all errors by which programs tell refusals apart."""

from __future__ import annotations

from collections.abc import Iterator

from protocol.errors import ProtocolError
from wallet.advice import ADVICE


def render_errors(notice: str) -> str:
    """Returns the page of the kinds of errors, from their classes, and of the rules that have a name."""
    kinds = {(kind.code, kind.name): kind for kind in _walk(ProtocolError)}
    names = {name for _, name in kinds}
    lines = [
        *(notice, "", "# Errors", ""),
        "JSON-RPC codes and the form of errors: [../rpc.md](../rpc.md#errors).",
        *("", "## Kinds", "", "`data.code` and `data.name` are those of the reference.", ""),
        *("| code | name | `message` begins with | meaning |", "| --- | --- | --- | --- |"),
        *(
            f"| {code} | `{name}` | {kinds[code, name].what} | {_summarize(kinds[code, name])} |"
            for code, name in sorted(kinds)
        ),
        *("", "## Rules", "", "`data.advice.rule` names the violated rule, if it has a name.", ""),
        *("| rule | cause, as the wallet shows it | remedy |", "| --- | --- | --- |"),
        *(f"| `{rule}` | {said.cause} | {said.remedy} |" for rule, said in sorted(ADVICE.items()) if rule not in names),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _walk(kind: type[ProtocolError]) -> Iterator[type[ProtocolError]]:
    """Yields the kinds of errors of the node, narrower ones first: a wider one of the same code stands for them."""
    for inner in kind.__subclasses__():
        if not inner.__module__.startswith("tests."):
            yield from _walk(inner)
    yield kind


def _summarize(kind: type[ProtocolError]) -> str:
    return (kind.__doc__ or "").partition("\n")[0].partition(" Source: ")[0].replace("``", "`")
