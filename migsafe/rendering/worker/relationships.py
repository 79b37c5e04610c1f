"""Relationships and foreign keys of models that cannot be configured here, because a class, table or condition that they name is unknown.

SQLAlchemy would refuse all models of the application. The SQL of scripts rarely depends on a relationship, so such a relationship is left out.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import NoReferencedTableError
from sqlalchemy.orm import RelationshipProperty
from sqlalchemy.sql import util

from migsafe.rendering.messages import DATABASE_ONLY
from migsafe.rendering.worker.guards import Forbidden
from migsafe.rendering.worker.unknown import Unknown, UnknownOwner


def leave_out_unknown_relationships(owner: UnknownOwner) -> None:
    """Lets SQLAlchemy continue without a relationship that cannot be configured, for the rest of the process. Its objects are unknown, as rows
    are."""
    RelationshipProperty.init = _leaving_out(RelationshipProperty.init, owner)  # type: ignore[method-assign]
    vars(util)["sort_tables"] = _accepting_unknown_tables(util.sort_tables)


def _leaving_out(init: Callable[..., None], owner: UnknownOwner) -> Any:
    def call(self: RelationshipProperty[Any]) -> None:
        try:
            init(self)
        except Forbidden:
            raise
        except Exception:  # an unknown value in it may fail in many ways
            _leave_out(self, owner)

    return call


def _accepting_unknown_tables(sort: Callable[..., Any]) -> Callable[..., Any]:
    # The order in which a session writes the tables of a mapper.
    def call(tables: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return sort(tables, *arguments, **named)
        except NoReferencedTableError:
            return list(tables)

    return call


def _leave_out(relationship: RelationshipProperty[Any], owner: UnknownOwner) -> None:
    """Removes a relationship from its mapper and those of its subclasses, and its attribute from the classes."""
    key, parent = relationship.key, relationship.parent
    for mapper in parent.self_and_descendants:
        if getattr(mapper._props.get(key), "parent", None) is not parent:
            continue
        mapper._props.pop(key)
        manager: Any = mapper.class_manager
        manager.local_attrs.pop(key, None)
        manager.pop(key, None)
        manager._reset_memoizations()
        if key in vars(mapper.class_):
            type.__delattr__(mapper.class_, key)  # a declarative class refuses `del`
    type.__setattr__(parent.class_, key, Unknown(owner, f"{parent.class_.__name__}.{key}", DATABASE_ONLY))
    parent._expire_memoizations()
