"""The process that runs Alembic itself, and the comparison of what it sends with what migsafe renders."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from migsafe.script_environment import ScriptEnvironment
from migsafe.sources import Half

_PROGRAM = Path(__file__).with_name("alembic_steps.py")
_LITERAL = re.compile(r"E?'(?:[^'\\]|''|\\.)*'|\b\d+(?:\.\d+)?\b|\b(?:NULL|true|false)\b", re.IGNORECASE)
_CAST = re.compile(r"::(?:TIMESTAMP WITH(?:OUT)? TIME ZONE|CHARACTER VARYING|DOUBLE PRECISION|\w+)(?:\(\d+\))?(?:\[\])?", re.IGNORECASE)
_ARRAY = re.compile(r"ARRAY\[(?:\?(?:, \?)*)?\]")
_ROWS = re.compile(r"(\([?, ]+\))(?:, \([?, ]+\))+")
_UUID = re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d:?\d\d)?")
_MASKED_CAST = re.compile(r"('UUID'|'TIME')::\w+")
_MARK = re.compile(r"""(?:ARRAY\[)?'[^']*⟨[^']*'(?:\]|(?=[^\]]|$))|"?⟨[^⟩]*⟩"?""")
_INDEX = re.compile(r"\s*CREATE (?:UNIQUE )?INDEX ", re.IGNORECASE)
_SHOWN = 400


class SentStatement(NamedTuple):
    """A statement that Alembic sends. `locks` are those that it adds, by relation, `held` those before it; None if they were not measured."""

    sql: str
    locks: dict[str, str] | None = None
    held: dict[str, str] | None = None


class StepFailed(Exception):
    """Alembic cannot run a step here."""


class AlembicProcess:
    """Alembic in a separate process; it starts again after a script that ends it. `url` is that of a server's
    database, None to write SQL."""

    def __init__(self, python: str = sys.executable, url: str | None = None) -> None:
        self._command = [python, str(_PROGRAM), *((url,) if url is not None else ())]
        self._process: subprocess.Popen[str] | None = None

    def run(self, half: Half) -> list[SentStatement]:
        """Runs an upgrade. Raises StepFailed."""
        assert half.program is not None
        program = half.program
        environment = msgspec.json.decode(program.environment or "{}", type=ScriptEnvironment)
        step = {
            "path": str(Path(program.script.path).absolute()),
            "function": program.function,
            "folders": [str(Path(folder).absolute()) for folder in (*program.import_path.first, *program.import_path.last)],
            "ini": str(Path(environment.config_file).absolute()) if environment.config_file else None,
            "naming_convention": {name: template for name, template in (environment.naming_convention or {}).items() if template},
        }
        reply = self._ask(step)
        if reply.get("error"):
            raise StepFailed(reply["error"])
        return [SentStatement(entry["sql"], entry.get("locks"), entry.get("held")) for entry in reply["statements"]]

    def _ask(self, step: dict[str, Any]) -> dict[str, Any]:
        if self._process is None or self._process.poll() is not None:
            # Iteration over sets is the same as in migsafe's worker.
            environment = {**os.environ, "PYTHONHASHSEED": "0"}
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(step) + "\n")
            self._process.stdin.flush()
            reply: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"error": "the process ended"}')
        except (OSError, ValueError) as error:
            raise StepFailed(str(error)) from error
        return reply

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class RenderedSql(NamedTuple):
    """What migsafe renders for one call. `opaque`: its SQL is unknown; `optional`: it is not certain that the call is made."""

    sql: str
    opaque: bool
    optional: bool
    number: int


def rendered_sql(half: Half) -> list[RenderedSql]:
    """Returns what a rendered half sends, without what Alembic itself sends."""
    assert half.program is not None
    return [
        RenderedSql(half.script.text[slice(*call.sql_span)], bool(call.opaque) and not _is_marked(half, number), not call.certain, number)
        for number, call in enumerate(half.program.calls)
        if not call.by_runner
    ]


def _is_marked(half: Half, number: int) -> bool:
    assert half.program is not None
    return "⟨" in half.script.text[slice(*half.program.calls[number].sql_span)]


def in_rendered_order(sent: Sequence[SentStatement], rendered: Sequence[RenderedSql], *, exact: bool) -> list[SentStatement]:
    """Sorts adjacent statements that create indexes as they are rendered: SQLAlchemy has the indexes of a table in a set."""
    positions = {_normal(call.sql, exact=exact): number for number, call in enumerate(rendered)}
    ordered: list[SentStatement] = []
    for is_index, group in groupby(sent, lambda statement: _INDEX.match(statement.sql) is not None):
        statements = list(group)
        if is_index:
            statements.sort(key=lambda statement: positions.get(_normal(statement.sql, exact=exact), -1))
        ordered += statements
    return ordered


class Alignment(NamedTuple):
    """`pairs` are the numbers of rendered and sent statements that are equal; `extra` was rendered only, `missing` was sent only."""

    pairs: list[tuple[int, int]]
    extra: list[int]
    missing: list[int]

    def differences(self, rendered: Sequence[RenderedSql], sent: Sequence[str]) -> list[tuple[str, str]]:
        """Returns each statement that only one of the two has, after the name of that one."""
        return [*(("migsafe", rendered[number].sql) for number in self.extra), *(("Alembic", sent[number]) for number in self.missing)]


def align(rendered: Sequence[RenderedSql], sent: Sequence[str], *, exact: bool) -> Alignment:
    """Pairs rendered with sent statements, in order, with as few differences as possible.

    An opaque call stands for any number of statements, one that is uncertain or has unknown values also for equal ones later,
    because it can be in a loop. Without
    `exact`, constants are not compared, because the server gets them as parameters, and equal adjacent calls can be one execution.
    """
    theirs = [_normal(text, exact=exact) for text in sent]
    ours = [_pattern(call.sql, exact=exact) for call in rendered]
    loops = [
        next((k for k, call in enumerate(rendered) if (call.optional or "⟨" in call.sql) and ours[k].fullmatch(text)), len(ours))
        for text in theirs
    ]
    choice = _choices(rendered, ours, theirs, loops, exact=exact)
    pairs, extra, missing = [], [], []
    i = j = 0
    while (i, j) in choice:
        match choice[i, j]:
            case "equal":
                pairs.append((i, j))
                i, j = i + 1, j + 1
            case "again":
                pairs.append((loops[j], j))
                j += 1
            case "covered":
                j += 1
            case "missing":
                missing.append(j)
                j += 1
            case skipped:
                extra += [i] if skipped == "extra" else []
                i += 1
    return Alignment(pairs, extra, missing)


def _choices(
    rendered: Sequence[RenderedSql], ours: Sequence[re.Pattern[str]], theirs: Sequence[str], loops: Sequence[int], *, exact: bool
) -> dict[tuple[int, int], str]:
    """Returns what to do with the calls from i on and the statements from j on, by (i, j), with the fewest differences."""
    cost = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    choice: dict[tuple[int, int], str] = {}
    for i in range(len(ours), -1, -1):
        for j in range(len(theirs), -1, -1):
            options = []
            if i < len(ours) and j < len(theirs) and not rendered[i].opaque and ours[i].fullmatch(theirs[j]):
                options.append((cost[i + 1][j + 1], "equal"))
            if j < len(theirs) and loops[j] <= i and loops[j] < len(ours):
                options.append((cost[i][j + 1], "again"))
            if i < len(ours) and rendered[i].opaque:
                options.append((cost[i + 1][j], "skip"))
                if j < len(theirs):
                    options.append((cost[i][j + 1], "covered"))
            elif i < len(ours):
                may_skip = rendered[i].optional or (not exact and i > 0 and ours[i].pattern == ours[i - 1].pattern)
                options.append((cost[i + 1][j] + (not may_skip), "skip" if may_skip else "extra"))
            if j < len(theirs):
                options.append((cost[i][j + 1] + 1, "missing"))
            if options:
                cost[i][j], choice[i, j] = min(options, key=lambda option: option[0])
    return choice


def _normal(sql: str, *, exact: bool) -> str:
    """Returns SQL without differences of white space; without `exact`, also without constants and casts of parameters."""
    sql = " ".join(sql.replace("\t", "    ").strip().rstrip("; \n").split())
    sql = _MASKED_CAST.sub(r"\1", _TIME.sub("TIME", _UUID.sub("UUID", sql)))
    if not exact:
        sql = _ARRAY.sub("?", _LITERAL.sub("?", _CAST.sub("", sql)).replace("( ?", "(?"))
        sql = _ROWS.sub(r"\1", sql)
    return sql


def _pattern(sql: str, *, exact: bool) -> "re.Pattern[str]":
    normal = _normal(_MARK.sub("⟨⟩", sql), exact=exact)
    return re.compile(".*".join(re.escape(part) for part in normal.split("⟨⟩")), re.DOTALL)


def short(text: str) -> str:
    """Returns text on one line, not too long."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
