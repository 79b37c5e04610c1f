"""What migsafe and squawk report on the labelled corpus that MigrationPilot's authors publish.

    git clone https://github.com/mickelsamuel/migrationpilot
    python benchmarks/labelled.py migrationpilot/bench

The authors labelled the files: each header lists the hazards of its file, beginning with the main one. As in the authors' run, each file is
judged alone, with the rules that are on by default. The figures are: strict, the dangerous files whose main hazard was reported; pairs, the
reported hazards of all dangerous files; false, the safe files for which a hazard was reported. Findings about settings, re-running and design
do not count as hazards, neither the authors' nor migsafe's.
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

RULES_BY_HAZARD = {
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
"""The rules that report each hazard of the corpus."""

NO_HAZARD = {"timeouts", "idempotency", "design", "history"}


class Case:
    """A file of the corpus, with the labels of its header."""

    def __init__(self, path: Path) -> None:
        self.path = path
        header = dict(re.findall(r"^(\w+): *(.*)$", path.read_text().partition("--- */")[0], re.MULTILINE))
        self.verdict = header["verdict"]
        self.hazards = re.findall(r"[\w-]+", header["hazards"])
        self.version = header.get("pg_version", "17").strip('"')


Answer = tuple[set[str], set[str]]
"""The labelled hazards that a tool reports, and all rules by which it reports a hazard."""


def migsafe(case: Case, path: Path, categories: dict[str, str]) -> Answer:
    """Returns what migsafe reports for a file alone."""
    command = [sys.executable, "-m", "migsafe", "lint", "--no-cache", "--format", "json", "--pg-version", case.version, str(path)]
    findings = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)["findings"]
    rules = {finding["rule"] for finding in findings}
    harmful = {finding["rule"] for finding in findings if finding["severity"] != "info" and categories[finding["rule"]] not in NO_HAZARD}
    return {hazard for hazard, names in RULES_BY_HAZARD.items() if names & rules}, harmful


def squawk(case: Case, path: Path, rule_map: dict[str, dict[str, object]]) -> Answer:
    """Returns what squawk reports, by the corpus's table of squawk's rules; a rule that is not in the table counts as a hazard."""
    command = ["squawk", "--reporter", "json", "--pg-version", f"{case.version}.0", str(path)]
    findings = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    hazards: set[str] = set()
    harmful = set()
    for rule in {finding["rule_name"] for finding in findings}:
        entry = rule_map.get(rule, {"bucket": "hazard", "hazards": []})
        hazards.update(map(str, entry["hazards"]))  # type: ignore[call-overload]
        if entry["bucket"] == "hazard":
            harmful.add(rule)
    return hazards, harmful


def report(tool: str, cases: list[Case], judge: Callable[[Case, Path], Answer]) -> None:
    """Run a tool on each file, alone in a folder, and print the figures."""
    strict, false, missed, pairs = 0, [], [], 0
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / case.path.name
            shutil.copy(case.path, path)
            reported, harmful = judge(case, path)
        if case.verdict == "dangerous":
            strict += case.hazards[0] in reported
            pairs += sum(hazard in reported for hazard in case.hazards)
            missed += [f"{case.path.name}: {hazard}" for hazard in case.hazards if hazard not in reported]
        elif case.verdict == "safe" and harmful:
            false.append(f"{case.path.name}: {', '.join(sorted(harmful))}")
    dangerous = [case for case in cases if case.verdict == "dangerous"]
    safe = sum(case.verdict == "safe" for case in cases)
    total = sum(len(case.hazards) for case in dangerous)
    print(f"{tool}: strict {strict} of {len(dangerous)}, pairs {pairs} of {total}, false {len(false)} of {safe}")
    for title, lines in (("missed", missed), ("false", false)):
        for line in lines:
            print(f"    {title} {line}")


def main() -> None:
    """Run migsafe, and squawk if it is installed, on the corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path, help="the folder `bench` of MigrationPilot's repository")
    folder = parser.parse_args().bench
    cases = [Case(path) for path in sorted(folder.glob("corpus/*/*.sql"))]
    if not cases:
        parser.error(f"no corpus in {folder}")
    listed = subprocess.run([sys.executable, "-m", "migsafe", "rules", "--format", "json"], capture_output=True, text=True, check=True)
    categories = {rule["name"]: rule["category"] for rule in json.loads(listed.stdout)["rules"]}
    report("migsafe", cases, lambda case, path: migsafe(case, path, categories))
    if shutil.which("squawk"):
        rule_map = json.loads((folder / "rule-map.json").read_text())["tools"]["squawk"]["rules"]
        report("squawk", cases, lambda case, path: squawk(case, path, rule_map))


if __name__ == "__main__":
    main()
