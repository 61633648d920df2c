"""Where a client cannot be had, its test is skipped with the reason; where CI is set, it fails."""

import shutil
import sys

import pytest

from tests.clients import install
from tests.clients.flow import without_client
from tests.clients.install import NotInstalled, install_npm


def test_a_machine_without_node_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(NotInstalled, match="node and npm are not on this machine"):
        install_npm()


def test_a_failed_installation_says_what_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(install, "PLACE", tmp_path_factory.mktemp("place"))
    with pytest.raises(NotInstalled, match="no network here"):
        install._run([sys.executable, "-c", "import sys; sys.exit('no network here')"])


def test_an_installation_takes_a_limited_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(install, "PLACE", tmp_path_factory.mktemp("place"))
    monkeypatch.setattr(install, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(NotInstalled, match=r"not ready after 0\.2 s"):
        install._run([sys.executable, "-c", "import time; time.sleep(30)"])


def test_a_missing_client_is_skipped_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="client libraries are missing: no npm"):
        without_client(NotInstalled("no npm"))


def test_a_missing_client_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="client libraries are needed in CI: no npm"):
        without_client(NotInstalled("no npm"))
