"""Regular expressions that are compiled when they are first used.

A small lint uses a sixth of the expressions that its modules define; compiling all of them took a seventh of its time.
"""

import re
from typing import Any, cast


def lazy_pattern(expression: str, flags: int = 0) -> re.Pattern[str]:
    """Returns what behaves like `re.compile(expression, flags)`, and is compiled when one of its methods is first asked for.

    An expression that is not valid raises re.error only then. For expressions of modules; one that is made for a call is needed at once.
    """
    return cast("re.Pattern[str]", _LazyPattern(expression, flags))


class _LazyPattern:
    """Has the attributes of a compiled expression. Each is kept, so that the second use takes no longer than that of a compiled one."""

    def __init__(self, expression: str, flags: int) -> None:
        self.pattern = expression
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "pattern" not in self.__dict__:  # what copying and pickling ask for
            raise AttributeError(name)
        # Several attributes compile once: re keeps what it has compiled.
        value = getattr(re.compile(self.pattern, self._flags), name)
        self.__dict__[name] = value
        return value
