"""The declaration of a rule: what it checks, and what reports do with its findings."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, get_args, get_type_hints

from msgspec import Struct

from migsafe.linting.finding import Finding, Severity
from migsafe.sql.operations import Operation

Harm = Literal["", "time"]
Need = Literal["", "revision", "downgrades", "queries"]
FixKind = Literal["", "safe", "unsafe"]


class Rule(Struct, frozen=True):
    """A rule as the engine sees it. `check` is called with every operation of the types in `operations`, including their subclasses, and its
    Context.

    An `off` rule runs only if it is selected. `harm` is `time` if the rule only reports that something takes long on a large table: on a table
    that is known to be small its findings are harmless. A rule that reports a whole migration or transaction `once` is shown for one path
    through a script: at one place for each call, and if its category is `timeouts`, at one place at all, because one setting fixes all. A
    rule that `refuses` reports statements that PostgreSQL does not run: they have no other hazard. A rule `about_file` reports what is wrong
    with a migration's file or its place in the history, also if PostgreSQL does not run the statement at which it reports that.

    `speaks_for` are the rules whose findings say less about the same operation: reports leave those out next to a finding of this rule, and
    with `takes_help` show their safe way instead of this rule's. Both rules report, so that a suppression of one leaves the other's hazard. The
    findings of a rule with `one_per_migration` are one finding that lists the places. `needs` is what a run must have so that the rule can
    report anything: a `revision` of git to compare with, the `downgrades`, or the application's `queries`. A rule `across_migrations` also
    reports what earlier migrations of the transaction (`Context.shared_transaction`) cause.

    `fix` says whether `lint --fix` applies the safe way of its findings: it is `safe` if the migration ends in the same schema, takes no
    stronger or longer lock anywhere, and leaves the same behind when it fails or runs again; `unsafe` if a failure or a second run leaves
    something else behind, if a weaker lock may last longer, or if another deployment is needed, which `unsafe_because` says, as the end of a
    sentence. A finding of a rule with unsafe fixes may have a safe one (`Finding.fix_is_safe`). A rule without a fix says the reason in
    `no_fix`, as the end of a sentence. A fix that `changes_indexes` creates an index that the migration lacks, or omits one.
    """

    name: str
    category: str
    severity: Severity
    documentation: str
    operations: tuple[type[Operation], ...]
    check: Callable[[Any, Any], Finding | Iterable[Finding] | None]
    off: bool = False
    harm: Harm = ""
    once: bool = False
    speaks_for: tuple[str, ...] = ()
    refuses: bool = False
    about_file: bool = False
    one_per_migration: bool = False
    needs: Need = ""
    across_migrations: bool = False
    takes_help: bool = False
    fix: FixKind = ""
    no_fix: str = ""
    unsafe_because: str = ""
    changes_indexes: bool = False

    @property
    def summary(self) -> str:
        """Returns the first line of the documentation."""
        return self.documentation.partition("\n")[0]


def rule(
    *,
    category: str,
    severity: Severity,
    off: bool = False,
    harm: Harm | None = None,
    once: bool = False,
    speaks_for: tuple[str, ...] = (),
    refuses: bool = False,
    about_file: bool = False,
    one_per_migration: bool = False,
    needs: Need = "",
    across_migrations: bool = False,
    takes_help: bool = False,
    fix: FixKind = "",
    no_fix: str = "",
    unsafe_because: str = "",
    changes_indexes: bool = False,
) -> Callable[[Callable[[Any, Any], Any]], Rule]:
    """Declares the function below as a rule. The `harm` of the category locking is `time` by default.

    Raises TypeError for a wrong annotation of its first parameter, or for a fix of an unknown kind.
    """
    if fix not in get_args(FixKind) or (fix and no_fix):
        raise TypeError('a rule has fix="safe", fix="unsafe", or a reason why it has none: no_fix="…"')

    def declare(check: Callable[[Any, Any], Any]) -> Rule:
        parameters = check.__code__.co_varnames[: check.__code__.co_argcount]
        annotated = check.__annotations__.get(parameters[0]) if parameters else None
        if isinstance(annotated, str):
            annotated = get_type_hints(check)[parameters[0]]
        operations = get_args(annotated) or (annotated,)
        if not all(isinstance(operation, type) and issubclass(operation, Operation) for operation in operations):
            raise TypeError(f"the first parameter of {check.__name__} must be annotated with operations, as in `op: CreateTable`")
        return Rule(
            name=check.__name__.replace("_", "-"),
            category=category,
            severity=severity,
            documentation=(check.__globals__["__doc__"] or "").strip(),
            operations=operations,
            check=check,
            off=off,
            harm=harm if harm is not None else "time" if category == "locking" else "",
            once=once,
            speaks_for=speaks_for,
            refuses=refuses,
            about_file=about_file,
            one_per_migration=one_per_migration,
            needs=needs,
            across_migrations=across_migrations,
            takes_help=takes_help,
            fix=fix,
            no_fix=no_fix,
            unsafe_because=unsafe_because,
            changes_indexes=changes_indexes,
        )

    return declare
