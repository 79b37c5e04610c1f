"""The places at which a runner divides a script: lines that end with a semicolon."""

from typing import NamedTuple

from migsafe.patterns import lazy_pattern
from migsafe.text import Script, Span

_LINE = lazy_pattern(r"[^\n]+")


class Division(NamedTuple):
    """The place inside a statement at which the runner ends it, what PostgreSQL's refusal is due to, and what the script needs."""

    end: int
    error: str
    help: str


class LineEnds(NamedTuple):
    """The way in which goose and sql-migrate divide a script: a statement outside their `blocks` ends with the line that ends with a semicolon
    (goose, internal/sqlparser/parser.go, and sql-migrate, sqlparse/sqlparse.go, both in endsWithSemicolon). Their directives begin with the
    `mark`."""

    mark: str
    blocks: tuple[Span, ...]

    def division(self, script: Script, statement: Span) -> Division | None:
        """Returns the line inside a statement at which the runner divides it; None if it sends the statement as a whole."""
        text, (start, stop) = script.text, statement
        if text.find(";", start, stop) < 0 or any(inside.start <= start < inside.end for inside in self.blocks):
            return None
        end = next((line.end() for line in _LINE.finditer(text, start, stop) if line.end() < stop and _ends_statement(line[0])), None)
        if end is None:
            return None
        runner = {"+migrate": "sql-migrate"}.get(self.mark, self.mark.removeprefix("+"))
        return Division(
            end,
            error=f"{runner} sends it only up to the `;` at the end of line {script.position(end - 1).line}",
            help=f"-- put the statement between `-- {self.mark} StatementBegin` and `-- {self.mark} StatementEnd`",
        )


def _ends_statement(line: str) -> bool:
    words = line.split()
    comment = next((number for number, word in enumerate(words) if word.startswith("--")), len(words))
    return comment > 0 and words[comment - 1].endswith(";")
