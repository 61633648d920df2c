"""What a user reads when a chain cannot be opened, or can no longer be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.indexes import Indexes
from node.core import NodeSettings
from node.failures import EXIT_FAILED, CommandError, explain
from node.settings import Address
from node.shell.daemon import run_daemon
from node.shell.node_shell import NodeShell
from protocol.errors import BlockLogError, Rejected, UnknownHardfork
from state.engine.errors import ForeignChain, ForeignConfig, StoreCorrupt, StoreFull
from tests.chain.test_full_disk import damage_tables, open_on_tables


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ForeignConfig("rules.x was 3, now it is 1"), "rules.x was 3, now it is 1. Use the chain config"),
        (ForeignChain("chain 1"), "chain 1. Name the chain"),
        (StoreCorrupt("a file"), "a file. Restore the directory"),
        (StoreFull("no room"), "no room. Free some disk space"),
        (UnknownHardfork(""), "chain attempted to apply unknown hardfork. Use the chain config that holds"),
        (BlockLogError("", "${path} is damaged", path="x"), "x is damaged. Restore `block_log`"),
        (Rejected("a == b", "why"), "do not fit the chain: Assert Exception:a == b: why"),
    ],
)
def test_cause_and_remedy(error: Exception, text: str) -> None:
    explained = explain(error)
    assert explained is not None
    assert text in explained


def test_a_fault_of_the_program_has_no_explanation() -> None:
    assert explain(KeyError("x")) is None


def test_a_state_that_becomes_unreadable_ends_the_node_with_the_remedy(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = open_on_tables(tmp_path)

    def damage(shell: NodeShell, url: str) -> None:
        damage_tables(tmp_path / "state")
        monkeypatch.setattr(shell.node, "on_timer", lambda name: list(chain.ctx.tables.accounts.scan()))
        for name in ("one", "two"):
            shell.set_timer(name, shell.now_ms())

    with pytest.raises(CommandError) as ended:
        run_daemon(chain, Indexes(has_history=False), NodeSettings((), {}), Address("127.0.0.1", 0), on_ready=damage)
    assert ended.value.exit_code == EXIT_FAILED
    assert ended.value.message.startswith("The node ends: ")
    assert "Corruption" in ended.value.message
    assert ended.value.message.endswith("it is rebuilt from the block log.")
    assert "Traceback" not in caplog.text
