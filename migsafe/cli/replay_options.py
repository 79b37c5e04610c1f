"""What the options of `migsafe replay` say: text, as they are given."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from migsafe.errors import ConfigError, did_you_mean
from migsafe.quantities import parse_size
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.seeding import in_proportion, same_for_every_table
from migsafe.session import milliseconds

if TYPE_CHECKING:
    from migsafe.sql.operations import Name

CHECKS = ("rerun", "crash", "round-trip", "agreement")


def number(option: str, value: str) -> float:
    """A number, zero or more. Raises ConfigError."""
    try:
        found = float(value.replace("_", "").removesuffix("s"))
    except ValueError:
        found = -1
    if not 0 <= found < float("inf"):
        raise ConfigError(f"--{option}: {value} is no number", "Give one of zero or more.")
    return found


def time(option: str, value: str) -> float:
    """A time in milliseconds. Raises ConfigError."""
    found = milliseconds(value)
    if found is None:
        raise ConfigError(f"--{option}: {value} is no time", "PostgreSQL takes 500ms, 2s, 1min.")
    return found


def limit(option: str, value: str) -> float | None:
    """The seconds of a limit; None where there is none. Raises ConfigError."""
    return time(option, value) / 1000 or None


def budgets_of(blocked: str | None, hold: str | None, wal: str | None, usual: Budgets) -> Budgets:
    """What a migration may cost; `usual` is what holds where an option does not say. Raises ConfigError."""
    written = parse_size(wal) if wal is not None else None
    if wal is not None and written is None:
        raise ConfigError(f"--max-wal: {wal} is no size", "PostgreSQL takes 64MB, 2GB.")
    return Budgets(
        blocked=time("max-blocked", blocked) if blocked is not None else usual.blocked,
        hold=time("max-hold", hold) if hold is not None else usual.hold,
        wal=written,
    )


def checks_of(given: list[str] | None) -> tuple[str, ...]:
    """The experiments. Raises ConfigError."""
    wanted = [name.strip() for names in given or CHECKS for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in (*CHECKS, "none"):
            raise ConfigError(f"--check: there is no experiment {name}", did_you_mean(name, CHECKS))
    return tuple(name.replace("-", " ") for name in wanted if name != "none")


def shares_of(rows: str, most: str | None, production: Mapping[str, int]) -> "Callable[[Name], int] | None":
    """How many rows each table gets; None for none at all. Raises ConfigError."""
    wanted = int(number("rows", rows))
    largest = int(number("max-rows", most)) if most is not None else wanted
    if most is not None and not production:
        raise ConfigError("--max-rows is about --stats, which is not given", "--rows says how many rows each table gets.")
    if production:
        return in_proportion(production, largest, wanted) if largest else None
    return same_for_every_table(wanted) if wanted else None
