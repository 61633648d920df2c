"""The page of all settings of a node."""

from __future__ import annotations

from annotated_types import Ge, Le, MaxLen

from node.settings import Setting, Settings, list_settings


def render_settings(notice: str) -> str:
    """Returns the page of all settings, in the order of their declaration."""
    lines = [
        *(notice, "", "# Settings", ""),
        "A setting is a flag of `plaudit node`, an environment variable, or a key of the `--config` file,",
        "in this order of precedence. Lists are repeated flags, space-separated words of a variable, or arrays",
        "of the file. The key is the flag without its leading dashes; `_` and `-` are equivalent.",
        *("", "| flag | variable | default | limits | meaning |", "| --- | --- | --- | --- | --- |"),
        *map(_render, list_settings().values()),
    ]
    return "\n".join(lines) + "\n"


def _render(setting: Setting) -> str:
    limits = []
    for part in Settings.model_fields[setting.name].metadata:
        match part:
            case Ge(ge=low):
                limits.append(f"from {low}")
            case Le(le=high):
                limits.append(f"to {high}")
            case MaxLen(max_length=most):
                limits.append(f"at most {most}")
    values = "`, `".join(setting.choices)
    limit = f"`{values}`" if values else " ".join(limits)
    value = f" {setting.metavar}" if setting.metavar else ""
    return f"| `{setting.flag}{value}` | `{setting.variable}` | {setting.default_text} | {limit} | {setting.text} |"
