"""The constructs of PL/pgSQL around a statement."""

from migsafe.sql.version_conditions import RELEASES


class Construct:
    """A construct around the cursor: `kind` is `begin`, `handler`, `if`, `case` or `loop`. An `if` whose conditions are only about the version
    of the server `is_decided`: it runs its present branch on the releases `running`, and those before it on the releases `taken`. Of a
    construct that `is_choice`, one branch runs; it `has_branch` after its first condition."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.running: frozenset[int] = RELEASES
        self.taken: frozenset[int] = frozenset()
        self.is_decided = kind in ("begin", "if")
        self.is_choice = kind in ("if", "case")
        self.has_branch = kind == "if"
        self.has_else = False

    def branch(self, releases: frozenset[int] | None) -> None:
        """Begins the next branch, whose condition is true on these releases; None if something else decides it."""
        self.is_decided = self.is_decided and releases is not None
        self.running = RELEASES - self.taken if releases is None else releases - self.taken
        self.taken |= releases or frozenset()
