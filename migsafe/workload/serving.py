"""The index that serves the conditions of a query on one table."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from migsafe.expressions.queries.shapes import Condition, Several, Value
from migsafe.schema.objects import Index, Key, Relation, RelationKind
from migsafe.sql.operations import TypeName
from migsafe.workload.conditions import Owns, compared_with_constants, is_implied, key_subject, types_of
from migsafe.workload.lookups import Lookups
from migsafe.workload.terms import Strength, Term

_RANGES = frozenset(("<", "<=", ">", ">="))
_ARRAY = frozenset(("&&", "@>", "<@", "="))
_JSONB = frozenset(("@>", "?", "?|", "?&", "@?", "@@"))
_JSONB_PATHS = frozenset(("@>", "@?", "@@"))
_TRIGRAMS = frozenset(("like", "ilike", "~", "~*", "%", "="))
_RANGE_TYPES = frozenset(("&&", "@>", "<@", "=", "<<", ">>", "&<", "&>", "-|-"))
_PATTERN_OPCLASSES = frozenset(("text_pattern_ops", "varchar_pattern_ops", "bpchar_pattern_ops"))


Subjects = Sequence[str | None]
"""What the keys of an index compare, in the spelling of `subject_of`."""


class Service(Struct, frozen=True):
    """How an index meets the conditions: the strength of the best of them, and the number of its keys that are met; `ordered` if it gives the
    order of ORDER BY … LIMIT, `finds_unset` if its first key finds the rows without a reference, which are few in most tables."""

    index: Index
    strength: Strength
    keys: int = 0
    ordered: bool = False
    finds_unset: bool = False


OrderKeys = tuple[tuple[str, bool, bool], ...]
"""Keys of an order: subject, descending, NULLs first."""


class Order(Struct, frozen=True):
    """The keys of ORDER BY."""

    keys: OrderKeys


def services(
    catalog: Lookups,
    table: Relation,
    terms: Sequence[Term],
    conditions: Sequence[Condition],
    owns: Owns,
    order: Order | None = None,
) -> list[Service]:
    """Returns the indexes of a table that meet its conditions, or give the order; of a partitioned table, also those that each partition has
    by itself."""
    found: list[Service] = []
    for index in catalog.indexes(table.oid):
        if not index.valid:
            continue
        subjects = [key_subject(key, table, catalog.shapes) for key in index.keys]
        service = _service(index, subjects, table, terms, order)
        by_predicate = _of_predicate(catalog, index, table, terms)
        if service is None or (by_predicate is not None and service.strength < by_predicate.strength and not service.ordered):
            service = by_predicate
        if service is not None and (index.predicate is None or is_implied(index, table, conditions, owns, types_of(table), catalog.shapes)):
            found.append(service)
    if table.kind is RelationKind.PARTITIONED:
        found += _of_partitions(catalog, table, terms, conditions, owns, order)
    return found


def _of_predicate(catalog: Lookups, index: Index, table: Relation, terms: Sequence[Term]) -> Service | None:
    """Returns the service of a partial index that contains only the rows of a rare state that the query names. PostgreSQL reads all of such an
    index, whatever its keys are, in place of the table (build_index_paths in indxpath.c)."""
    if index.predicate is None or index.method != "btree":
        return None
    rare = {term.subject for term in terms if names_rare_state(term)}
    met = rare & compared_with_constants(index, table, catalog.shapes) if rare else rare
    finds_unset = any(term.is_unset and term.subject in met for term in terms)
    return Service(index, Strength.WEAK, finds_unset=finds_unset) if met else None


def names_rare_state(term: Term) -> bool:
    """Whether a condition demands NULL, or constants that few rows have. Of the values of a boolean it is not known which one is rare."""
    if term.strength is not Strength.WEAK:
        return False
    if term.operator == "is null":
        return True
    values = term.value.elements if isinstance(term.value, Several) else (term.value,)
    return term.operator in ("=", "in", "any") and all(isinstance(value, Value) and value.text not in ("true", "false") for value in values)


def _of_partitions(
    catalog: Lookups, table: Relation, terms: Sequence[Term], conditions: Sequence[Condition], owns: Owns, order: Order | None
) -> list[Service]:
    """Returns the service of the partition that is served worst; nothing if an index is missing on one of them, or none is known."""
    served = [services(catalog, partition, terms, conditions, owns, order) for partition in catalog.children(table.oid)]
    best = [max(each, key=lambda service: (service.strength, service.keys)) for each in served if each]
    return [min(best, key=lambda service: (service.strength, service.keys))] if best and len(best) == len(served) else []


def _service(index: Index, subjects: Subjects, table: Relation, terms: Sequence[Term], order: Order | None) -> Service | None:
    match index.method:
        case "btree":
            return _of_btree(index, subjects, table, terms, order)
        case "hash":
            subject = subjects[0]
            return _best(index, (term for term in terms if term.subject == subject and term.operator in ("=", "in", "any")))
        case "gin":
            return _of_operators(index, subjects, table, terms, _gin_operators)
        case "gist" | "spgist":
            return _of_operators(index, subjects[:1], table, terms, _gist_operators)
    return None  # BRIN reads whole ranges of blocks: few rows only if the values follow the order of the rows


def _best(index: Index, terms: Iterable[Term]) -> Service | None:
    strengths = [term.strength for term in terms]
    return Service(index, max(strengths), 1) if strengths else None


def _of_btree(index: Index, subjects: Subjects, table: Relation, terms: Sequence[Term], order: Order | None) -> Service | None:
    strengths: list[Strength] = []
    equal: set[str] = set()
    for position, (key, subject) in enumerate(zip(index.keys, subjects, strict=True)):
        own = [term for term in terms if term.subject == subject]
        equalities = [term.strength for term in own if term.is_equality]
        if equalities:
            strengths.append(max(equalities))
            equal.add(str(subject))
            continue
        pattern = any(_is_prefix(term) and _sorts_by_bytes(key, table) for term in own)
        bounds = {term.operator[0] for term in own if term.operator in _RANGES}
        if pattern or len(bounds) == 2:
            strengths.append(Strength.WEAK)
        elif bounds:
            later = any(term.operator in _RANGES and term.subject in subjects[position + 1 :] for term in terms)
            strengths.append(Strength.WEAK if equal and later else Strength.RANGE)
        if bounds:
            # Within a range of the first keys, single values of later ones are looked for in the index.
            strengths += [term.strength for term in terms if term.is_equality and term.subject in subjects[position + 1 :]]
        break
    ordered = order is not None and _gives_order(index, subjects, order, equal)
    if not strengths and not ordered:
        return None
    if strengths and index.unique and len(equal) == len(index.keys):
        strengths.append(Strength.STRONG)
    finds_unset = any(term.is_unset and term.subject == subjects[0] for term in terms)
    return Service(index, max(strengths, default=Strength.RANGE), len(strengths), ordered, finds_unset)


def _gives_order(index: Index, subjects: Subjects, order: Order, equal: set[str]) -> bool:
    """Whether the keys of an index that have no single value begin with the first key of ORDER BY; the others are sorted within its equal
    values (incremental sort, PostgreSQL 13)."""
    wanted = [key for key in order.keys if key[0] not in equal]
    if not wanted:
        return True
    subject, descending, nulls_first = wanted[0]
    for key, own in zip(index.keys, subjects, strict=True):
        if own in equal and own != subject:
            continue
        if own != subject:
            return False
        backward = key.descending != descending
        own_nulls = key.descending if key.nulls_first is None else key.nulls_first
        return (own_nulls != backward) == nulls_first
    return False


def _is_prefix(term: Term) -> bool:
    """LIKE with a constant that begins with other characters than wildcards."""
    value = term.value
    return term.operator == "like" and isinstance(value, Value) and value.text[:1] not in ("", "%", "_")


def _sorts_by_bytes(key: Key, table: Relation) -> bool:
    if key.opclass is not None:
        return key.opclass.name in _PATTERN_OPCLASSES
    column = table.column_numbered(key.column) if key.column is not None else None
    collation = key.collation or (column.collation if column is not None else None)
    return collation is not None and collation.name in ("C", "POSIX", "ucs_basic", "pg_c_utf8")


def _of_operators(
    index: Index, subjects: Subjects, table: Relation, terms: Sequence[Term], operators: Callable[[Key, TypeName | None], frozenset[str]]
) -> Service | None:
    types = types_of(table)
    for key, subject in zip(index.keys, subjects, strict=False):
        if subject is None:
            continue
        known = operators(key, types(subject))
        met = [term for term in terms if term.subject == subject and term.operator in known]
        if met:
            strong = max(term.strength for term in met)
            return Service(index, max(strong, Strength.WEAK), 1)
    return None


def _gin_operators(key: Key, type_name: TypeName | None) -> frozenset[str]:
    opclass = key.opclass.name if key.opclass is not None else ""
    if opclass == "gin_trgm_ops":
        return _TRIGRAMS
    if opclass == "jsonb_path_ops":
        return _JSONB_PATHS
    if opclass == "jsonb_ops" or (type_name is not None and type_name.name == "jsonb" and not type_name.dimensions):
        return _JSONB
    if type_name is not None and type_name.dimensions:
        return _ARRAY
    if type_name is not None and type_name.name == "tsvector":
        return frozenset(("@@",))
    return _JSONB | _ARRAY  # an expression, or a scalar with btree_gin


def _gist_operators(key: Key, type_name: TypeName | None) -> frozenset[str]:
    if key.opclass is not None and key.opclass.name == "gist_trgm_ops":
        return _TRIGRAMS
    if type_name is not None and type_name.name == "tsvector":
        return frozenset(("@@",))
    return _RANGE_TYPES | frozenset(("in", "any"))
