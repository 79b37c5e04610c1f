"""A suppression that suppresses nothing.

The rule that it names reported nothing there: the statement was fixed, or the comment is on the wrong line. A leftover suppression hides
the next finding. A suppression applies to the statement or operation on its line or below it; `ignore-file` applies to the whole file, and
only above its first statement. It must name its rules. In an Alembic script of which some code is unknown (opaque-code), nothing counts as
unused: what is suppressed may be there.

Unsafe:
    -- migsafe: ignore[index-not-concurrent] the table is small
    CREATE INDEX CONCURRENTLY orders_qty_idx ON orders (qty);

Unsafe, because it names no rule:
    -- migsafe: ignore
    SELECT 1;

Safe:
    -- migsafe: ignore[index-not-concurrent] orders is empty until launch
    CREATE INDEX orders_qty_idx ON orders (qty);
"""

from collections.abc import Iterator

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.linting.suppressions import Suppression
from migsafe.patterns import lazy_pattern

_NAMES = lazy_pattern(r"\[[^\]]*\]")


@rule(category="history", severity=Severity.WARNING, fix="safe")
def suppression_unused(op: Suppression, at: Context) -> Iterator[Finding]:
    """Report a suppression that applies nowhere, and each of its rules that reported nothing."""
    if not op.understood:
        yield at.finding(op, "this suppresses nothing: it must name the rules", help="-- migsafe: ignore[rule-a, rule-b] the reason", fix="")
    elif op.misplaced:
        yield at.finding(op, "this suppresses nothing: ignore-file is only valid above the first statement of the file", fix="")
    elif op.applies:
        where = "in this file" if op.whole_file else "here"
        for name in op.unused:
            yield at.finding(op, f"{name} reports nothing {where}: remove the suppression", fix=_without_unused(op, at))


def _without_unused(op: Suppression, at: Context) -> str:
    """Returns the comment without the rules that reported nothing; no comment if it names no other."""
    script = at.application_file or at.migration.up.file
    names = ", ".join(name for name in op.names if name not in op.unused)
    comment = _NAMES.sub(f"[{names}]", script.text[slice(*op.span)], count=1) if names else ""
    return f"-- in place of this comment:\n{comment}"
