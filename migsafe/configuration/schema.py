"""The JSON Schema of the configuration, for editors: generated from the types of the configuration.

It is a schema of draft 7, which the TOML language servers of editors read. `python -m migsafe.documentation` writes it to docs/.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect

from migsafe.configuration import NO_KEYS, Configuration
from migsafe.sources import RUNNERS

SITE = "https://example.com/migsafe/docs/"
"""The address of the documentation, as in pyproject.toml; the schemas are files there."""
FILE, PROJECT_FILE = "configuration.schema.json", "pyproject.schema.json"
"""The schema of migsafe.toml, and that of a pyproject.toml with a table for migsafe."""
_DRAFT = "http://json-schema.org/draft-07/schema#"
_OTHER_TABLES = "https://json.schemastore.org/pyproject.json"


def configuration_schema(rules: Sequence[str]) -> dict[str, Any]:
    """Returns the schema of migsafe.toml. Editors offer the names of `rules`; others are valid, because a project can have its own."""
    kind = inspect.type_info(Configuration)
    assert isinstance(kind, inspect.StructType)
    table = _table(kind)
    table["properties"]["runner"]["enum"] = sorted(runner.name for runner in RUNNERS)
    return {
        "$schema": _DRAFT,
        "$id": SITE + FILE,
        "title": "The configuration of migsafe",
        **table,
        "definitions": {
            "rule": {
                "description": "The name of a rule; `migsafe explain NAME` explains it.",
                "anyOf": [{"enum": sorted(rules)}, {"type": "string"}],
            }
        },
    }


def project_schema() -> dict[str, Any]:
    """Returns the schema of pyproject.toml: the usual one, with migsafe's table."""
    return {
        "$schema": _DRAFT,
        "$id": SITE + PROJECT_FILE,
        "title": "pyproject.toml with the configuration of migsafe",
        "allOf": [{"$ref": _OTHER_TABLES}],
        "properties": {"tool": {"properties": {"migsafe": {"$ref": SITE + FILE}}}},
    }


def schema_files(rules: Sequence[str]) -> dict[str, str]:
    """Returns the text of each schema, by the name of its file in docs/."""
    schemas = {FILE: configuration_schema(rules), PROJECT_FILE: project_schema()}
    return {name: msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n" for name, schema in schemas.items()}


def _table(kind: inspect.StructType) -> dict[str, Any]:
    fields = [field for field in kind.fields if field.name not in NO_KEYS]
    required = [_key(field) for field in fields if field.required]
    return {
        "type": "object",
        "properties": {_key(field): _field(field) for field in fields},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _field(field: inspect.Field) -> dict[str, Any]:
    schema = _value(field.type)
    # None, and an empty tuple or table, mean that the key is not set.
    return {**schema, "default": field.default} if isinstance(field.default, str | int) else schema


def _key(field: inspect.Field) -> str:
    return field.name.replace("_", "-")


def _value(kind: inspect.Type) -> dict[str, Any]:
    """Returns the schema of a value. Raises TypeError for a type that the configuration does not have yet."""
    match kind:
        case inspect.Metadata(type=described, extra_json_schema=more):
            return {**_value(described), **(more or {})}
        case inspect.UnionType(types=types):
            # A key that may be unset is the only union here, and TOML has no null.
            [value] = [each for each in types if not isinstance(each, inspect.NoneType)]
            return _value(value)
        case inspect.LiteralType(values=values):
            return {"enum": list(values)}
        case inspect.IntType(ge=least, le=most):
            limits = {"minimum": least, "maximum": most}
            return {"type": "integer", **{name: limit for name, limit in limits.items() if limit is not None}}
        case inspect.StrType():
            return {"type": "string"}
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.VarTupleType(item_type=item):
            return {"type": "array", "items": _value(item)}
        case inspect.DictType(value_type=item):
            return {"type": "object", "additionalProperties": _value(item)}
        case inspect.StructType():
            return _table(kind)
    raise TypeError(f"the configuration has no schema for {kind}")
