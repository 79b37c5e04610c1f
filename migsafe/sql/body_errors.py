"""What is wrong in the body of a routine, and the routine that decides about it."""

from msgspec import Struct

from migsafe.text import Span


class BodyError(Struct, frozen=True):
    """An error in a body, at its place in the body: a syntax error, with what PostgreSQL expects and what it finds; or another one, with the
    server's message in `error`. `is_structure`: PL/pgSQL finds it also while check_function_bodies is off."""

    span: Span
    expected: str = ""
    found: str = ""
    is_structure: bool = False
    error: str = ""


class Routine(Struct, frozen=True):
    """What decides about the RETURN statements and the names in a body. `kind` is `function`, `procedure`, or `block` for DO; `returns` the
    name of the result's type, empty for none; `parameters` are the names of all parameters, also of the columns of RETURNS TABLE."""

    kind: str
    name: str = ""
    returns: str = ""
    returns_set: bool = False
    has_outputs: bool = False
    parameters: tuple[str, ...] = ()

    @property
    def returns_nothing(self) -> bool:
        """Whether a RETURN has no value because there is no result."""
        return self.kind == "block" or (self.kind == "procedure" and not self.has_outputs) or self.returns == "void"


class BodyProblem(Exception):
    """The first error of a body ends its reading."""

    def __init__(self, error: BodyError) -> None:
        self.error = error


class UncertainBodyError(Exception):
    """The reader has met something that it does not know."""
