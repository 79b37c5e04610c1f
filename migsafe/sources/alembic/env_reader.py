"""A reader that follows env.py through the project, as `alembic upgrade` runs it.

It evaluates the syntax trees of env.py and of the modules that it uses, with unknown values for everything that only a run would tell. A
condition that is unknown has both branches. Nothing is run or imported.
"""

import ast
import builtins
import sys
from collections.abc import Callable, Sequence
from typing import Any

from migsafe.script_environment import UNKNOWN
from migsafe.sources.alembic import env_calls, env_expressions
from migsafe.sources.alembic.env_reading import Reading
from migsafe.sources.alembic.env_values import (
    Base,
    Class,
    External,
    Function,
    Instance,
    MetaData,
    ModuleValue,
    Place,
    Scope,
    is_unknown,
    truth,
)
from migsafe.sources.alembic.modules import Module, ModuleFinder, bound_names, top_level

_MOST_STEPS = 20_000
_DEEPEST = 24
_MOST_ROUNDS = 20
_EXTERNAL = frozenset(("alembic", "sqlalchemy", "flask", *sys.stdlib_module_names))
"""Packages that are never modules of the project, even if it has a folder of that name."""
_WITH_EFFECTS = ("naming_convention", "listens_for", "event.listen", "metadata")


class TooLong(Exception):
    """env.py has more steps than the reader follows."""


class Ends(Exception):
    """A block ends early: with `return`, `raise`, `break` or `continue`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class EnvReader(Reading):
    """The interpreter of env.py."""

    def __init__(self, finder: ModuleFinder, sections: dict[str, dict[str, str]], section: str) -> None:
        super().__init__(finder, sections, section)
        self._scopes: dict[str, Scope] = {}
        self._steps = 0
        self._depth = 0
        self._returned: list[list[Any]] = []
        self._blocks: list[Callable[[Any], None]] = []
        self._lines: list[Place] = []

    def read(self, module: Module) -> None:
        """Follows the statements of env.py."""
        scope = Scope(module)
        self._scopes[module.name] = scope
        try:
            self.run(module.tree.body, scope)
        except Ends:
            return

    @property
    def place(self) -> Place:
        """The file and line of the statement that is followed."""
        return self._lines[-1] if self._lines else ("", 1)

    # Statements

    def run(self, statements: Sequence[ast.stmt], scope: Scope) -> None:
        """Follows statements. Raises Ends if they end early."""
        for statement in statements:
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise TooLong
            self._lines.append((scope.module.path, statement.lineno))
            try:
                self._statement(statement, scope)
            finally:
                self._lines.pop()

    def _statement(self, statement: ast.stmt, scope: Scope) -> None:
        match statement:
            case ast.Expr(value=ast.Yield() as inner):
                self._yield(inner, scope)
            case ast.Expr(value=value):
                self.value(value, scope)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                self._assignment(statement, scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._define(statement, scope)
            case ast.Import() | ast.ImportFrom():
                self._import(statement, scope)
            case ast.If(test=test, body=body, orelse=others):
                self._either(truth(self.value(test, scope)), body, others, scope)
            case ast.For() | ast.AsyncFor():
                self._loop(statement, scope)
            case ast.While(test=test, body=body):
                if truth(self.value(test, scope)) is not False:
                    self._round(body, scope)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                self._with(items, body, scope)
            case ast.Try(body=body, orelse=others, finalbody=last):
                try:
                    self.run([*body, *others], scope)
                finally:
                    self.run(last, scope)
            case ast.Return(value=value):
                if self._returned and value is not None:
                    self._returned[-1].append(self.value(value, scope))
                raise Ends("return")
            case ast.Raise():
                raise Ends("raise")
            case ast.Break() | ast.Continue():
                raise Ends("break")

    def _either(self, condition: bool | None, body: Sequence[ast.stmt], others: Sequence[ast.stmt], scope: Scope) -> None:
        """Follows one branch, or both if the condition is unknown; both must end for the rest not to be followed."""
        if condition is not None:
            try:
                self.run(body if condition else others, scope)
            except Ends as end:
                if end.kind != "raise":  # env.py checks a setting, which production has
                    raise
            return
        ends = []
        for branch in (body, others):
            try:
                self.run(branch, scope)
            except Ends as end:
                ends.append(end)
        if len(ends) == 2:
            raise ends[0]

    def _loop(self, statement: ast.For | ast.AsyncFor, scope: Scope) -> None:
        items = self.value(statement.iter, scope)
        known = list(items)[:_MOST_ROUNDS] if isinstance(items, list | tuple | dict | set | frozenset) else [UNKNOWN]
        for item in known:
            self.assign(statement.target, item, scope)
            if self._round(statement.body, scope):
                break

    def _round(self, body: Sequence[ast.stmt], scope: Scope) -> bool:
        """Follows one round of a loop; returns whether the loop ends with it."""
        try:
            self.run(body, scope)
        except Ends as end:
            if end.kind != "break":
                raise
            return isinstance(body[-1], ast.Break)
        return False

    def _with(self, items: Sequence[ast.withitem], body: Sequence[ast.stmt], scope: Scope) -> None:
        if not items:
            self.run(body, scope)
            return
        first, rest = items[0], items[1:]

        def block(entered: Any) -> None:
            if first.optional_vars is not None:
                self.assign(first.optional_vars, entered, scope)
            self._with(rest, body, scope)

        env_calls.enter(self, self.value(first.context_expr, scope, in_with=True), block)

    def _define(self, statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: Scope) -> None:
        if isinstance(statement, ast.ClassDef):
            scope.names[statement.name] = self._class(statement, scope)
            return
        function = scope.names[statement.name] = Function(statement, scope)
        for decorator in statement.decorator_list:
            if isinstance(decorator, ast.Call):
                env_calls.decorate(
                    self, self.value(decorator.func, scope), [self.value(argument, scope) for argument in decorator.args], function
                )

    def _class(self, node: ast.ClassDef, scope: Scope) -> Class:
        defined = Class(node, Scope(scope.module, scope), [self.value(base, scope) for base in node.bases])
        for decorator in node.decorator_list:
            value = self.value(decorator, scope)
            if isinstance(value, Base):
                defined.metadata = value.metadata
            elif isinstance(value, External) and value.last in ("as_declarative", "as_declarative()"):
                defined.metadata = MetaData()
        return defined

    def _assignment(self, statement: ast.Assign | ast.AnnAssign | ast.AugAssign, scope: Scope) -> None:
        match statement:
            case ast.Assign(targets=targets, value=value):
                new = self.value(value, scope)
                for target in targets:
                    self.assign(target, new, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.assign(target, self.value(value, scope), scope)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=operator, value=value):
                operation = ast.copy_location(ast.BinOp(ast.Name(name, ast.Load()), operator, value), statement)
                self.assign(target, self.value(operation, scope), scope)

    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Binds a target to a value."""
        match target:
            case ast.Name(id=name):
                scope.names[name] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                items = list(value) if isinstance(value, list | tuple) and len(value) == len(targets) else [UNKNOWN] * len(targets)
                for inner, item in zip(targets, items, strict=True):
                    self.assign(inner, item, scope)
            case ast.Attribute(value=owner, attr=name):
                env_calls.set_attribute(self, self.value(owner, scope), name, value)
            case ast.Subscript(value=owner, slice=key):
                container, where = self.value(owner, scope), self.value(key, scope)
                if isinstance(container, dict) and isinstance(where, str | int | type(None)):
                    container[where] = value

    def _yield(self, node: ast.Yield, scope: Scope) -> Any:
        value = self.value(node.value, scope) if node.value is not None else None
        if self._blocks:
            block = self._blocks.pop()
            try:
                block(value)
            finally:
                self._blocks.append(block)
        return UNKNOWN

    # Modules

    def _import(self, statement: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        match statement:
            case ast.Import(names=names):
                for alias in names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    self.imported.append(alias.name)
                    scope.names[alias.asname or name] = self.module(name)
            case ast.ImportFrom(module=source, names=names, level=level):
                module = scope.module.absolute(source, level)
                self.imported += [module, *(f"{module}.{alias.name}" for alias in names)]
                for alias in names:
                    if alias.name == "*":
                        self._import_all(module, scope)
                    else:
                        scope.names[alias.asname or alias.name] = self.member(module, alias.name)

    def _import_all(self, name: str, scope: Scope) -> None:
        module = self.finder.find(name) if name.partition(".")[0] not in _EXTERNAL else None
        for statement in top_level(module.tree.body) if module is not None else ():
            for bound in bound_names(statement) - {"*"}:
                if not bound.startswith("_"):
                    scope.names[bound] = self.member(name, bound)

    def module(self, name: str) -> Any:
        """Returns a module of the project, or something external."""
        if name.partition(".")[0] in _EXTERNAL:
            return External(name)
        if self.finder.find(name) is not None or self.finder.is_package(name):
            return ModuleValue(name)
        return External(name)

    def member(self, module: str, name: str) -> Any:
        """Returns what a module defines or imports under a name."""
        found = self.finder.find(module) if module.partition(".")[0] not in _EXTERNAL else None
        if found is None:
            return self.module(f"{module}.{name}")
        scope = self._scopes.get(module)
        if scope is None:
            scope = self._scopes[module] = Scope(found)
            scope.lazy = True
            value = self._lazy(scope, name)
            self.run_effects(found)
        else:
            value = self._lazy(scope, name)
        if value is UNKNOWN and self.finder.find(f"{module}.{name}") is not None:
            return ModuleValue(f"{module}.{name}")
        return value

    def run_effects(self, module: Module) -> None:
        """Follows the statements of a module that change objects of other modules: conventions of metadata, listeners of engines."""
        if not any(word in module.text for word in _WITH_EFFECTS):
            return
        scope = self._scopes.setdefault(module.name, Scope(module))
        scope.lazy = True
        for statement in top_level(module.tree.body):
            match statement:
                case (
                    ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
                    | ast.Expr(value=ast.Call(func=ast.Attribute(attr="listen" | "update")))
                ):
                    self._quietly([statement], scope)
                case ast.FunctionDef(decorator_list=[ast.Call(), *_]):
                    self._quietly([statement], scope)

    def value_in(self, module: Module, node: ast.expr) -> Any:
        """Returns the value of an expression at the top level of a module."""
        self.member(module.name, "")  # so that its names can be looked up
        try:
            return self.value(node, self._scopes[module.name])
        except (Ends, TooLong):
            return UNKNOWN

    def _quietly(self, statements: Sequence[ast.stmt], scope: Scope) -> None:
        try:
            self.run(statements, scope)
        except Ends:
            return

    def look_up(self, name: str, scope: Scope | None) -> Any:
        """Returns the value of a name."""
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            if scope.lazy:
                return self._lazy(scope, name)
            scope = scope.outer
        return External(f"builtins.{name}")

    def _lazy(self, scope: Scope, name: str) -> Any:
        """Returns the value of a name of a module that is not followed from the start."""
        if name in scope.names:
            return scope.names[name]
        if not scope.lazy or name in scope.in_progress:
            return UNKNOWN if scope.lazy or scope.outer is None else self.look_up(name, scope)
        bindings = scope.module.bindings(name) or scope.module.bindings("*")
        if not bindings:
            return External(f"builtins.{name}") if hasattr(builtins, name) else UNKNOWN
        scope.in_progress.add(name)
        try:
            self._quietly(bindings, scope)
        finally:
            scope.in_progress.discard(name)
        return scope.names.get(name, UNKNOWN)

    # Expressions and calls

    def value(self, node: ast.expr, scope: Scope, *, in_with: bool = False) -> Any:
        """Returns the value of an expression."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise TooLong
        if isinstance(node, ast.Yield):
            return self._yield(node, scope)
        return env_expressions.evaluate(self, node, scope, in_with=in_with)

    def call_function(
        self, function: Function, arguments: Sequence[Any], named: dict[str, Any], block: Callable[[Any], None] | None = None
    ) -> Any:
        """Follows a call of a function of the project; `block` is what runs at its `yield`. Returns its result."""
        if self._depth >= _DEEPEST:
            return UNKNOWN
        scope = Scope(function.scope.module, function.scope)
        env_expressions.bind_arguments(self, function, arguments, named, scope)
        if isinstance(function.node, ast.Lambda):
            return self.value(function.node.body, scope)
        self._depth += 1
        self._returned.append([])
        if block is not None:
            self._blocks.append(block)
        try:
            self.run(function.node.body, scope)
        except Ends as end:
            if end.kind == "raise":
                raise
        finally:
            self._depth -= 1
            results = self._returned.pop()
            if block is not None:
                self._blocks.pop()
        return _chosen(results)

    def instance(self, of: Class, arguments: Sequence[Any], named: dict[str, Any]) -> Instance:
        """Follows the creation of an object."""
        created = Instance(of)
        created.names.update(named)
        initialise = env_calls.class_member(self, of, "__init__", created)
        if isinstance(initialise, Function):
            self.call_function(initialise, arguments, named)
        return created


def _chosen(results: Sequence[Any]) -> Any:
    """Returns one of the values that a function may return: a known one; None only if it returns nothing else, because a setting that is absent
    here is there in production."""
    known = next((result for result in results if not is_unknown(result) and result is not None), None)
    return UNKNOWN if known is None and any(is_unknown(result) for result in results) else known
