"""Where in a script the SQL of a call is written: the string literals that it comes from."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from migsafe.rendering.worker.script_file import ScriptFile, TextRange
from migsafe.rendering.worker.string_parts import Hole, Part, Piece, expression_parts
from migsafe.text import TextSegment

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<parameter>(?<![:\w\\]):[A-Za-z_]\w*(?![:\w])|%s|%\(\w+\)s)|(?P<colon>\\(?=:))|(?P<percent>%%?)|[^\s:\\%]+|.", re.DOTALL
)
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


class SqlPositions:
    """The literals of one script."""

    def __init__(self, file: ScriptFile) -> None:
        self._file = file
        self._nodes: dict[tuple[int, int], tuple[ast.AST, _Function]] = {}
        self._values: dict[str, list[tuple[_Function, ast.expr]]] = {}
        self._parts: dict[ast.expr, list[Part] | None] = {}
        self._calls: list[tuple[str, ast.Call]] = []
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
                    inner = child
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                    self._nodes[self._file.node_range(child)] = child, function
                    self._calls.append((name, child))
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
                self._values.setdefault(name.id, []).append((function, value))

    def _bind_parameters(self) -> None:
        """Records the arguments of the script's own functions as values of their parameters."""
        functions = {node.name: node for node in ast.walk(self._file.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        for name, call in self._calls:
            function = functions.get(name)
            if function is None:
                continue
            for parameter, argument in zip((*function.args.posonlyargs, *function.args.args), call.args, strict=False):
                self._values.setdefault(parameter.arg, []).append((function, argument))
            for keyword in call.keywords:
                if keyword.arg is not None:
                    self._values.setdefault(keyword.arg, []).append((function, keyword.value))

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
            own = [(where, value) for where, value in values if where is function]
            named += [(value, where) for where, value in own or values]
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
        filled = _filled(parts, sql)
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


@lru_cache(maxsize=1)
def sql_positions(file: ScriptFile) -> SqlPositions:
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
    for part in parts:
        if isinstance(part, Hole):
            holes.append(part)
            runs.append([])
            continue
        for match in _TOKEN.finditer(part.text):
            place = (part.start + match.start(), part.start + match.end()) if part.is_plain else (part.start, part.end)
            if match["parameter"]:
                holes.append(Hole(*place))
                runs.append([])
            elif match["space"]:
                if not (runs[-1] and runs[-1][-1].is_space):
                    runs[-1].append(_Token((), *place, is_space=True))
            else:
                texts = (match[0], "") if match["colon"] else ("%%", "%") if match["percent"] else (match[0],)
                runs[-1].append(_Token(texts, *place))
    while runs[-1] and (runs[-1][-1].is_space or runs[-1][-1].texts[0].strip(_END) == ""):
        runs[-1].pop()
    if runs[-1] and len(runs[-1][-1].texts) == 1:
        last = runs[-1][-1]
        word = last.texts[0].rstrip(_END)
        runs[-1][-1] = last._replace(texts=(word,), end=last.end - len(last.texts[0]) + len(word))
    return runs, holes


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
        if last is not None and last.is_plain and segment.is_plain and segment.file_start - last.file_start == segment.sql_start - last.sql_start:
            joined[-1] = last._replace(sql_end=segment.sql_end, file_end=segment.file_end)
        else:
            joined.append(segment)
    return joined
