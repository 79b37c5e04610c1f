"""How a query reads its tables: which of them an index serves, and which are read as a whole for a few rows.

A table is *found* if an index leads to few of its rows, from values of the query or from the rows of tables that are found. A table that is not
found, although a condition selects few of its rows, is un-indexed: PostgreSQL reads all of it.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from migsafe.expressions.queries.shapes import Compare, Condition, Either, Nested, Ref, Shape
from migsafe.schema.objects import Relation, RelationKind
from migsafe.workload.alternatives import Part, alternatives_of, known_alternatives, selects_few
from migsafe.workload.binding import Binder
from migsafe.workload.equivalence import derived_values
from migsafe.workload.filters import filter_of
from migsafe.workload.immutability import with_mutable_key
from migsafe.workload.joins import join_conditions
from migsafe.workload.lookups import Lookups
from migsafe.workload.needs import CandidateIndex, Conversion, TableAccess
from migsafe.workload.optional import has_optional, with_values
from migsafe.workload.ordering import of_extreme, wanted_order
from migsafe.workload.proposals import (
    finds_rows_late,
    index_of_equalities,
    index_of_order,
    index_of_window,
    is_selective,
    may_select_many,
)
from migsafe.workload.pushing import PushedConditions
from migsafe.workload.scopes import BoundSource, Level
from migsafe.workload.semijoins import conditions_of_exists, joined_queries, leading
from migsafe.workload.serving import Service, services
from migsafe.workload.terms import OUTER, ROW_PLACE, Strength, Term, Terms, conjuncts
from migsafe.workload.whole_reads import TableRead, compared


class _Table(Struct):
    """A table of one level: its terms, the conditions on it, its alternatives (the parts of each OR). `served` is the
    index that leads to its rows, `candidates` those that would if they existed; `has_place` if the query knows their ctid."""

    at: int
    source: BoundSource
    relation: Relation
    conditions: list[Condition]
    terms: list[Term]
    alternatives: list[list[Part]]
    services: list[Service] = []
    served: Service | None = None
    candidates: tuple[CandidateIndex, ...] = ()
    has_place: bool = False


class _Around(Struct, frozen=True, kw_only=True):
    """What surrounds a query: whether the rows of the queries around are `found`, so that a value of them leads to few rows; whether it is run
    for `many` of them, if it refers to them; whether only its first row matters (`exists`); and how many of those around are run for many."""

    found: bool = True
    many: bool = False
    exists: bool = False
    repetitions: int = 0


def table_accesses(catalog: Lookups, binder: Binder, root: Level) -> Iterator[TableAccess]:
    """Returns how a query reads each of its tables. A query with optional conditions is read with their values, but what is missing without
    them counts first."""
    usual = compared(list(_Accesses(catalog, binder, root).of(root, _Around())))
    if not has_optional(root):
        yield from usual
        return
    given = compared(list(_Accesses(catalog, binder, root, with_values=True).of(root, _Around())))
    for access, known in zip(usual, given, strict=True):
        is_optional = bool(known.candidates) and not access.is_unindexed
        yield access if access.is_unindexed else replace(known, is_unindexed=False, is_optional=is_optional)


class _Accesses:
    def __init__(self, catalog: Lookups, binder: Binder, root: Level, *, with_values: bool = False) -> None:
        self.with_values = with_values
        self.optional: set[Condition] = set()
        self.catalog = catalog
        self.binder = binder
        self.pushed = PushedConditions(root)
        self.few: dict[int, bool] = {}

    def of(self, level: Level, around: _Around) -> Iterator[TableRead]:
        """Returns how a level and those within it read their tables."""
        tables, found = self._found(level, outer_found=around.found)
        refers = any(OUTER in term.others for table in tables for term in table.terms)
        repetitions = around.repetitions + (around.many and refers)
        ends_early = _ends_early(level.shape) or (around.exists and not refers and not level.shape.grouped)
        for table in tables:
            is_whole = table.at not in found and table.served is None and not ends_early
            is_large = table.at not in found and table.served is not None and not ends_early
            access = _access(table)
            if is_whole and not table.candidates:
                access = replace(access, conversion=self._conversion(level, table))
            yield TableRead(access=access, is_whole=is_whole, is_large=is_large, repetitions=repetitions)
        self.pushed.push(
            level,
            Terms(self.catalog, self.binder, level),
            self._conditions(level),
            lambda source: self._found(level, outer_found=around.found, without=source)[1],
        )
        within = replace(around, exists=False, repetitions=repetitions)
        for inner in level.inner:
            yield from self.of(inner, within)
        for at, source in enumerate(level.sources):
            if source.level is not None and not source.is_cte:
                many = not found.issuperset(range(at)) if source.shape.lateral else around.many
                yield from self.of(source.level, replace(within, many=many))
        joined = joined_queries(level.shape)
        everything = set(range(len(level.sources)))
        own = found >= everything
        for number, nested in enumerate(level.nested):
            # PostgreSQL joins with a query after IN or EXISTS; any other query in an expression it runs once for each row.
            if number in joined:
                if not joined[number] and self._is_found_without(level, number, around.found):
                    self.pushed.push_compared(nested)
                found_first = own and (not joined[number] or self._found_without(level, number, around.found) >= everything)
                yield from self.of(nested, _Around(found=found_first, exists=joined[number], repetitions=repetitions))
            else:
                yield from self.of(nested, _Around(many=not own, repetitions=repetitions))
        # All that refers to them comes before, so that its conditions are known.
        for inner in level.ctes:
            yield from self.of(inner, within)

    def _conversion(self, level: Level, table: _Table) -> Conversion | None:
        """Returns why an index of a table is not used, if a comparison converts its first column."""
        for column, type_name in Terms(self.catalog, self.binder, level).converted(table.at, table.conditions):
            for index in self.catalog.indexes(table.relation.oid):
                first = table.relation.column_numbered(index.keys[0].column) if index.keys[0].column is not None else None
                if first is not None and first.name == column and index.valid and index.predicate is None:
                    return Conversion(column=column, type=str(type_name), index=index.name)
        return None

    def _is_found_without(self, level: Level, number: int, outer_found: bool) -> bool:
        """Whether the row whose column is on the left side of IN is found by other conditions than that IN. If the query after IN leads to few
        rows, no index is missing for those conditions."""
        terms = Terms(self.catalog, self.binder, level)
        compared = (each for each in conjuncts(level.shape.where) if isinstance(each, Compare) and each.right == Nested(number))
        owners = {terms.owner(each.left) for each in compared if isinstance(each.left, Ref)}
        return bool(owners) and owners <= self._found_without(level, number, outer_found, proposes=not self._leads(level, number))

    def _found_without(self, level: Level, number: int, outer_found: bool, *, proposes: bool = True) -> set[int]:
        """Returns the elements of FROM that are found without a query after IN or EXISTS."""
        return self._found(level, outer_found=outer_found, without_query=number, proposes=proposes)[1]

    def is_few(self, level: Level) -> bool:
        """Whether a query has few rows."""
        key = id(level)
        if key not in self.few:
            self.few[key] = True  # a recursive query: as many rows as its first branch
            self.few[key] = self._is_few(level)
        return self.few[key]

    def _is_few(self, level: Level) -> bool:
        shape = level.shape
        if shape.kind == "set":
            return shape.limited or all(self.is_few(inner) for inner in level.inner)
        if shape.kind in ("values", "insert") or shape.limited or not level.sources:
            return shape.kind != "insert" or not level.inner or self.is_few(level.inner[0])
        if shape.grouped and not shape.has_group:
            return True
        tables, found = self._found(level, outer_found=True)
        # A table with a condition that selects few rows has few rows in the result, with an index or without.
        selective = {table.at for table in tables if any(term.strength is Strength.STRONG and not term.others for term in table.terms)}
        return bool(selective | (found - {OUTER}))

    def _found(
        self, level: Level, *, outer_found: bool, without: int | None = None, without_query: int | None = None, proposes: bool = True
    ) -> tuple[list[_Table], set[int]]:
        """Returns the tables of a level, and the numbers of the elements of FROM that are found: `without` one query in FROM, those
        that are not found from its rows; `without_query`, those not found from the rows of a query in an expression. With `proposes`, the
        indexes that are missing find rows, too."""
        terms = Terms(self.catalog, self.binder, level)
        conditions = self._conditions(level)
        self.pushed.push(level, terms, conditions)
        tables: list[_Table] = []
        found: set[int] = {OUTER} if outer_found else set()
        for at, source in enumerate(level.sources):
            if level.shape.kind == "insert":
                break
            if source.is_table and source.relation is not None:
                own = [condition for condition, allowed in conditions if allowed is None or at in allowed]
                alternatives = [alternatives_of(terms, at, condition) for condition in own if isinstance(condition, Either)]
                tables.append(
                    _Table(
                        at, source, source.relation, own, self._graded(level, terms.of(at, own), without_query), [a for a in alternatives if a]
                    )
                )
            elif source.is_unknown or (source.relation is not None and source.level is None):
                if any(term.strength is Strength.STRONG and not term.others for term in terms.of(at, [c for c, _ in conditions])):
                    found.add(at)
            elif at != without and (source.level is None or self.is_few(source.level)):
                found.add(at)
        self._spread(level, terms, tables, found)
        while proposes and self._propose(level, tables, found):
            self._spread(level, terms, tables, found)
        return tables, found

    def _conditions(self, level: Level) -> list[tuple[Condition, set[int] | None]]:
        """Returns the conditions of a level, with those that were moved into it."""
        terms = Terms(self.catalog, self.binder, level)
        where = [*conjuncts(level.shape.where), *self.pushed.into(level)]
        has_outer = any(source.shape.join in ("left", "right", "full") for source in level.sources)
        numbers = range(len(level.sources) if has_outer else 0)
        required = {at for at in numbers if any(term.operator != "is null" for term in terms.of(at, where))}
        where += conditions_of_exists(terms, level)
        conditions = [*((condition, None) for condition in where), *join_conditions(level, required), *of_extreme(level)]
        if self.with_values:
            conditions = list(with_values(terms, conditions, self.optional))
        return [*conditions, *derived_values(terms, conditions)]

    def _graded(self, level: Level, terms: list[Term], without_query: int | None) -> list[Term]:
        """Returns the terms without those that compare with a query of many rows, or with one query."""
        graded: list[Term] = []
        for term in terms:
            if term.query is not None and term.query == without_query:
                continue
            if term.query is not None and term.operator in ("in", "any") and not self._leads(level, term.query):
                continue
            graded.append(term)
        return graded

    def _leads(self, level: Level, number: int) -> bool:
        """Whether a query after IN or EXISTS has few rows; after EXISTS, whatever the row of the query around is."""
        nested = level.nested[number]
        if all(exists.query != number for exists in leading(level)):
            return self.is_few(nested)
        return any(map(_selects_few, self._found(nested, outer_found=False)[0]))

    def _spread(self, level: Level, terms: Terms, tables: list[_Table], found: set[int]) -> None:
        """Finds tables from values, then from the tables that are found. An index that meets only a condition on one of a few values, such as a
        state, serves its table, too, but leads to many rows: no other table is found from these."""
        self._spread_from(level, terms, tables, found, few=True)
        served = found | {table.at for table in tables if table.served is not None}
        self._spread_from(level, terms, [table for table in tables if table.served is None], served, few=False)

    def _spread_from(self, level: Level, terms: Terms, tables: list[_Table], found: set[int], *, few: bool) -> None:
        changed = True
        while changed:
            changed = False
            for table in tables:
                if table.at in found:
                    continue
                usable = [term for term in table.terms if term.others <= found]
                order = wanted_order(level, terms, table.at)
                table.services = services(self.catalog, table.relation, usable, table.conditions, terms.owns(table.at), order)
                # In the order of an index, rows that another table's condition selects come late.
                is_filtered = any(_selects_few(other) for other in tables if other is not table)
                candidates = [each for each in table.services if not (each.ordered and is_filtered and each.strength is Strength.RANGE)]
                of_or = any(map(selects_few, known_alternatives(table.alternatives, found)))
                service = _deciding(candidates, usable, selects_few=of_or) or self._of_alternatives(table, terms, found)
                if few and order is not None and service is not None and service.strength is Strength.WEAK and not service.ordered:
                    # The rows of one of a few values are many: the first of them are cheap only in the order of an index.
                    is_page = may_select_many(table.terms) and self._keeps_order(level, tables, table, terms)
                    service = None if is_page and not finds_rows_late(table.conditions, most_optional=0) else service
                if any(term.subject == ROW_PLACE and term.is_equality for term in usable):
                    table.has_place = True
                    found.add(table.at)
                    changed = True
                elif service is not None and (few or service.strength is Strength.STRONG):
                    table.served = service
                    if service.strength is Strength.STRONG or service.ordered:
                        found.add(table.at)
                        changed = True
                elif few:  # a condition that selects few rows has come with a table that is found
                    table.served = None

    def _of_alternatives(self, table: _Table, terms: Terms, found: set[int]) -> Service | None:
        """An OR is served if an index serves each of its parts."""
        for parts in known_alternatives(table.alternatives, found):
            served = [self._of_part(table, part, terms) for part in parts]
            if all(service is not None for service in served):
                return served[0]
        return None

    def _of_part(self, table: _Table, part: Part, terms: Terms) -> Service | None:
        """Returns the index of one part of an OR, which may meet the conditions beside the OR, too (build_paths_for_OR in indxpath.c)."""
        usable = [*part.terms, *(term for term in table.terms if not term.others)]
        conditions = [*table.conditions, part.condition]
        return _deciding(services(self.catalog, table.relation, usable, conditions, terms.owns(table.at)), usable)

    def _propose(self, level: Level, tables: list[_Table], found: set[int]) -> bool:
        """Finds tables with the indexes that would serve them; returns whether there is any."""
        lacking = [table for table in tables if table.served is None and not table.candidates and not table.has_place]
        for table in lacking:
            candidates = self._candidates(level, tables, table, found)
            table.candidates = tuple(with_mutable_key(self.catalog, table.relation, candidate) for candidate in candidates)
        proposed = {table.at for table in lacking if table.candidates and not any(each.mutable for each in table.candidates)}
        if len(level.sources) > 1:
            # PostgreSQL expects that a window has too many rows to look for those of other tables one by one.
            proposed -= {table.at for table in lacking if table.candidates == self._window(table)}
        found |= proposed
        return bool(proposed)

    def _candidates(self, level: Level, tables: list[_Table], table: _Table, found: set[int]) -> tuple[CandidateIndex, ...]:
        """Returns the indexes that would find a table; none if no condition selects few of its rows."""
        if self.catalog.has_one_row(table.relation.oid):
            return ()
        usable = [term for term in table.terms if term.others <= found and is_selective(term)]
        constant = [term for term in usable if not term.others]
        terms = Terms(self.catalog, self.binder, level)
        optional = {term.subject for term in terms.of(table.at, self.optional)}
        if constant and all(term.subject in optional for term in constant):
            constant = constant[:1]  # any of them may have a value without the others
        proposed = [with_mutable_key(self.catalog, table.relation, index_of_equalities(each)) for each in (constant, usable) if each]
        if proposed:
            return (next((each for each in proposed if not each.mutable), proposed[0]),)
        for parts in known_alternatives(table.alternatives, found):
            if selects_few(parts):
                lacking = [part for part in parts if self._of_part(table, part, terms) is None]
                return tuple(dict.fromkeys(index_of_equalities([term for term in part.terms if is_selective(term)]) for part in lacking))
        order = wanted_order(level, terms, table.at) if self._keeps_order(level, tables, table, terms) else None
        if order is not None and not finds_rows_late(table.conditions):
            return (index_of_order(order, (term for term in table.terms if term.others <= found)),)
        return self._window(table)

    def _window(self, table: _Table) -> tuple[CandidateIndex, ...]:
        """Returns the index that finds the rows of a table between two values."""
        window = index_of_window(table.terms) if table.relation.kind is not RelationKind.MATERIALIZED else None
        return (window,) if window is not None else ()

    def _keeps_order(self, level: Level, tables: list[_Table], table: _Table, terms: Terms) -> bool:
        """Whether PostgreSQL can read a query's rows in the order of one table: each of its rows leads to those of the other tables, which have
        no conditions of their own, or only such that most rows fulfil."""
        others = [other for other in tables if other is not table]
        if len(tables) < len(level.sources) or any(source.shape.join in ("right", "full") for source in level.sources):
            return False
        if level.sources[table.at].shape.join == "left" or any(
            not term.others and not term.selects_most for other in others for term in other.terms
        ):
            return False
        reached, waiting = {table.at}, others
        while waiting:
            lacking = [other for other in waiting if not self._is_reached(other, terms, reached)]
            if len(lacking) == len(waiting):
                return False
            reached |= {other.at for other in waiting if other not in lacking}
            waiting = lacking
        return True

    def _is_reached(self, table: _Table, terms: Terms, reached: set[int]) -> bool:
        """Whether an index leads from rows of other tables to those of a table."""
        usable = [term for term in table.terms if term.others <= reached]
        service = _deciding(services(self.catalog, table.relation, usable, table.conditions, terms.owns(table.at)), usable)
        return service is not None and service.strength is Strength.STRONG


def _access(table: _Table) -> TableAccess:
    weak = max(table.services, key=lambda service: (service.strength, service.keys), default=None)
    service = table.served or weak
    return TableAccess(
        oid=table.relation.oid,
        name=table.relation.name,
        alias=table.source.alias,
        filters=tuple(dict.fromkeys(filter_of(term) for term in table.terms)),
        index=service.index.name if service is not None else None,
        candidates=table.candidates,
    )


def _ends_early(shape: Shape) -> bool:
    """Whether LIMIT ends a query before it has read all rows."""
    return shape.limited and not shape.grouped and not shape.order and not shape.distinct


def _selects_few(table: _Table) -> bool:
    """Whether a condition on a table selects few of its rows, whatever is joined."""
    return any(is_selective(term) and not term.others for term in table.terms)


def _deciding(found: list[Service], terms: list[Term], *, selects_few: bool = False) -> Service | None:
    """Returns the service that leads to few rows: one that meets a strong condition, or finds the rows without a reference. Without strong
    conditions, one that meets a weak one or gives the order is enough, unless an OR of strong ones `selects_few` rows."""
    has_strong = selects_few or any(map(is_selective, terms))
    best = max(found, key=lambda service: (service.strength, service.keys), default=None)
    if best is not None and best.strength is Strength.STRONG:
        return best
    if has_strong:
        return next((service for service in found if service.finds_unset), None)
    ordered = next((service for service in found if service.ordered), None)
    if ordered is not None:
        return ordered
    return best if best is not None and best.strength is Strength.WEAK else None
