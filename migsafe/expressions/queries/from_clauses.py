"""The elements of FROM, read from sqlglot's trees."""

from msgspec.structs import replace
from sqlglot import exp

from migsafe.expressions.queries.collecting import Collector, NotUnderstoodError
from migsafe.expressions.queries.operands import query_of, type_text
from migsafe.expressions.queries.output_names import output_name
from migsafe.expressions.queries.shapes import AroundJoin, Call, Shape, Source
from migsafe.expressions.trees import folded_name


class SourceReader(Collector):
    """Reads FROM and its joins."""

    def new(self) -> "SourceReader":
        """Returns a reader of another query."""
        raise NotImplementedError

    def shape(self, sources: list[Source]) -> Shape:
        """Returns the query `SELECT * FROM …`."""
        raise NotImplementedError

    def add_source(self, node: exp.Expr, sources: list[Source], **fields: object) -> None:
        """Adds an element of FROM, with the joins that are nested in it."""
        alias, columns = alias_of(node)
        types = _alias_types(node)
        common: dict[str, object] = {"alias": alias, "columns": columns, "closed": bool(types), "types": types, **fields}
        match node:
            case exp.Table(this=exp.Identifier()) if not node.args.get("rows_from"):
                schema = folded_name(node.args["db"]) if node.args.get("db") else None
                self.collect(node.args.get("sample"))
                sources.append(
                    _source(kind="table", name=folded_name(node.this), schema=schema, **common, sampled=bool(node.args.get("sample")))
                )
                self.joins(node, sources)
            case exp.Subquery() if alias is None and _is_join_in_parentheses(node):
                # The joins in parentheses come first, but their own element has the kind of the join around it.
                self.add_source(node.this, sources, **fields)
                self.joins(node, sources)
            case exp.Subquery() if _is_join_in_parentheses(node):
                inner = self.new()
                nested: list[Source] = []
                inner.add_source(node.this, nested)
                inner.joins(node, nested)
                query = inner.shape(nested)
                sources.append(_source(kind="query", query=query, **common))
            case exp.Subquery() | exp.Values():
                sources.append(_source(kind="query", query=self.read_inner(_without_alias(node)), **common))
                if isinstance(node, exp.Subquery):
                    self.joins(node, sources)
            case exp.Lateral(this=exp.Subquery()):
                sources.append(_source(kind="query", query=self.read_inner(query_of(node.this)), lateral=True, **common))
            case exp.Lateral() | exp.Unnest() | exp.Table():
                sources.append(self._function(node, common))
                if isinstance(node, exp.Table | exp.Unnest):
                    self.joins(node, sources)
            case _:
                raise NotUnderstoodError(f"{type(node).__name__} in FROM is not understood")

    def _function(self, node: exp.Expr, common: dict[str, object]) -> Source:
        before = len(self.refs)
        if node.args.get("rows_from"):
            self.collect([function.this for function in node.args["rows_from"]])
        else:
            self.collect(node.expressions if isinstance(node, exp.Unnest) else node.this)
        arguments = tuple(self.refs[before:])
        del self.refs[before:]
        called = node.this if isinstance(node.this, exp.Expr) else node
        if isinstance(node, exp.Table) and node.args.get("db") and isinstance(called, exp.Anonymous):
            self.calls = [call for call in self.calls if call.name != called.name.lower()]
            self.calls.append(Call(called.name.lower(), folded_name(node.args["db"]), len(called.expressions)))
        name = called.name.lower() if isinstance(called, exp.Anonymous) else output_name(called) if isinstance(called, exp.Func) else None
        offset = node.args.get("offset")
        if isinstance(offset, exp.Identifier):
            names = common["columns"]
            assert isinstance(names, tuple)
            common = {**common, "columns": (*names, folded_name(offset))}
        call = self.calls[-1] if isinstance(called, exp.Anonymous) and self.calls else None
        common["alias"] = common["alias"] or name
        return _source(kind="function", arguments=arguments, lateral=True, call=call, **common)

    def joins(self, node: exp.Expr, sources: list[Source]) -> None:
        """Adds the elements that are joined with an element of FROM, or with all that are there."""
        for join in node.args.get("joins") or ():
            before = len(sources)
            side, kind = str(join.args.get("side") or "").lower(), str(join.args.get("kind") or "").lower()
            on = join.args.get("on")
            using = tuple(folded_name(column.this if isinstance(column, exp.Column) else column) for column in join.args.get("using") or ())
            natural = str(join.args.get("method") or "").lower() == "natural"
            style = side or ("cross" if kind == "cross" or (on is None and not using and not natural) else "inner")
            self.add_source(join.this, sources, join=style, using=using, natural=natural)
            if on is not None:
                start = len(self.refs)
                self.collect(on)
                refs = tuple(self.refs[start:])
                del self.refs[start:]
                # ON sees all that this join adds, so it belongs to the last of them; the kind of the join belongs to the first.
                condition = self.operands.condition(on)
                added = len(sources) - before
                last = sources[-1] if added > 1 else sources[before]
                around = (*last.around, AroundJoin(style, added, condition))
                last = replace(last, around=around) if added > 1 else replace(last, on=condition)
                sources[-1 if added > 1 else before] = replace(last, refs=(*last.refs, *refs))


def alias_of(node: exp.Expr) -> tuple[str | None, tuple[str, ...]]:
    """Returns the alias of an element of FROM or of a WITH query, and its column names."""
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return None, ()
    columns = [column.this if isinstance(column, exp.ColumnDef) else column for column in alias.args.get("columns") or ()]
    return folded_name(alias.this) if alias.this is not None else None, tuple(folded_name(column) for column in columns)


def _alias_types(node: exp.Expr) -> tuple[str | None, ...]:
    alias = node.args.get("alias")
    columns = alias.args.get("columns") or () if isinstance(alias, exp.TableAlias) else ()
    if not any(isinstance(column, exp.ColumnDef) for column in columns):
        return ()
    return tuple(
        type_text(column.args["kind"]) if isinstance(column, exp.ColumnDef) and column.args.get("kind") else None for column in columns
    )


def _is_join_in_parentheses(node: exp.Subquery) -> bool:
    """Whether parentheses in FROM contain elements of FROM (a table, or a query with an alias or a join), and not a query."""
    inner = node.this
    return isinstance(inner, exp.Table) or (isinstance(inner, exp.Subquery) and bool(inner.args.get("alias") or inner.args.get("joins")))


def _source(**fields: object) -> Source:
    return Source(**fields)  # type: ignore[arg-type]  # the fields of Source


def _without_alias(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Subquery) and not node.args.get("limit") and not node.args.get("order") else node
