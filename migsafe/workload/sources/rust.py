"""The macros of sqlx in Rust: where a query is sent, which `.sqlx` does not say."""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from msgspec import msgpack

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.text import Script
from migsafe.workload.query import CallSite
from migsafe.workload.sources.files import ProjectFiles
from migsafe.workload.sources.sqlx import Places

_MOST_FILES = 5_000
_MACRO = lazy_pattern(r"\bquery(?P<kind>_as|_scalar|_file|_file_as|_file_scalar)?(?:_unchecked)?!\s*[({]\s*")
_TYPE = lazy_pattern(r"[^,\"]{0,300}?,\s*(?=r?#*\")")
_LITERAL = lazy_pattern(r'r(?P<hashes>#*)"(?P<raw>.*?)"(?P=hashes)|"(?P<plain>(?:[^"\\]|\\.)*)"', re.DOTALL)
_PLUS = lazy_pattern(r"\s*\+\s*")
_COMMENTS = lazy_pattern(r"(?:\s|//[^\n]*)*")
_ESCAPE = lazy_pattern(r"\\(?:\r?\n\s*|u\{(?P<code>[0-9a-fA-F_]+)\}|(?P<character>.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_FUNCTION = lazy_pattern(r"\bfn\s+(\w+)")


_Macro = tuple[str, int, str]
"""The text of a query, the line of its macro, and the function around it."""
_DECODER = msgpack.Decoder(list[_Macro])


def macro_places(files: ProjectFiles, folder: str) -> Places:
    """Returns where the macros below a folder are that contain a query, by its text. Files that cannot be read are left out."""
    places: dict[str, list[CallSite]] = defaultdict(list)
    names = [name for name in files.below(folder) if name.endswith(".rs")]
    for name in names[:_MOST_FILES]:
        try:
            text = files.read(name)
        except UnreadableError:
            continue
        if "query" not in text:
            continue
        # What query_file! names is in another file.
        macros = (
            _macros(files, name, text) if "query_file" in text else files.kept(("rust",), text, partial(_macros, files, name, text), _DECODER)
        )
        for query, line, function in macros:
            places[query].append(CallSite(name, line, function))
    return {query: tuple(each) for query, each in places.items()}


def _macros(files: ProjectFiles, name: str, text: str) -> list[_Macro]:
    script = Script(name, text)
    return [(query, script.position(start).line, _function(text, start)) for query, start in _queries(files, name, text)]


def _queries(files: ProjectFiles, name: str, text: str) -> Iterator[tuple[str, int]]:
    """Yields the queries of a file's macros, each with its offset."""
    for macro in _MACRO.finditer(text):
        at = _COMMENTS.match(text, macro.end()).end()  # type: ignore[union-attr]  # it matches everywhere
        kind = macro["kind"] or ""
        if kind.endswith("_as") and (of := _TYPE.match(text, at)):
            at = of.end()
        parts = []
        while literal := _LITERAL.match(text, at):
            parts.append(literal["raw"] if literal["raw"] is not None else _ESCAPE.sub(_unescaped, literal["plain"]))
            plus = _PLUS.match(text, literal.end())
            if plus is None:
                break
            at = plus.end()
        if not parts:
            continue
        if not kind.startswith("_file"):
            yield "".join(parts), macro.start()
        elif (file := _file(files, name, parts[0])) is not None:
            yield file, macro.start()


def _file(files: ProjectFiles, name: str, path: str) -> str | None:
    """Returns the text of the file that query_file! names: relative to the folder of Cargo.toml."""
    folder = name
    while folder:
        folder = folder.rpartition("/")[0]
        if files.is_file(f"{folder}/Cargo.toml".lstrip("/")):
            file = f"{folder}/{path}".lstrip("/")
            if files.is_file(file):
                return files.read(file)
    return None


def _unescaped(match: re.Match[str]) -> str:
    if match["code"]:
        return chr(int(match["code"].replace("_", ""), 16))
    return _ESCAPED.get(match["character"], match["character"]) if match["character"] else ""


def _function(text: str, start: int) -> str:
    """Returns the name of the function before an offset."""
    found = _FUNCTION.findall(text, max(0, start - 4000), start)
    return found[-1] if found else ""
