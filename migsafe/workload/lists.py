"""Lists of values of any length, reduced to one value of each form: `IN ($1, $2, $3)` is one query with `IN ($1)`."""

from migsafe.sql import lexer
from migsafe.workload.tokens import Token

_OPENING = {"(": ")", "[": "]"}
_CONSTANTS = ("TRUE", "FALSE", "NULL")

_Item = list[Token]


def merge_lists(tokens: list[Token]) -> list[Token]:
    """Returns the tokens of a masked query with one value of each form in the lists of IN and ARRAY, and one row in VALUES."""
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        result.append(token)
        at += 1
        opening = tokens[at].text if at < len(tokens) else ""
        if token.is_word("VALUES") and opening == "(":
            rows, at = _rows(tokens, at)
            _append(result, _distinct([[Token(lexer.PUNCTUATION, "("), *row, Token(lexer.PUNCTUATION, ")")] for row in rows]))
        elif (token.is_word("IN") and opening == "(") or (token.is_word("ARRAY") and opening == "["):
            end = _end(tokens, at)
            items = _items(tokens[at + 1 : end])
            if end < len(tokens) and all(_is_value(item) for item in items):
                result.append(tokens[at])
                _append(result, _distinct(items))
                result.append(tokens[end])
                at = end + 1
    return result


def _append(result: list[Token], items: list[_Item]) -> None:
    for number, item in enumerate(items):
        if number:
            result.append(Token(lexer.PUNCTUATION, ","))
        result += item


def _end(tokens: list[Token], start: int) -> int:
    """Returns the index of the parenthesis or bracket that closes the one at `start`; the number of tokens if there is none."""
    depth = 0
    for index in range(start, len(tokens)):
        text = tokens[index].text
        if text in _OPENING:
            depth += 1
        elif text in (")", "]"):
            depth -= 1
            if not depth:
                return index
    return len(tokens)


def _items(tokens: list[Token]) -> list[_Item]:
    """Returns what the commas of a list divide."""
    items: list[_Item] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text in _OPENING) - (token.text in (")", "]"))
        if token.text == "," and not depth:
            items.append([])
        else:
            items[-1].append(token)
    return items


def _rows(tokens: list[Token], at: int) -> tuple[list[_Item], int]:
    """Returns the rows of VALUES from the parenthesis at `at` on, without their parentheses, and the index after them. A constant that is
    all of a value is masked."""
    rows = []
    while True:
        end = _end(tokens, at)
        row: list[Token] = []
        _append(row, [_masked(item) for item in _items(merge_lists(tokens[at + 1 : end]))])
        rows.append(row)
        at = end + 1
        if at + 1 >= len(tokens) or tokens[at].text != "," or tokens[at + 1].text != "(":
            return rows, min(at, len(tokens))
        at += 1


def _masked(item: _Item) -> _Item:
    return [Token(lexer.PARAMETER, "")] if len(item) == 1 and item[0].is_word(*_CONSTANTS) else item


def _distinct(items: list[_Item]) -> list[_Item]:
    """Returns the first item of each form."""
    first: dict[tuple[str, ...], _Item] = {}
    for item in items:
        first.setdefault(tuple("$" if token.kind == lexer.PARAMETER else token.text for token in item), item)
    return list(first.values())


def _is_value(item: _Item) -> bool:
    """Whether an item is a parameter or a constant, perhaps with a cast, or a row of such items."""
    if len(item) > 2 and item[0].text == "(" and item[-1].text == ")":
        return all(_is_value(inner) for inner in _items(item[1:-1]))
    if not item or not (item[0].kind == lexer.PARAMETER or item[0].is_word(*_CONSTANTS)):
        return False
    return len(item) == 1 or item[1].text == "::"
