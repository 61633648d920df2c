"""Open files: the limit is raised, sockets share what a block does not need, and a slot is reserved with none left."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from node.core.guard import ProductionGuard
from node.shell.files import DirectoryDisk
from node.shell.open_files import OWN_FILES, plan_files
from node.shell.transport import OPENING_MAX
from rpc.port_limits import OPERATOR_LIMITS, PortLimits


@pytest.mark.parametrize("limit", [512, 1024, 4096, 65_536])
@pytest.mark.parametrize("peers", [0, 200, 10_000])
def test_sockets_leave_what_a_block_needs(limit: int, peers: int) -> None:
    plan = plan_files(limit, peers, 1024)
    sockets = plan.clients + (plan.peers + OPENING_MAX if peers else 0) + 2 * OPERATOR_LIMITS.connections.whole
    assert sockets <= limit - OWN_FILES - min(limit // 5, 1000)
    assert plan.clients >= 16
    assert (plan.peers >= 8) == bool(peers)
    share = plan.fit(PortLimits()).connections
    assert share.one <= max(1, share.whole // 8)


def test_a_large_limit_gives_what_is_wanted() -> None:
    assert plan_files(16_384, 200, 1024)[1:] == (200, 1024)


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (300, 2000));"
        "from node.shell.open_files import raise_limit;"
        "print(raise_limit(), resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2000 (2000, 2000)\n"


def test_a_slot_is_reserved_when_no_file_is_left(tmp_path: Path) -> None:
    guard = ProductionGuard(DirectoryDisk(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(400, before[1]), before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for slot in (3, 6, 9):
            guard.reserve(bytes(33), slot)
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert ProductionGuard(DirectoryDisk(tmp_path)).find_latest(bytes(33)) == 9
