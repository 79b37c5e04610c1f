"""Where in a script the SQL of a call is written: the string literals that it comes from."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from migsafe.rendering.worker.script_file import ScriptFile, TextRange
from migsafe.rendering.worker.string_parts import Hole, Part, Piece, expression_parts
from migsafe.text import TextSegment

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<parameter>(?<![:\w\\]):[A-Za-z_]\w*(?![:\w])|%s|%\(\w+\)s)|(?P<colon>\\(?=:))|(?P<percent>%%?)|[^\s:\\%;]+|.",
    re.DOTALL,
)
_FIRST_WORD = re.compile(r"\s*([^\s:\\%;]+)")
_END = " \t\r\n;"
_DEEPEST = 4
_MIN_LETTERS = 6
"""How many letters of SQL a literal with holes needs to be recognized."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef | None


class _Token(NamedTuple):
    """A word of a literal: what the SQL has for it (`texts`, the first that fits), and its range in the file."""

    texts: tuple[str, ...]
    start: int
    end: int
    is_space: bool = False


class _Value(NamedTuple):
    """A value that a name of a function (None: of the module) gets, and the function in which the value is written."""

    name_scope: _Function
    node: ast.expr
    scope: _Function


class SqlPositions:
    """The string literals of one script, and how its calls reach them."""

    def __init__(self, file: ScriptFile) -> None:
        self._file = file
        self._nodes: dict[tuple[int, int], tuple[ast.AST, _Function]] = {}
        self._values: dict[str, list[_Value]] = {}
        self._parts: dict[ast.expr, list[Part] | None] = {}
        self._calls: list[tuple[str, ast.Call, _Function]] = []
        self._functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._found: dict[tuple[str, TextRange], tuple[TextSegment, ...]] = {}
        self._visit(file.tree, None)
        self._bind_parameters()

    def segments(self, sql: str, call: TextRange) -> tuple[TextSegment, ...]:
        """Returns the places in the file of the SQL that a call sends; none if they are not certain."""
        key = (sql, call)
        if key not in self._found:
            node, function = self._nodes.get(call, (None, None))
            self._found[key] = tuple(self._located(node, function, sql, call[0]) or ()) if node is not None and sql else ()
        return self._found[key]

    def _visit(self, node: ast.AST, function: _Function) -> None:
        """Records the calls, and the values that names get, with the function that they are in."""
        for child in ast.iter_child_nodes(node):
            inner = function
            match child:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    inner = self._functions[child.name] = child
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                    self._nodes[self._file.node_range(child)] = child, function
                    self._calls.append((name, child, function))
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._assign(target, value, function)
                case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
                    self._assign(target, value, function)
                case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                    self._assign(target, value, function)
            self._visit(child, inner)

    def _assign(self, target: ast.expr, value: ast.expr, function: _Function) -> None:
        for name in ast.walk(target):
            if isinstance(name, ast.Name):
                self._values.setdefault(name.id, []).append(_Value(function, value, function))

    def _bind_parameters(self) -> None:
        """Records the arguments of the script's own functions as values of their parameters."""
        for name, call, caller in self._calls:
            function = self._functions.get(name)
            if function is None:
                continue
            for parameter, argument in zip((*function.args.posonlyargs, *function.args.args), call.args, strict=False):
                self._values.setdefault(parameter.arg, []).append(_Value(function, argument, caller))
            for keyword in call.keywords:
                if keyword.arg is not None:
                    self._values.setdefault(keyword.arg, []).append(_Value(function, keyword.value, caller))

    def _located(self, node: ast.AST, function: _Function, sql: str, before: int, depth: int = 0) -> list[TextSegment] | None:
        """Returns the segments of the SQL in the literals of a node; of several literals with this text, in the last one before an offset."""
        seen: set[ast.AST] = set()
        matches: dict[tuple[int, int], list[TextSegment]] = {}
        waiting: list[tuple[ast.AST, _Function]] = [(node, function)]
        while waiting and not matches:
            named: list[tuple[ast.AST, _Function]] = []
            for root, scope in waiting:
                for expression, where in self._expressions(root, scope, seen, named):
                    segments = self._matched(expression, where, sql, depth)
                    if segments:
                        matches[self._file.node_range(expression)] = segments
            waiting = named
        if len(matches) > 1:
            preceding = [place for place in matches if place[0] <= before or depth]
            return matches[max(preceding)] if preceding and not depth else None
        return next(iter(matches.values()), None)

    def _expressions(
        self, root: ast.AST, function: _Function, seen: set[ast.AST], named: list[tuple[ast.AST, _Function]]
    ) -> Iterator[tuple[ast.expr, _Function]]:
        """Yields the string expressions in a node, and adds the values of the names in it to `named`."""
        if root in seen:
            return
        seen.add(root)
        if isinstance(root, ast.expr) and self._parts_of(root) is not None:
            yield root, function
            return
        if isinstance(root, ast.Name | ast.Attribute):
            values = self._values.get(root.id if isinstance(root, ast.Name) else root.attr, [])
            own = [value for value in values if value.name_scope is function]
            named += [(value.node, value.scope) for value in own or values]
        if isinstance(root, ast.Call) and isinstance(root.func, ast.Name) and root.func.id in self._functions:
            returning = self._functions[root.func.id]
            named += [(statement, returning) for statement in returning.body]
        for child in ast.iter_child_nodes(root):
            yield from self._expressions(child, function, seen, named)

    def _parts_of(self, node: ast.expr) -> list[Part] | None:
        if node not in self._parts:
            self._parts[node] = expression_parts(self._file, node)
        return self._parts[node]

    def _matched(self, node: ast.expr, function: _Function, sql: str, depth: int) -> list[TextSegment] | None:
        parts = self._parts_of(node) or []
        literal = self._file.node_range(node)[0]
        pieces = [part for part in parts if isinstance(part, Piece)]
        if len(pieces) == len(parts):
            exact = _exact(pieces, sql)
            if exact is not None:
                return [segment._replace(literal=literal) for segment in exact]
        elif sum(character.isalpha() for piece in pieces for character in piece.text) < _MIN_LETTERS and not depth:
            return None
        filled = _filled(parts, sql) if _begins_like(parts, sql) else None
        if filled is None:
            return None
        segments: list[TextSegment] = []
        for segment, hole in filled:
            inner = None
            text = sql[segment.sql_start : segment.sql_end]
            if hole is not None and hole.value is not None and depth < _DEEPEST and " " in text.strip():
                inner = self._located(hole.value, function, text, hole.start, depth + 1)
            if inner is not None:
                segments += (part.moved(segment.sql_start) for part in inner)
            else:
                segments.append(segment._replace(literal=literal))
        return _joined(segments)


def sql_segments(file: ScriptFile, sql: str, call: TextRange) -> tuple[TextSegment, ...]:
    """Returns the places in a script of the SQL that a call sends; none if they are not certain."""
    words = sql.split(None, 1)
    # SQL that Alembic or SQLAlchemy writes is not in the script: most scripts need no look at their literals.
    return _positions(file).segments(sql, call) if words and words[0] in file.text else ()


@lru_cache(maxsize=1)
def _positions(file: ScriptFile) -> SqlPositions:
    """Returns the literals of a script, which are the same in all its runs."""
    return SqlPositions(file)


def _exact(pieces: Sequence[Piece], sql: str) -> list[TextSegment] | None:
    """Returns the segments of SQL that is one part of a literal, or all of it, exactly."""
    text = "".join(piece.text for piece in pieces)
    wanted = sql.strip(_END)
    start = text.find(wanted)
    if not wanted or start < 0 or text.find(wanted, start + 1) >= 0:
        return None
    shift = sql.find(wanted) - start
    segments, done = [], 0
    for piece in pieces:
        first, last = max(done, start), min(done + len(piece.text), start + len(wanted))
        if first < last:
            if piece.is_plain:
                segments.append(TextSegment(first + shift, last + shift, piece.start + first - done, piece.start + last - done))
            else:
                segments.append(TextSegment(first + shift, last + shift, piece.start, piece.end))
        done += len(piece.text)
    return segments


def _begins_like(parts: Sequence[Part], sql: str) -> bool:
    """Whether SQL begins with the first word of a literal, unless that begins with a hole. It is much faster than comparing all words, and a
    script can have hundreds of literals."""
    first = parts[0] if parts else None
    word = _FIRST_WORD.match(first.text) if isinstance(first, Piece) else None
    return word is None or sql.lstrip().startswith(word[1])


def _filled(parts: Sequence[Part], sql: str) -> list[tuple[TextSegment, Hole | None]] | None:
    """Returns the segments of SQL that is a literal with its holes filled and its white space changed. A hole has one segment."""
    runs, holes = _runs(parts)
    end = len(sql.rstrip(_END))
    position = len(sql) - len(sql.lstrip())
    segments: list[tuple[TextSegment, Hole | None]] = []
    for number, run in enumerate(runs):
        is_last = number == len(runs) - 1
        found = _find(run, sql, position, end, anchored=number == 0, to_end=is_last)
        if found is None:
            return None
        if number:
            hole = holes[number - 1]
            stop = found[0].sql_start if found else (end if is_last else position)
            if stop > position:
                segments.append((TextSegment(position, stop, hole.start, hole.end), hole))
            position = stop
        segments += [(segment, None) for segment in found]
        position = found[-1].sql_end if found else position
    return segments if any(hole is None for _, hole in segments) else None


def _runs(parts: Sequence[Part]) -> tuple[list[list[_Token]], list[Hole]]:
    """Returns the words of the literal as runs between holes, and the holes."""
    runs: list[list[_Token]] = [[]]
    holes: list[Hole] = []
    for kind, group in groupby(parts, key=type):
        if kind is Hole:
            for hole in group:
                holes.append(Hole(*hole))
                runs.append([])
            continue
        pieces = [Piece(*piece) for piece in group]
        text = "".join(piece.text for piece in pieces)
        places = [place for piece in pieces for place in _character_places(piece)]
        for match in _TOKEN.finditer(text):
            start, end = places[match.start()][0], places[match.end() - 1][1]
            if match["parameter"]:
                holes.append(Hole(start, end))
                runs.append([])
            elif match["space"]:
                runs[-1].append(_Token((), start, end, is_space=True))
            else:
                texts = (match[0], "") if match["colon"] else ("%%", "%") if match["percent"] else (match[0],)
                runs[-1].append(_Token(texts, start, end))
    _strip_end(runs[-1])
    return runs, holes


def _character_places(piece: Piece) -> list[tuple[int, int]]:
    """Returns the range in the file of each character."""
    if not piece.is_plain:
        return [(piece.start, piece.end)] * len(piece.text)
    return [(start, start + 1) for start in range(piece.start, piece.end)]


def _strip_end(run: list[_Token]) -> None:
    """Removes the white space and the semicolon at the end of a literal, which need not be sent."""
    while run and (run[-1].is_space or run[-1].texts == (";",)):
        run.pop()


def _find(run: Sequence[_Token], sql: str, position: int, end: int, *, anchored: bool, to_end: bool) -> list[TextSegment] | None:
    """Returns the segments of the first place from `position` on where the words follow each other; None if there is none. `anchored`: only
    at the position itself; `to_end`: only where they reach the end."""
    words = [token for token in run if not token.is_space]
    if not words:
        return []
    first = words[0].texts[-1]
    leading = run[run.index(words[0]) :]
    while True:
        start = position if anchored else sql.find(first, position, end)
        if start < 0:
            return None
        segments = _words_at(leading, sql, start, end)
        if segments is not None and (not to_end or segments[-1].sql_end == end):
            return segments
        if anchored:
            return None
        position = start + 1


def _words_at(run: Sequence[_Token], sql: str, position: int, end: int) -> list[TextSegment] | None:
    segments = []
    for token in run:
        if token.is_space:
            after = position
            while after < end and sql[after].isspace():
                after += 1
            if after == position < end:
                return None
            position = after
            continue
        text = next((text for text in token.texts if sql.startswith(text, position, end)), None)
        if text is None:
            return None
        if text:
            segments.append(TextSegment(position, position + len(text), token.start, token.end))
        position += len(text)
    return segments


def _joined(segments: Sequence[TextSegment]) -> list[TextSegment]:
    """Returns the segments with those as one that are equally far apart in the SQL and in the file."""
    joined: list[TextSegment] = []
    for segment in segments:
        last = joined[-1] if joined else None
        distance = segment.file_start - segment.sql_start
        if last is not None and last.is_plain and segment.is_plain and last.file_start - last.sql_start == distance:
            joined[-1] = last._replace(sql_end=segment.sql_end, file_end=segment.file_end)
        else:
            joined.append(segment)
    return joined
