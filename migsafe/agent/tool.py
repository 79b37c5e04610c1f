"""A tool: its name and description, the types of its arguments and of its result, and the function."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from migsafe.agent.workspace import Workspace
from migsafe.errors import ConfigError, MigsafeError, did_you_mean

Progress = Callable[[str], None]
"""A function that receives a text about the current step of a call."""

Paths = Annotated[
    list[str] | None,
    Meta(description="Migration files or folders, relative to the working folder. Default: `migrations` of the project's configuration."),
]
Sql = Annotated[str | None, Meta(description="SQL to check instead of files, as one migration without the history before it.")]
Since = Annotated[str | None, Meta(description="Only migrations that changed since this git revision; the others are history.")]
Changed = Annotated[bool, Meta(description="Only migrations with uncommitted changes; the others are history.")]
PgVersion = Annotated[int | None, Meta(description="The server's major version. Default: that of the configuration.")]


class Problem(Struct, frozen=True, kw_only=True):
    """What could not be done, and what to do about it."""

    message: str
    hint: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """What a tool returns: the typed result, and the same as a short text."""

    result: Struct
    text: str


class Tool(Struct, frozen=True, kw_only=True):
    """A tool. `run` gets an instance of `arguments`, and its answer has a `result`.

    Every tool may execute code of the project (migrations written in Python, its own rules), unless the server runs with --no-exec.
    `runs_sql` if it also executes the SQL; `writes` if it may write files of the project.
    """

    name: str
    title: str
    description: str
    arguments: type[Struct]
    result: type[Struct]
    run: Callable[[Any, Workspace, Progress], Answer]
    runs_sql: bool = False
    writes: bool = False

    def read_arguments(self, values: Mapping[str, Any]) -> Struct:
        """Returns the arguments of a call. Raises ConfigError that names the wrong one."""
        fields = {field.name: field for field in msgspec.structs.fields(self.arguments)}
        for name in values:
            if name not in fields:
                raise ConfigError(f"{self.name}: unknown argument {name}", did_you_mean(name, fields))
        # Some clients write a list as a string.
        listed = {
            name: _listed(value) if isinstance(value, str) and "list" in str(fields[name].type) else value for name, value in values.items()
        }
        try:
            return msgspec.convert(listed, self.arguments)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{self.name}: {error}", f"The arguments are: {', '.join(fields)}.") from error


def _listed(text: str) -> object:
    try:
        values: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        values = None
    return values if isinstance(values, list) else [text]


def json_schema(type: type[Struct]) -> dict[str, Any]:
    """Returns the JSON Schema of a type, with an object at its root, as the protocol requires."""
    (root,), definitions = msgspec.json.schema_components([type], ref_template="#/$defs/{name}")
    schema = {key: value for key, value in definitions.pop(root["$ref"].rpartition("/")[2]).items() if key not in ("title", "description")}
    return {**schema, "additionalProperties": False, **({"$defs": definitions} if definitions else {})}


def problems_of(errors: list[MigsafeError] | tuple[MigsafeError, ...]) -> tuple[Problem, ...]:
    """Returns errors that prevented a part of the work."""
    return tuple(Problem(message=error.message, hint=error.hint) for error in errors)


def problem_lines(problems: tuple[Problem, ...]) -> Iterator[str]:
    """Yields the lines about problems."""
    for problem in problems:
        yield f"could not be checked: {problem.message}"
        if problem.hint:
            yield f"  {problem.hint}"
