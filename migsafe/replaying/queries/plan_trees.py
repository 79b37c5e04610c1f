"""Plans as EXPLAIN returns them: which relations they read completely, and with which indexes."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from migsafe.sql.operations import Name

_WHOLE = ("Sort", "Hash", "SetOp", "WindowAgg", "ModifyTable", "Materialize", "Bitmap Heap Scan", "CTE Scan")


class FullRead(Struct, frozen=True):
    """A relation that a plan reads completely; `index` is the name of the index that it reads for this, empty for the table itself."""

    relation: Name
    index: str = ""


class Plan(Struct, frozen=True):
    """A generic plan: the estimated total cost, in PostgreSQL's units, and the tree of nodes as EXPLAIN (VERBOSE, FORMAT JSON) returns it."""

    cost: float
    tree: dict[str, Any]

    def nodes(self) -> Iterator[dict[str, Any]]:
        """Yields all nodes, those nearest to the root first."""
        yield from _nodes(self.tree)

    @property
    def full_reads(self) -> frozenset[FullRead]:
        """The relations that it reads completely: without a LIMIT that ends the reading early."""
        return frozenset(_full_reads(self.tree, is_limited=False))

    @property
    def indexes(self) -> frozenset[str]:
        """The names of the indexes that it uses."""
        return frozenset(node["Index Name"] for node in self.nodes() if "Index Name" in node)

    @property
    def relations(self) -> frozenset[Name]:
        """The tables that it reads, and those that it writes."""
        return frozenset(relation_of(node) for node in self.nodes() if "Relation Name" in node)

    def indexes_of(self, relation: Name) -> frozenset[str]:
        """Returns the names of the indexes by which it finds rows of a relation."""
        found: set[str] = set()
        for node in self.nodes():
            if "Relation Name" in node and relation_of(node) == relation and full_read(node) is None:
                found.update(inner["Index Name"] for inner in _nodes(node) if "Index Name" in inner)
        return frozenset(found)


class Unexplained(Struct, frozen=True):
    """Why PostgreSQL cannot plan a query: the SQLSTATE and the primary message. `is_accepted` if it accepts the query when it is prepared."""

    sqlstate: str
    message: str
    is_accepted: bool = True

    def __str__(self) -> str:
        return f"{self.message} ({self.sqlstate})" if self.sqlstate else self.message


def relation_of(node: dict[str, Any]) -> Name:
    """Returns the relation that a node of a plan reads or writes."""
    return Name(node["Relation Name"], node.get("Schema"))


def full_read(node: dict[str, Any]) -> FullRead | None:
    """Returns the relation that a node reads completely; None if it reads none, or finds rows with an index."""
    match node["Node Type"]:
        case "Seq Scan":
            return FullRead(relation_of(node))
        case "Index Scan" | "Index Only Scan" if "Index Cond" not in node and "Order By" not in node:
            return FullRead(relation_of(node), node["Index Name"])
    return None


def _full_reads(node: dict[str, Any], *, is_limited: bool) -> Iterator[FullRead]:
    read = full_read(node)
    if read is not None and not is_limited:
        yield read
    is_limited = node["Node Type"] == "Limit" or (is_limited and not needs_all_rows(node))
    for inner in node.get("Plans", ()):
        yield from _full_reads(inner, is_limited=is_limited)


def needs_all_rows(node: dict[str, Any]) -> bool:
    """Whether a node reads all rows of the nodes below it before it returns the first one."""
    return node["Node Type"] in _WHOLE or (node["Node Type"] == "Aggregate" and node.get("Strategy") != "Sorted")


def _nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for inner in tree.get("Plans", ()):
        yield from _nodes(inner)
