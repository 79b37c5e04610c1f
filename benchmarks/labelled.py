"""What migsafe finds, and what it says of safe migrations, on the labelled corpus that MigrationPilot's authors publish; squawk beside it.

    git clone https://github.com/mickelsamuel/migrationpilot
    python benchmarks/labelled.py migrationpilot/bench

The labels are theirs: each file's header names its hazards, the first of them as the one that it was written for. As in their run each file is
judged by itself, with the rules that are on by default, and counted is: strict, a dangerous file whose first hazard is named; pairs, all
hazards of all files; false, a safe file of which a hazard is said. Settings, re-runnability and design count as no hazard, theirs or ours.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

NAMES = {
    "non-concurrent-index": {"index-not-concurrent"},
    "missing-lock-timeout": {"lock-timeout-missing"},
    "set-not-null-scan": {"set-not-null-scans"},
    "check-constraint-scan": {"check-validates"},
    "volatile-default-rewrite": {"add-column-rewrites"},
    "stored-generated-rewrite": {"add-column-rewrites"},
    "column-type-rewrite": {"type-change-rewrites"},
    "fk-without-not-valid": {"foreign-key-validates"},
    "unique-constraint-scan": {"unique-builds-index"},
    "enum-add-value-in-transaction": {"enum-value-used-in-transaction"},
    "concurrently-in-transaction": {"concurrently-in-transaction"},
    "invalid-index-retry": {"invalid-index-kept"},
    "drop-column": {"drop-column"},
    "drop-table-cascade": {"drop-cascade"},
    "truncate-cascade": {"truncate"},
    "rename-column-breakage": {"rename-column"},
    "rename-table-breakage": {"rename-table"},
    "ddl-plus-backfill-same-txn": {"long-work-under-lock"},
    "replication-identity-break": {"drop-primary-key"},
    "disable-trigger-all": {"disable-triggers"},
    "unbatched-backfill": {"backfill-unbatched"},
    "partition-detach": {"detach-not-concurrent"},
    "partition-attach": {"attach-partition-scans"},
    "multi-table-ddl-transaction": {"many-tables-locked"},
    "access-exclusive-maintenance": {"maintenance-rewrites"},
}
"""The rules that name each hazard of the corpus."""

NO_HAZARD = {"timeouts", "idempotency", "design", "history"}


class Case:
    """A file of the corpus and what its header says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        header = dict(re.findall(r"^(\w+): *(.*)$", path.read_text().partition("--- */")[0], re.MULTILINE))
        self.verdict = header["verdict"]
        self.hazards = re.findall(r"[\w-]+", header["hazards"])
        self.version = header.get("pg_version", "17").strip('"')


Said = tuple[set[str], set[str]]
"""The hazards that a tool names, and everything of hazard's kind that it says."""


def migsafe(case: Case, path: Path, categories: dict[str, str]) -> Said:
    """What migsafe says of a file that stands by itself."""
    command = [sys.executable, "-m", "migsafe", "lint", "--no-cache", "--format", "json", "--pg-version", case.version, str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)["findings"]
    rules = {one["rule"] for one in found}
    said = {one["rule"] for one in found if one["severity"] != "info" and categories[one["rule"]] not in NO_HAZARD}
    return {hazard for hazard, names in NAMES.items() if names & rules}, said


def squawk(case: Case, path: Path, known: dict[str, dict[str, object]]) -> Said:
    """What squawk says, by the corpus's own table of its rules; one that is not there counts as a hazard."""
    command = ["squawk", "--reporter", "json", "--pg-version", f"{case.version}.0", str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    named: set[str] = set()
    said = set()
    for rule in {one["rule_name"] for one in found}:
        entry = known.get(rule, {"bucket": "hazard", "hazards": []})
        named.update(map(str, entry["hazards"]))  # type: ignore[call-overload]
        if entry["bucket"] == "hazard":
            said.add(rule)
    return named, said


def report(tool: str, cases: list[Case], judge: Callable[[Case, Path], Said]) -> None:
    """Judge each file in a folder of its own, and print the figures."""
    strict, false, missed, pairs = 0, [], [], 0
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / case.path.name
            shutil.copy(case.path, path)
            named, said = judge(case, path)
        if case.verdict == "dangerous":
            strict += case.hazards[0] in named
            pairs += sum(hazard in named for hazard in case.hazards)
            missed += [f"{case.path.name}: {hazard}" for hazard in case.hazards if hazard not in named]
        elif case.verdict == "safe" and said:
            false.append(f"{case.path.name}: {', '.join(sorted(said))}")
    dangerous = [case for case in cases if case.verdict == "dangerous"]
    safe = sum(case.verdict == "safe" for case in cases)
    total = sum(len(case.hazards) for case in dangerous)
    print(f"{tool}: strict {strict} of {len(dangerous)}, pairs {pairs} of {total}, false {len(false)} of {safe}")
    for title, lines in (("missed", missed), ("false", false)):
        for line in lines:
            print(f"    {title} {line}")


def main() -> None:
    """Judge the corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path, help="the folder `bench` of MigrationPilot's repository")
    folder = parser.parse_args().bench
    cases = [Case(path) for path in sorted(folder.glob("corpus/*/*.sql"))]
    if not cases:
        parser.error(f"no corpus in {folder}")
    listed = subprocess.run([sys.executable, "-m", "migsafe", "rules", "--format", "json"], capture_output=True, text=True, check=True)
    categories = {one["name"]: one["category"] for one in json.loads(listed.stdout)["rules"]}
    report("migsafe", cases, lambda case, path: migsafe(case, path, categories))
    if shutil.which("squawk"):
        known = json.loads((folder / "rule-map.json").read_text())["tools"]["squawk"]["rules"]
        report("squawk", cases, lambda case, path: squawk(case, path, known))


if __name__ == "__main__":
    main()
