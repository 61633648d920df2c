"""The same targets fed by atheris, which follows the branches of the code: `python -m tests.fuzz.guided messages`.

atheris is no dependency of the project; `pip install atheris` where it has a wheel. What stands behind the target's
name is handed to libFuzzer: `... messages -runs=100000 -max_len=4096 build/fuzz-messages`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

SEED = 1


def main(arguments: list[str]) -> int:
    """Feeds one target until libFuzzer is told to stop, or an input fails."""
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        print("atheris is not installed; `make fuzz` needs nothing but the project", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["protocol", "chain", "node", "operations", "rpc"]):
        targets: ModuleType = importlib.import_module("tests.fuzz.targets")
        run: ModuleType = importlib.import_module("tests.fuzz.run")
    names = {kind.name: kind for kind in targets.TARGETS}
    if not arguments or arguments[0] not in names:
        print(f"name a target: {', '.join(names)}", file=sys.stderr)
        return 2
    target = run.make_target(names[arguments[0]], SEED)
    atheris.Setup([sys.argv[0], *arguments[1:]], target.run)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
