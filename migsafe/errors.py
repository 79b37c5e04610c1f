"""What can go wrong for a reason that the user can mend."""


class MigsafeError(Exception):
    """Something that migsafe was asked to do and could not.

    `what` says what happened (and where, when that is known); `hint`, when there is one, what to do about it. Raised where
    the fact is known and shown once, by the command line, which then ends with exit code 2.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}\n  {self.hint}" if self.hint else self.what


class UnreadableError(MigsafeError):
    """A file that exists but cannot be read as text: permissions, encoding, binary content."""


class ConfigError(MigsafeError):
    """A configuration that migsafe does not understand."""
