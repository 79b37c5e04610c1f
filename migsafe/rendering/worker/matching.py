"""Classes in patterns of `match` that are unknown, because their package is not installed here."""

from typing import Any

from migsafe.rendering.worker.frames import caller, transparent
from migsafe.rendering.worker.inert import unknown_of
from migsafe.rendering.worker.unknown import Unknown, name_of, reason_of, run_of

_POSITIONS = 9


class _UnknownClass(type):
    """A class that decides which objects match it: those that a call of the unknown class has returned do, and those of a call of another class
    do not; for other unknown objects the run decides."""

    unknown: Unknown

    @transparent
    def __instancecheck__(cls, subject: object) -> bool:
        unknown = subject if isinstance(subject, Unknown) else unknown_of(subject)
        if unknown is None:
            return False
        name, own = name_of(unknown), name_of(cls.unknown)
        if name.endswith("()") and name[:-2].rpartition(".")[2][:1].isupper():
            return name == f"{own}()"
        return run_of(cls.unknown).decide(caller(), own, reason_of(cls.unknown))


@transparent
def matched(class_: Any) -> Any:
    """Returns a class in a pattern; for an unknown one a class that decides which objects match it."""
    if not isinstance(class_, Unknown):
        return class_
    positions = tuple(f"position_{number}" for number in range(_POSITIONS))
    return _UnknownClass("unknown", (), {"unknown": class_, "__match_args__": positions})
