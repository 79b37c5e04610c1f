"""The list for people: each query with its place, the tables that it uses, and the index that serves each of them."""

from collections.abc import Iterator

from migsafe.library.queries import ListedQuery, QueryList
from migsafe.reports.excerpt import first_words
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED
from migsafe.terminal.display import Display
from migsafe.terminal.width import WIDTH_OF_A_FILE, visible, wrapped
from migsafe.workload import CallSite, Query
from migsafe.workload.assessment import CandidateIndex, QueryAssessment, TableAccess, UsedRelation

_INDENT = "  "
_MOST_UNREAD = 20
_MOST_PLACES = 3

_INSERT_PROBLEMS = {
    "omits": ("leaves out", "which is NOT NULL without a default"),
    "null": ("gives NULL to", "which is NOT NULL"),
    "generated": ("writes", "which is always generated"),
}


def report(queries: QueryList, display: Display) -> str:
    """Returns every query, those that could not be read, and a line with the counts."""
    pieces = ["\n".join(_query(listed, display)) + "\n" for listed in queries.queries]
    if queries.unread:
        pieces.append("\n".join(_unread(queries, display)) + "\n")
    return "\n".join((*pieces, _closing(queries) + "\n"))


def _query(listed: ListedQuery, display: Display) -> Iterator[str]:
    query, width = listed.query, display.width or WIDTH_OF_A_FILE
    first = query.places[0] if query.places else None
    others = query.places[1:_MOST_PLACES]
    place = _place(first) if first is not None else "no call site is known"
    name = f" {visible(first.name)}" if first is not None and first.name else ""
    yield f"{display.paint(place, BOLD)}{name} {display.paint(f'· {query.fingerprint}{_counts(query)}', DIM)}"
    yield _INDENT + first_words(visible(query.text), max(width - len(_INDENT), 20))
    if others:
        more = len(query.places) - _MOST_PLACES
        places = ", ".join(_place(each) for each in others) + (f" and {more} more places" if more > 0 else "")
        yield display.paint(f"{_INDENT}also in {places}", DIM)
    if listed.assessment is not None:
        for line in _needs(listed.assessment, display):
            yield from (_INDENT * (2 if number else 1) + part for number, part in enumerate(wrapped(line, max(width - 4, 20))))


def _place(place: CallSite) -> str:
    return f"{visible(place.path)}:{place.line}"


def _counts(query: Query) -> str:
    parts = []
    if query.calls:
        parts.append(f"{query.calls:,} call{'' if query.calls == 1 else 's'}")
    if query.per_request > 1:
        parts.append(f"up to {query.per_request} in one request")
    if query.mean_ms is not None:
        parts.append(f"{query.mean_ms:.3g} ms on average")
    return "".join(f" · {part}" for part in parts)


def _needs(assessment: QueryAssessment, display: Display) -> Iterator[str]:
    """Yields what a query reads and writes, and what could not be resolved."""
    if assessment.unresolved:
        yield display.paint(f"not resolved: {visible(assessment.unresolved)}", MAGENTA)
        return
    accesses = {access.oid: access for access in reversed(assessment.accesses)}
    for access in assessment.accesses:
        yield f"reads {visible(str(access.name))}{_alias(access)}{_filters(access)}: {_index(access, display)}"
    for relation in assessment.relations:
        if relation.is_written:
            yield f"writes {visible(str(relation.name))}{_columns(relation)}"
        elif relation.oid not in accesses:
            yield f"reads {visible(str(relation.name))}"
    if assessment.failure is not None:
        yield display.paint(f"fails on this schema: {visible(assessment.failure.message)} ({assessment.failure.code})", RED)
    for problem in assessment.insert_problems:
        what, why = _INSERT_PROBLEMS[problem.kind]
        yield display.paint(f"fails when it runs: it {what} {visible(str(problem.table))}.{visible(problem.column)}, {why}", RED)
    if assessment.uncertain:
        yield display.paint(f"not resolved: {visible(assessment.uncertain)}", MAGENTA)


def _alias(access: TableAccess) -> str:
    return f" {visible(access.alias)}" if access.alias and access.alias != access.name.name else ""


def _filters(access: TableAccess) -> str:
    filters = [f"{each.subject} {each.operator} {each.compared_with}".strip() for each in access.filters]
    return f" by {visible(', '.join(dict.fromkeys(filters)))}" if filters else ""


def _index(access: TableAccess, display: Display) -> str:
    if access.index is not None:
        return f"index {visible(access.index.name)}"
    if access.conversion is not None:
        conversion = access.conversion
        because = f"it compares {conversion.column} as {conversion.type}, so that {conversion.index.name} is not used"
        return display.paint(f"no index; {visible(because)}", RED)
    if not access.candidates:
        return display.paint("the whole table" if not access.filters else "no index", DIM)
    needed = " and one ".join(_candidate(each) for each in access.candidates)
    mutable = next((each.mutable for each in access.candidates if each.mutable), "")
    if mutable:
        return display.paint(f"no index; PostgreSQL builds none {visible(needed)}: {visible(mutable)}", DIM)
    missing = f"no index; one {needed} would serve it"
    if access.beside:
        return display.paint(f"{missing}, but the query reads all of {visible(' and '.join(map(str, access.beside)))} in any case", DIM)
    if access.is_optional:
        return display.paint(f"{missing}, with values for the optional conditions", DIM)
    return display.paint(missing, RED)


def _candidate(index: CandidateIndex) -> str:
    method = f"USING {index.method} " if index.method != "btree" else ""
    where = f" WHERE {visible(index.predicate)}" if index.predicate else ""
    return f"{method}({visible(', '.join(index.keys))}){where}"


def _columns(relation: UsedRelation) -> str:
    return f"; uses {visible(', '.join(sorted(relation.columns)))}" if relation.columns else ""


def _unread(queries: QueryList, display: Display) -> Iterator[str]:
    yield display.paint("Not read:", BOLD)
    for each in queries.unread[:_MOST_UNREAD]:
        name = f" {visible(each.place.name)}" if each.place.name else ""
        yield f"{_INDENT}{_place(each.place)}{name}: {visible(each.reason)}"
    if len(queries.unread) > _MOST_UNREAD:
        yield f"{_INDENT}and {len(queries.unread) - _MOST_UNREAD} more; --format json has all of them"


def _closing(queries: QueryList) -> str:
    """Returns the counts."""
    number = len(queries.queries)
    parts = [f"{number:,} {'new ' if queries.compared else ''}{'query' if number == 1 else 'queries'}"]
    assessments = [listed.assessment for listed in queries.queries if listed.assessment is not None]
    if assessments:
        counted = (
            ("not resolved", sum(not each.is_resolved for each in assessments)),
            ("without a needed index", sum(any(access.is_unindexed for access in each.accesses) for each in assessments)),
            ("failing on this schema", sum(each.failure is not None for each in assessments)),
        )
        parts += [f"{count:,} {what}" for what, count in counted if count]
    if queries.gone:
        parts.append(f"{queries.gone:,} no longer there")
    if queries.unread:
        parts.append(f"{len(queries.unread):,} not read")
    if queries.left_out:
        parts.append(f"{queries.left_out:,} messages of the log left out")
    text = ", ".join(parts) + "."
    if queries.queries and not queries.has_schema:
        text += " Their tables are not looked up: the configuration names no `migrations`."
    return text
