"""Run it, print the figures; the exit status is 1 if anything happened that must not."""

from __future__ import annotations

import argparse
import sys

from benchmarks.chaos.run import Report, run

__all__ = ["main"]


def _printed(report: Report) -> None:
    told = "  ".join(f"{name} {count}" for name, count in report.ends.most_common())
    spoilt = "  ".join(f"{name} {count}" for name, count in report.faults.most_common())
    print(f"calls           {report.calls} in {report.seconds:.1f} s ({report.calls / report.seconds:.0f} per second)")
    print(f"ends            {told}")
    print(f"latest end      {report.latest:+.2f} s from the call's deadline")
    print(f"latest pulse    {report.pulse:+.2f} s, of a thread that only waited")
    print(f"faults          {report.faults.total()} of {report.requests.total()} requests: {spoilt}")
    for name, count in report.requests.items():
        print(
            f"target {name:8} {count} requests, {report.retries[name]} retries, {report.peak[name]} connections at most"
        )
    print(f"cost            ${report.cost}")
    for name, limit in report.budgets.items():
        print(f"budget {name:8} {report.spent[name]} of {limit} tokens")
    print(f"holds           {report.held}, {report.refused} refused")
    print(f"violations      {len(report.violations)}")
    for violation in report.violations[:20]:
        print(f"  {violation[:300]}")


def main() -> None:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.3, help="the share of requests that have a fault (default 0.3)")
    parser.add_argument("--in-process", action="store_true", help="two of the targets answer by themselves")
    arguments = parser.parse_args()
    report = run(arguments.calls, arguments.seed, arguments.rate, in_process=arguments.in_process)
    _printed(report)
    sys.exit(bool(report.violations))


if __name__ == "__main__":
    main()
