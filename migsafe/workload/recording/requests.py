"""Where requests and tasks begin and end, and when migrations are applied."""

from contextvars import ContextVar, Token
from types import CodeType
from typing import Any

from migsafe.workload.recording.patching import Patches
from migsafe.workload.recording.scopes import MIGRATING, REQUEST, Scope


def starlette(applications: Any, patches: Patches) -> None:
    """Starlette and FastAPI: a request is a call of the application. A mounted application belongs to the request of the outer one."""

    def wrapped(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] not in ("http", "websocket") or REQUEST.get() is not None:
                await original(self, scope, receive, send)
                return
            token = REQUEST.set(Scope(counted=scope["type"] == "http", endpoint=lambda: _code(scope.get("endpoint"))))
            try:
                await original(self, scope, receive, send)
            finally:
                REQUEST.reset(token)

        return call

    patches.replace(applications.Starlette, "__call__", wrapped)


def flask(app: Any, patches: Patches) -> None:
    """Flask: a request is a call of `wsgi_app`."""
    patches.replace(app.Flask, "wsgi_app", _within_request)


def django(base: Any, patches: Patches) -> None:
    """Django: a request is a call of the handler, sync or async."""
    patches.replace(base.BaseHandler, "get_response", _within_request)

    def wrapped(original: Any) -> Any:
        async def get_response_async(*args: Any, **options: Any) -> Any:
            token = REQUEST.set(Scope())
            try:
                return await original(*args, **options)
            finally:
                REQUEST.reset(token)

        return get_response_async

    patches.replace(base.BaseHandler, "get_response_async", wrapped)


def celery(signals: Any, patches: Patches) -> None:
    """Celery: a task that a worker runs, or that is applied eagerly. A task called as a function belongs to its caller."""
    running: dict[str, Token[Scope | None]] = {}

    def before(task_id: str, **_: Any) -> None:
        running[task_id] = REQUEST.set(Scope())

    def after(task_id: str, **_: Any) -> None:
        if (token := running.pop(task_id, None)) is not None:
            REQUEST.reset(token)

    signals.task_prerun.connect(before, weak=False)
    signals.task_postrun.connect(after, weak=False)
    patches.on_undo(lambda: signals.task_prerun.disconnect(before))
    patches.on_undo(lambda: signals.task_postrun.disconnect(after))


FRAMEWORKS = {
    "starlette.applications": starlette,
    "flask.app": flask,
    "django.core.handlers.base": django,
    "celery.signals": celery,
}
"""Which function learns of the requests of a framework, by the module whose import it waits for."""

MIGRATORS = {
    "alembic.runtime.migration": ("MigrationContext", "run_migrations"),
    "django.db.migrations.executor": ("MigrationExecutor", "migrate"),
    "django.core.management.commands.migrate": ("Command", "handle"),
    "django.db.backends.base.creation": ("BaseDatabaseCreation", "create_test_db"),
    "yoyo.backends.base": ("DatabaseBackend", "apply_migrations"),
}
"""The methods that apply migrations or create a test database, by module: class and method."""


def without_migrations(module: Any, patches: Patches) -> None:
    """Statements that are sent while a module's migrator runs are not the application's."""
    class_name, method = MIGRATORS[module.__name__]
    patches.replace(getattr(module, class_name), method, lambda original: _within(MIGRATING, lambda: True, original))


def _within_request(original: Any) -> Any:
    return _within(REQUEST, Scope, original)


def _within(variable: ContextVar[Any], value: Any, original: Any) -> Any:
    """Returns a function that calls the original while a variable has a new value."""

    def call(*args: Any, **options: Any) -> Any:
        token = variable.set(value())
        try:
            return original(*args, **options)
        finally:
            variable.reset(token)

    return call


def _code(endpoint: Any) -> CodeType | None:
    """Returns the code of a function, of a partial function, or of an object's __call__; None for anything else."""
    endpoint = getattr(endpoint, "func", endpoint)
    code = getattr(getattr(endpoint, "__wrapped__", endpoint), "__code__", None)
    return code if isinstance(code, CodeType) else None
