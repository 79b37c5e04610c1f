"""The statements that change rows (InsertStmt, UpdateStmt, DeleteStmt, MergeStmt in PostgreSQL's grammar), and the complete cursor."""

from collections.abc import Sequence

from migsafe.sql import features
from migsafe.sql.grammar.queries import SET_OPERATIONS, Queries
from migsafe.sql.operations.running import Delete, Insert, Merge, Update
from migsafe.sql.operations.values import Expression, Operation, Query


class Parser(Queries):
    """A cursor that reads everything that statements share: names, types, expressions, queries, and changes of rows."""

    __slots__ = ()

    def row_statement(self) -> Operation | Query:
        """Read a query or a statement that changes rows, with its WITH. The operations of data-modifying statements in WITH join `nested`."""
        start, reads, calls = self.i, len(self.reads), len(self.calls)
        hidden, locks = self.ctes, self.row_locks
        self.row_locks = None
        if self.words[self.i] == "with":
            self.with_clause()
        statement: Operation | Query
        match self.words[self.i]:
            case "insert":
                statement = self._insert(start, reads, calls)
            case "update":
                statement = self._update(start, reads, calls)
            case "delete":
                statement = self._delete(start, reads, calls)
            case "merge":
                statement = self._merge(start, reads, calls)
            case _:
                statement = self._query_from(start, reads, calls)
        self.ctes, self.row_locks = hidden, locks
        return statement

    def preparable(self) -> None:
        """Skip a query or a statement that changes rows, and add its operation to `nested`."""
        statement = self.row_statement()
        if isinstance(statement, Operation):
            self.nested.append(statement)
        elif statement.row_locks is not None:
            self.row_locks = [*(self.row_locks or ()), *statement.row_locks]

    def _insert(self, start: int, reads: int, calls: int) -> Insert:
        self.expect("insert", "into")
        table = self.qualified("a table")
        if self.accept("as"):
            self.name("an alias")
        targets: Sequence[tuple[str, bool]] = ()
        if self.words[self.i] == "(" and not self.at_query():
            targets = self.in_parentheses(self._target)
        overriding = self._overriding()
        own = len(self.reads)
        source, given = ("default", ()) if self.accept("default", "values") else self._insert_source()
        if self.filtered:
            self.narrow_with(reads, own)
        whole = self.whole_since(reads) if source == "query" else ()
        conflict = None
        if self.accept("on", "conflict"):
            conflict = self._on_conflict()
        self._returning()
        return Insert(
            self.span(start),
            table=table,
            source=source,
            columns=tuple(name for name, _ in targets),
            names_parts=not all(is_whole for _, is_whole in targets),
            given=given,
            overriding=overriding,
            repeated=_repeated(targets),
            on_conflict=conflict,
            reads=tuple(self.reads[reads:]),
            calls=tuple(self.calls[calls:]),
            whole=whole,
        )

    def _overriding(self) -> str | None:
        if not self.accept("overriding"):
            return None
        overriding = self.expect_any("user", "system")
        self.expect("value")
        return overriding

    def _insert_source(self) -> tuple[str, tuple[int, ...]]:
        """Read the rows, and return what kind of source they have, and the positions with other values than DEFAULT."""
        if not self.accept("values"):
            self.query()
            return "query", ()
        given = self.rows()
        compound = self.words[self.i] in SET_OPERATIONS
        self._after_operand()
        return ("query", ()) if compound else ("values", tuple(sorted(given)))

    def _target(self) -> tuple[str, bool]:
        """Read a column that gets a value, and whether it is the whole column, not an element or a field of it."""
        name, end = self.name("a column"), self.i
        self.indirection()
        return name, self.i == end

    def _on_conflict(self) -> str:
        if self.words[self.i] == "(":
            self.i += 1
            while True:
                self.a_expr()
                if self.at_name():
                    self.qualified("an operator class")
                if not self.accept(","):
                    break
            self.expect(")")
            if self.accept("where"):
                self.a_expr()
        elif self.accept("on", "constraint"):
            self.name("a constraint")
        self.expect("do")
        if self.accept("nothing"):
            return "nothing"
        if self.accept("select"):
            self.uses(features.CONFLICT_SELECT)
            if self.accept("for") and not (self.accept("no", "key", "update") or self.accept("key", "share")):
                self.expect_any("update", "share")
            if self.accept("where"):
                self.a_expr()
            return "select"
        self.expect("update", "set")
        self._assignments()
        if self.accept("where"):
            self.a_expr()
        return "update"

    def _assignments(self) -> tuple[list[tuple[str, bool]], tuple[str, ...]]:
        """Read assignments, and return their targets, and the columns that are set to DEFAULT, or to a row that contains a DEFAULT."""
        targets: list[tuple[str, bool]] = []
        defaults: list[str] = []
        while True:
            own = self.in_parentheses(self._target) if self.words[self.i] == "(" else [self._target()]
            self.expect("=")
            start = self.i
            self.a_expr()
            if "default" in self.words[start : self.i]:
                defaults += [name for name, _ in own]
            targets += own
            if not self.accept(","):
                return targets, tuple(defaults)

    def _returning(self) -> None:
        if not self.accept("returning"):
            return
        if self.at("with", "("):
            self.uses(features.RETURNING_OLD_NEW, self.i)
            self.i += 2
            while True:
                self.expect_any("old", "new")
                self.expect("as")
                self.name()
                if not self.accept(","):
                    break
            self.expect(")")
        start = self.i
        self.targets()
        self._old_or_new(start)

    def _old_or_new(self, start: int) -> None:
        """Note OLD and NEW in RETURNING, from token `start` on. In a rule, and as an alias, the words have another meaning."""
        words = self.words
        for i in range(start, self.i):
            word = words[i]
            if word in ("old", "new") and words[i + 1] == "." and words[i - 1] != "." and "rule" not in words[:4]:
                if not any(words[j] == word and words[j + 1] != "." for j in range(self.last)):
                    self.uses(features.RETURNING_OLD_NEW, i)
                return

    def _update(self, start: int, reads: int, calls: int) -> Update:
        self.expect("update")
        only = self.words[self.i] == "only"
        table = self.relation()
        self._portion()
        self._target_alias()
        self.expect("set")
        targets, defaults = self._assignments()
        if self.accept("from"):
            self.from_list()
        where, cursor = self._where_or_current_of()
        self._returning()
        return Update(
            self.span(start),
            table=table,
            columns=tuple(name for name, _ in targets),
            defaults=defaults,
            repeated=_repeated(targets),
            where=where,
            current_of=cursor,
            only=only,
            reads=tuple(self.reads[reads:]),
            calls=tuple(self.calls[calls:]),
        )

    def _delete(self, start: int, reads: int, calls: int) -> Delete:
        self.expect("delete", "from")
        only = self.words[self.i] == "only"
        table = self.relation()
        self._portion()
        self._target_alias()
        if self.accept("using"):
            self.from_list()
        where, cursor = self._where_or_current_of()
        self._returning()
        return Delete(
            self.span(start),
            table=table,
            where=where,
            current_of=cursor,
            only=only,
            reads=tuple(self.reads[reads:]),
            calls=tuple(self.calls[calls:]),
        )

    def _portion(self) -> None:
        """Read FOR PORTION OF column FROM … TO …, or with a range in parentheses."""
        if not self.accept("for", "portion", "of"):
            return
        self.uses(features.PORTION_OF)
        self.name("a column")
        if self.accept("from"):
            self.a_expr()
            self.expect("to")
            self.a_expr()
            return
        self.expect("(")
        self.a_expr()
        self.expect(")")

    def _target_alias(self) -> None:
        if self.accept("as") or (self.at_name() and self.words[self.i] != "set"):
            self.name("an alias")

    def _where_or_current_of(self) -> tuple[Expression | None, str | None]:
        if not self.accept("where"):
            return None, None
        if self.accept("current", "of"):
            return None, self.name("a cursor")
        return self.expression(), None

    def _merge(self, start: int, reads: int, calls: int) -> Merge:
        self.expect("merge", "into")
        self.uses(features.MERGE, self.i - 2)
        only = self.words[self.i] == "only"
        table = self.relation()
        if self.words[self.i] != "using":
            self._target_alias()
        self.expect("using")
        self.table_reference()
        self.expect("on")
        self.a_expr()
        actions: list[str] = []
        while self.accept("when"):
            actions.append(self._merge_when())
        if not actions:
            self.fail("WHEN")
        if self.at("returning"):
            self.uses(features.MERGE_RETURNING, self.i)
        self._returning()
        return Merge(
            self.span(start), table=table, actions=tuple(actions), only=only, reads=tuple(self.reads[reads:]), calls=tuple(self.calls[calls:])
        )

    def _merge_when(self) -> str:
        absent = self.accept("not")
        self.expect("matched")
        if absent and self.accept("by"):
            absent = self.expect_any("source", "target") == "target"
            self.uses(features.MERGE_BY_SOURCE)
        if self.accept("and"):
            self.a_expr()
        self.expect("then")
        word = self.expect_any("insert", "do") if absent else self.expect_any("update", "delete", "do")
        if word == "do":
            self.expect("nothing")
            return "do nothing"
        if word == "update":
            self.expect("set")
            self._assignments()
        elif word == "insert":
            if self.words[self.i] == "(":
                self.in_parentheses(self._target)
            self._overriding()
            if not self.accept("default", "values"):
                self.expect("values", "(")
                self.expressions()
                self.expect(")")
        return word


def _repeated(targets: Sequence[tuple[str, bool]]) -> str | None:
    """Returns the first column that is named twice as a whole: elements of an array may be set one by one."""
    whole = [name for name, is_whole in targets if is_whole]
    return next((name for number, name in enumerate(whole) if name in whole[:number]), None)
