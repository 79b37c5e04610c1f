"""One finding for one cause: in one statement, in one call of a script, in one migration, or in the whole run."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence

from msgspec.structs import replace

from migsafe.linting.facts.held_locks import ALSO_HELD
from migsafe.linting.finding import Finding, NamedQuery
from migsafe.patterns import lazy_pattern
from migsafe.sql.generation import join_migrations

_MANY = 10
"""The number of findings of a rule in a migration up to which they are separate, if each needs a correction of its own."""
_MOST_NAMED = 5
_MOST_HELPS = 3
_WORD = lazy_pattern(r"[^\s,;:()]+|[\s,;:()]+")


def merge_repeated(findings: Sequence[Finding], one_per_migration: Collection[str] = (), one_of_many: Collection[str] = ()) -> list[Finding]:
    """Returns the findings, with those of a rule that one change resolves as one, in the order of the first of each.

    These are findings about one statement, or about one call of a script, whose messages differ only in the objects that they name; those of
    a rule in `one_per_migration` about one migration, and of one in `one_of_many` if there are many, as in a dump; and those with the same
    `cause` in the run. The merged finding is at the place of the
    first, has the relations of all, and lists the others.
    """
    numbers = Counter((finding.rule, finding.script.path, finding.migration) for finding in findings)

    def place(finding: Finding) -> Hashable:
        are_many = numbers[finding.rule, finding.script.path, finding.migration] > _MANY
        if finding.rule in one_per_migration or (finding.rule in one_of_many and are_many):
            return finding.migration, finding.condition
        return _call(finding) if _is_in_program(finding) else _statement(finding)

    merged = _merged(findings, place)
    # A call may send one statement with several actions, each with a place of its own.
    return _merged_causes(_merged(merged, lambda finding: _statement(finding) if _is_in_program(finding) else None))


def _is_in_program(finding: Finding) -> bool:
    return finding.script.path.endswith(".py")


def _call(finding: Finding) -> Hashable:
    # One safe way is shown for all of them: those for which there is a shorter one are another group.
    return finding.migration, finding.span, _length(finding), "deployments: 1." in finding.help


def _statement(finding: Finding) -> Hashable:
    # A finding about the file has no statement of its own. The hazards of the statements in a DO block are separate; its code of which
    # nothing is known has to be read as a whole.
    is_apart = finding.category == "queries" or finding.in_body != (finding.category == "history")
    place = finding.span if is_apart else finding.statement
    return finding.migration, place, _length(finding)


def _length(finding: Finding) -> int:
    # What breaks one query may take other words than what breaks another; its subject is what a list needs.
    # What a transaction holds grows with each call of a loop.
    own = finding.message.partition(ALSO_HELD)[0]
    return 0 if finding.category == "queries" and finding.subject else len(_words(own))


def _merged(findings: Iterable[Finding], place: Callable[[Finding], Hashable]) -> list[Finding]:
    """Returns the findings, with those of one rule at one place as one; `place` returns None for a finding that stays as it is."""
    groups: list[list[Finding]] = []
    by_key: dict[Hashable, list[list[Finding]]] = {}
    for number, finding in enumerate(findings):
        where = place(finding)
        key = number if where is None else (finding.rule, id(finding.script), finding.severity, where)
        candidates = by_key.setdefault(key, [])
        group = next((group for group in candidates if _are_alike(group[0], finding)), None)
        if group is None:
            group = []
            candidates.append(group)
            groups.append(group)
        group.append(finding)
    return [_one_of(group) if len(group) > 1 else group[0] for group in groups]


def _are_alike(finding: Finding, other: Finding) -> bool:
    """Whether one message can list the subject of the other: it has one, or most of the words are the same."""
    if finding.subject and other.subject:
        return True
    words, other_words = _words(finding.message), _words(other.message)
    return 2 * sum(word == other_word for word, other_word in zip(words, other_words, strict=False)) > len(words)


def _one_of(group: Sequence[Finding]) -> Finding:
    first = group[0]
    return replace(
        first,
        message=first.message + _others(group),
        help=_joined_help(group),
        more=0,
        relations=tuple(dict.fromkeys(relation for finding in group for relation in finding.relations)),
        queries=tuple(dict.fromkeys(query for finding in group for query in finding.queries)),
        lock=max((finding.lock for finding in group if finding.lock is not None), key=lambda lock: lock.strength, default=None),
        places=tuple(sorted({place for finding in group for place in finding.places or (finding.span,)})),
        other_fixes=tuple(
            (finding.span, finding.fix)
            for finding in group[1:]
            if finding.fix and finding.statement == first.statement and finding.span != first.span
        ),
    )


def _others(group: Sequence[Finding]) -> str:
    """Returns the end of the message that lists the others, or all if one call is made several times."""
    subjects = _subjects(group)
    if _is_in_program(group[0]) and len({finding.span for finding in group}) == 1 and len({finding.statement for finding in group}) > 1:
        objects = list(dict.fromkeys(subject for subject in subjects if subject))
        return f"; this call does so {len(group)} times, for {_listed(objects)}" if objects else ""
    first_line = _line(group[0])
    _, of, table = subjects[0].rpartition(" of ")
    same_table = f"{of}{table}" if of else "\n"
    places: dict[str, None] = {}
    for finding, whole in zip(group[1:], subjects[1:], strict=True):
        line = _line(finding)
        subject = whole.removesuffix(same_table)
        place = f"line {line}" if not subject else subject if line == first_line else f"{subject} (line {line})"
        if place not in (subjects[0], f"line {first_line}"):
            places[place] = None
    return f"; the same is true of {_listed(list(places), sum(finding.more for finding in group))}" if places else ""


def _listed(names: Sequence[str], more: int = 0) -> str:
    """Returns the first names and how many others there are, of which `more` are not among the names."""
    unnamed = len(names[_MOST_NAMED:]) + more
    return ", ".join(names[:_MOST_NAMED]) + (f" and {unnamed} more" if unnamed else "")


def _line(finding: Finding) -> int:
    return finding.script.position(finding.span.start).line


def _joined_help(group: Sequence[Finding]) -> str:
    """Returns the safe way of all: together if they are few, else that of the first."""
    helps = list(dict.fromkeys(finding.help for finding in group if finding.help))
    if len(helps) < 2:
        return group[0].help
    mark = "#" if _is_in_program(group[0]) else "--"
    if len(helps) <= _MOST_HELPS and not any("deployments: 1." in help or "first deploy" in help for help in helps):
        in_one = not any("next migration" in help for help in helps)
        return "\n".join(helps) if in_one else join_migrations(*helps)
    others, number = len(helps) - 1, sum(1 + finding.more for finding in group)
    return _with_line(helps[0], f"{mark} for the first of {number}, and likewise for the other{'s' if others > 1 else ''}:")


def _with_line(help: str, line: str) -> str:
    """Returns a safe way with a line at its beginning, below the one that says how many deployments it takes."""
    first, _, rest = help.partition("\n")
    return "\n".join((first, line, rest) if "deployments: 1." in first and rest else (line, help))


def _subjects(group: Sequence[Finding]) -> list[str]:
    """Returns what each finding is about: its subject, the relation that the others do not have, or the first word in which the messages
    differ; empty if there is none."""
    common = set.intersection(*(set(finding.relations) for finding in group))
    words = [_words(finding.message) for finding in group]
    position = next((number for number, same in enumerate(zip(*words, strict=False)) if len(set(same)) > 1), None)
    subjects = []
    for finding, message in zip(group, words, strict=True):
        own = next((relation for relation in finding.relations if relation not in common), "")
        differing = message[position].strip("'\"`") if position is not None else ""
        subjects.append(finding.subject or own or differing)
    return subjects


def _words(message: str) -> list[str]:
    return _WORD.findall(message)


def _with_queries(finding: Finding, queries: Sequence[NamedQuery]) -> Finding:
    """Returns a finding about the first of several queries, with the others."""
    others = [str(query) for query in queries if query not in finding.queries]
    noun = "the query" if len(others) == 1 else f"{len(others)} other queries:"
    also = f"; the same is true of {noun} {_listed(others)}" if others else ""
    return replace(finding, message=finding.message + also, queries=tuple(queries))


def _merged_causes(findings: Sequence[Finding]) -> list[Finding]:
    """Returns the findings, with those of one rule and one cause as the first of them, which names the lines of the others in its migration,
    and says in how many migrations there are others."""
    groups: dict[Hashable, list[Finding]] = {}
    for finding in findings:
        if finding.cause:
            groups.setdefault((finding.rule, finding.cause), []).append(finding)
    result = []
    for finding in findings:
        if not finding.cause:
            result.append(finding)
        elif (group := groups.pop((finding.rule, finding.cause), None)) is None:
            continue
        elif finding.category == "queries":
            result.append(_with_queries(finding, list(dict.fromkeys(query for each in group for query in each.queries))))
        else:
            result.append(replace(finding, message=finding.message + _others_of_cause(group)))
    return result


def _others_of_cause(group: Sequence[Finding]) -> str:
    """Returns the end of the message of the first finding of one cause, about the others."""
    first, *others = group
    here = [finding for finding in others if _migration(finding) == _migration(first)]
    lines = list(dict.fromkeys(line for finding in here if (line := _line(finding)) != _line(first)))
    parts = [f"line{'' if len(lines) == 1 else 's'} {_listed([str(line) for line in lines])}"] if lines else []
    number = len({_migration(finding) for finding in others} - {_migration(first)})
    parts += [f"{number} other migration{'' if number == 1 else 's'}"] if number else []
    return f"; the same is true of {' and of '.join(parts)}" if parts else ""


def _migration(finding: Finding) -> Hashable:
    return finding.script.path, finding.migration
