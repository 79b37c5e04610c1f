"""CPython's stack frames and bytecode: where a script is, and how it uses a value.

All code of the worker that reads frames or bytecode is here. See docs/architecture.md; tests/rendering/test_canaries.py checks each assumption.
"""

import dis
import sys
from functools import cache
from types import CodeType, FrameType
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Any)

TextPoint = tuple[int, int]
"""A line, counted from 1, and a column, counted in bytes of UTF-8; -1 where the column is unknown."""

_UNPACK_SEQUENCE = dis.opmap["UNPACK_SEQUENCE"]
_UNPACK_EX = dis.opmap["UNPACK_EX"]
_FIND_AND_LOAD = "_find_and_load"
IMPORTLIB_FILE = "<frozen importlib._bootstrap_external>"
"""The file name of the code that searches folders for modules."""


_TRANSPARENT: set[CodeType] = set()


def transparent(function: Function) -> Function:
    """Declares that a function stands for an operation of its caller: `caller` never returns its frame."""
    _TRANSPARENT.add(function.__code__)
    return function


def caller(depth: int = 1) -> FrameType:
    """Returns the frame of the function that called the caller of this one; with a larger `depth`, an outer frame."""
    return _visible(sys._getframe(depth + 1)) or sys._getframe(depth + 1)


def calling_frame(frame: FrameType) -> FrameType | None:
    """Returns the frame that called a frame, without those of functions that stand for an operation."""
    return _visible(frame.f_back)


def _visible(frame: FrameType | None) -> FrameType | None:
    while frame is not None and frame.f_code in _TRANSPARENT:
        frame = frame.f_back
    return frame


def frame_of_thread(identity: int) -> FrameType | None:
    """Returns the innermost frame of another thread."""
    return sys._current_frames().get(identity)


def unpack_count(frame: FrameType) -> int | None:
    """Returns the number of names that a value is unpacked into, if the frame has just asked for its iterator to unpack it (`a, b = value`).
    A name with a star counts once."""
    code, position = frame.f_code.co_code, frame.f_lasti
    while code[position] == dis.EXTENDED_ARG:
        position += 2
    count = code[position + 1]
    for shift in (8, 16, 24):
        prefix = position - shift // 4
        if prefix < 0 or code[prefix] != dis.EXTENDED_ARG:
            break
        count |= code[prefix + 1] << shift
    if code[position] == _UNPACK_EX:
        return (count & 0xFF) + 1 + (count >> 8)  # the names before and after the one with the star
    return count if code[position] == _UNPACK_SEQUENCE else None


def instruction_points(code: CodeType) -> list[tuple[TextPoint, TextPoint]]:
    """Returns where the source of each instruction begins and ends."""
    return [
        ((line or 0, column if column is not None else -1), (end_line or 0, end_column if end_column is not None else -1))
        for line, end_line, column, end_column in code.co_positions()
    ]


def instruction_number(frame: FrameType, offset: int | None = None) -> int:
    """Returns the number of the instruction at a byte offset of the frame's code; by default, of the one that runs."""
    return max(frame.f_lasti if offset is None else offset, 0) // 2


def current_point(frame: FrameType) -> TextPoint:
    """Returns where the source of the instruction that a frame runs begins."""
    return _points(frame.f_code)[instruction_number(frame)][0]


@cache
def _points(code: CodeType) -> list[tuple[TextPoint, TextPoint]]:
    return instruction_points(code)


def is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported in the frame or in an outer one."""
    while frame is not None:
        if frame.f_code.co_name == _FIND_AND_LOAD:
            return True
        frame = frame.f_back
    return False


def is_importlib(frame: FrameType) -> bool:
    """Whether the frame belongs to Python's search for modules in folders."""
    return frame.f_code.co_filename == IMPORTLIB_FILE
