"""Alembic plugins and other packages that need not be installed: the operations and classes that scripts use, and the SQL that they send.

Each plugin is one module with a `PLUGIN`, which is registered here. A plugin that is installed is used itself.
"""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from alembic.operations import Operations

from migsafe.rendering.worker.plugins.alembic_utils import PLUGIN as ALEMBIC_UTILS
from migsafe.rendering.worker.plugins.driver_sql import PLUGIN as DRIVER_SQL
from migsafe.rendering.worker.plugins.enum_values import PLUGIN as ENUM_VALUES
from migsafe.rendering.worker.plugins.flask_sqlalchemy import PLUGIN as FLASK_SQLALCHEMY
from migsafe.rendering.worker.plugins.plugin import Plugin
from migsafe.rendering.worker.plugins.search_triggers import PLUGIN as SEARCH_TRIGGERS
from migsafe.rendering.worker.plugins.six import PLUGIN as SIX
from migsafe.rendering.worker.plugins.spatial import PLUGIN as SPATIAL
from migsafe.rendering.worker.plugins.sqlmodel import PLUGIN as SQLMODEL
from migsafe.rendering.worker.plugins.utils import PLUGIN as UTILS

PLUGINS: tuple[Plugin, ...] = (ALEMBIC_UTILS, DRIVER_SQL, ENUM_VALUES, FLASK_SQLALCHEMY, SEARCH_TRIGGERS, SIX, SPATIAL, SQLMODEL, UTILS)
_BY_OPERATION = {name: plugin for plugin in PLUGINS for name in plugin.operations}
_BY_PACKAGE = {package: plugin for plugin in PLUGINS for package in plugin.packages}


def plugin_operation(name: str, operations: Operations) -> Callable[..., Any] | None:
    """Returns the operation of a plugin that `alembic.op` lacks, because env.py has not imported the plugin; None if none is known."""
    plugin = _BY_OPERATION.get(name)
    if plugin is None:
        return None
    for package in plugin.packages:
        try:
            importlib.import_module(package)
        except ImportError:
            continue
        installed: Callable[..., Any] | None = getattr(operations, name, None)
        if installed is not None:
            return installed
    return partial(plugin.operations[name], operations)


def plugin_name(module: str, name: str) -> Any:
    """Returns what a module of a plugin that is not installed defines under a name; None if it is unknown."""
    plugin = _BY_PACKAGE.get(module.partition(".")[0])
    return plugin.names.get(name) if plugin is not None else None
