"""What a run of the rules remembers from one migration to the next."""

from migsafe.linting.earlier import EarlierMigration
from migsafe.linting.finding import Finding
from migsafe.linting.script_suppressions import ScriptSuppressions
from migsafe.linting.verdict import RuleError
from migsafe.schema.catalog import Catalog


class JudgingState:
    """What a run has found so far, and what it must remember of the migrations that it has judged."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.scripts: dict[str, ScriptSuppressions] = {}
        self.paths: set[str] = set()
        self.query_paths: set[str] = set()
        self.first_migration: int | None = None
        """The number of the first judged migration in the database of the last one."""
        self.earlier: tuple[EarlierMigration, ...] = ()
        self.neighbour: EarlierMigration | None = None
        """The migration before the next one, if its transaction was left open to find out what the two do together."""
        self.catalog: Catalog | None = None
        """The database of the last migration."""
        self.statements = 0
        self.unparsed = 0
        self.failures: dict[str, RuleError] = {}
        self.merged_statements: dict[tuple[str, str, int], bool] = {}
        """The statements that an edited migration contained when it was merged, by path, migration and number; True if others have changed."""

    def copy_from(self, other: "JudgingState") -> None:
        """Takes over the state of another run."""
        self.__dict__.update(vars(other))

    def put_before(self, other: "JudgingState") -> None:
        """Puts what was found in the migrations before the first one of this state before it. The two have no script in common."""
        self.findings[:0] = other.findings
        self.scripts = {**other.scripts, **self.scripts}
        self.paths |= other.paths
        self.merged_statements |= other.merged_statements
        self.statements += other.statements
        self.unparsed += other.unparsed
        self.first_migration = other.first_migration
