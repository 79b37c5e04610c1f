"""Annotations that contain unknown values: those of models and data classes whose types are missing."""

import typing
from typing import Any

from migsafe.rendering.worker.unknown import Unknown

_ANYTHING = "object"


def install_annotations() -> None:
    """Lets `typing` accept unknown values in annotations, for the rest of the process. A string in an annotation is the text of a type, and an
    unknown value is a string."""
    initialise = typing.ForwardRef.__init__

    def init(self: typing.ForwardRef, arg: Any, *arguments: Any, **named: Any) -> None:
        initialise(self, _ANYTHING if isinstance(arg, Unknown) else arg, *arguments, **named)

    typing.ForwardRef.__init__ = init  # type: ignore[method-assign]
