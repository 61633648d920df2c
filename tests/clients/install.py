"""Installs the client libraries, pinned, into .cache/clients: a Python environment and a folder of npm packages.

Run as a module it installs everything; the tests call it for what they need. What is there and up to date is kept.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
PLACE: Final = HERE.parent.parent / ".cache" / "clients"
PYTHON: Final = PLACE / "venv" / "bin" / "python"
NODE_MODULES: Final = PLACE / "node_modules"
TIMEOUT_SECONDS: Final = 200


class NotInstalled(Exception):
    """A client library cannot be had on this machine; the text says why."""


def install_python(requirements: str) -> Path:
    """Installs a requirements file of this folder; returns the interpreter that has it. Raises NotInstalled."""
    file = HERE / requirements
    with _locked():
        if _is_done(requirements, file):
            return PYTHON
        if not PYTHON.exists():
            _make_environment()
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
        _run([*pip, "--no-deps", "--require-hashes", "-r", str(file)])
        _mark_done(requirements, file)
    return PYTHON


def _make_environment() -> None:
    try:
        venv.create(PLACE / "venv", with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(PLACE / "venv", ignore_errors=True)
        raise NotInstalled(f"a Python environment cannot be made: {error}") from error


def install_npm() -> str:
    """Installs the packages of package-lock.json; returns the `node` command. Raises NotInstalled."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotInstalled("node and npm are not on this machine")
    lock = HERE / "package-lock.json"
    with _locked():
        if not (_is_done("npm", lock) and NODE_MODULES.is_dir()):
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, PLACE / name)
            _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            _mark_done("npm", lock)
    return node


@contextmanager
def _locked() -> Iterator[None]:
    """Lets one process at a time install."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_done(name: str, source: Path) -> bool:
    stamp = PLACE / f"{name}.installed"
    return stamp.exists() and stamp.read_text() == _digest(source) and (name == "npm" or PYTHON.exists())


def _mark_done(name: str, source: Path) -> None:
    (PLACE / f"{name}.installed").write_text(_digest(source))


def _digest(source: Path) -> str:
    return hashlib.sha256(source.read_bytes()).hexdigest()


def _run(command: list[str]) -> None:
    shown = " ".join(command[:4])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command, cwd=PLACE, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"`{shown} ...` was not ready after {TIMEOUT_SECONDS} s") from None
    if done.returncode != 0:
        raise NotInstalled(f"`{shown} ...` failed: {done.stderr.strip()[-600:]}")


def main() -> None:
    """Installs everything."""
    try:
        install_python("requirements.txt")
        install_python("requirements-more.txt")
        install_npm()
    except NotInstalled as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
