"""The options of `migsafe lint` about fixes."""

from msgspec import Struct

from migsafe.errors import ConfigError


class FixOptions(Struct, frozen=True):
    """What the options ask for: to write fixes, or to show them; unsafe ones, too; only those that are proved, by a superuser if need be."""

    fix: bool = False
    diff: bool = False
    unsafe: bool = False
    prove: bool = False
    superuser: bool = False
    write_baseline: bool = False

    @property
    def wanted(self) -> bool:
        """Whether fixes are asked for. Raises ConfigError for an option that needs another one."""
        asked = self.fix or self.diff
        if asked and self.write_baseline:
            raise ConfigError("--write-baseline cannot be used with --fix or --diff", "Fix first, then write the baseline of what remains.")
        for name, value in (("--unsafe-fixes", self.unsafe), ("--prove", self.prove)):
            if value and not asked:
                raise ConfigError(f"{name} needs --fix or --diff")
        if self.superuser and not self.prove:
            raise ConfigError("--superuser needs --prove")
        return asked
