"""The examples of docs/clients.md run as they stand there; only the node's port is another."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from protocol.config import ChainConfig
from tests.clients.flow import ROOT, client_command, client_environment, dev_node, run_flow, without_client
from tests.clients.install import NotInstalled

PAGE: Final = ROOT / "docs" / "clients.md"
EXAMPLE: Final = re.compile(
    r"^## (?P<client>\S+) \(.*?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
EXAMPLE_SECONDS: Final = 60
EXTENSIONS: Final = {"python": "py", "js": "js"}


def read_examples() -> dict[str, tuple[str, str]]:
    """Each client's language and code."""
    return {found["client"]: (found["language"], found["code"]) for found in EXAMPLE.finditer(PAGE.read_text())}


def test_the_page_has_all_clients() -> None:
    assert list(read_examples()) == ["beem", "steem", "dsteem", "dhive", "lighthive", "steem-python"]


@pytest.mark.slow
@pytest.mark.timeout(500)
@pytest.mark.parametrize("client", list(read_examples()))
def test_an_example_sends_its_transfer(client: str, tmp_path: Path) -> None:
    language, code = read_examples()[client]
    script = tmp_path / f"example.{EXTENSIONS[language]}"
    try:
        with dev_node(tmp_path) as url:
            script.write_text(code.replace("http://127.0.0.1:8090", url))
            done = subprocess.run(
                [*client_command(language, client), str(script)],
                cwd=tmp_path,
                env=client_environment(tmp_path),
                capture_output=True,
                text=True,
                timeout=EXAMPLE_SECONDS,
                check=False,
            )
            assert done.returncode == 0, done.stderr[-2000:]
            assert "1000000.000 STEEM" in done.stdout
            steps = run_flow("quick_beem.py", url, tmp_path, ChainConfig.preset("dev"))
    except NotInstalled as problem:
        without_client(problem)
    assert steps["balance"]["value"] == "1000001.000 STEEM"
