"""Runs all benchmarks: make bench, or python -m benchmarks [name ...]. Compare ratios within one run."""

from __future__ import annotations

import sys

from benchmarks import (
    bench_apply,
    bench_import,
    bench_invariants,
    bench_limits,
    bench_operations,
    bench_protocol,
    bench_restart,
    bench_rpc,
    bench_snapshot,
    bench_store,
    bench_sync,
)
from benchmarks.timing import show_machine

BENCHMARKS = {
    "protocol": ("Codec and keys", bench_protocol.main),
    "store": ("Store", bench_store.main),
    "operations": ("Operations and payouts", bench_operations.main),
    "apply": ("Blocks", bench_apply.main),
    "import": ("Import", bench_import.main),
    "invariants": ("Invariants in a running node", bench_invariants.main),
    "rpc": ("JSON-RPC", bench_rpc.main),
    "restart": ("Start with much state", lambda: bench_restart.main(100_000)),
    "sync": ("Synchronisation and gossip", bench_sync.main),
    "snapshot": ("Snapshots", bench_snapshot.main),
    "limits": ("Worst cases", bench_limits.main),
}


def main(names: list[str]) -> int:
    """Runs the named benchmarks, or all; returns the exit code."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    show_machine()
    for name in names or BENCHMARKS:
        title, run = BENCHMARKS[name]
        print(f"\n{title}", flush=True)
        run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
