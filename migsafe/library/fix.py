"""Fixing migrations, for programs."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from migsafe.configuration import Configuration, read_configuration
from migsafe.library.fixes import Fixes, fix_plan, require_new_migrations
from migsafe.library.plan import find_plan
from migsafe.linting.finding import Finding

if TYPE_CHECKING:
    from migsafe.replaying.servers.selection import ServerOptions


def fix(
    paths: Sequence[str] | None = None,
    *,
    settings: Configuration | None = None,
    since: str | None = None,
    changed: bool = False,
    unsafe: bool = False,
    wanted: Callable[[Finding], bool] = lambda finding: True,
    prove: "ServerOptions | None" = None,
) -> Fixes:
    """Find the fixes of migrations as `migsafe lint --fix` does, until none is left; nothing is written.

    `paths`, `settings`, `since` and `changed` as for `lint`. `unsafe` also applies fixes after which a failure or a second run leaves something
    else behind, or which need another deployment. `wanted` chooses among the findings that have a fix. With `prove`, the server on which to run
    the migrations before and after, only proved fixes are kept. Raises MigsafeError if nothing could be judged, or there is no server.
    """
    settings = settings or read_configuration()
    plan = find_plan(paths, settings, "fix", since=since, changed=changed)
    require_new_migrations(plan, settings)
    if prove is not None:
        from migsafe.library.prove import proved_fixes  # noqa: PLC0415  # only needed with a server
        from migsafe.replaying.servers.selection import choose_host  # noqa: PLC0415

        with choose_host(prove) as host:
            return proved_fixes(plan, settings, host, unsafe=unsafe, wanted=wanted)
    return fix_plan(plan, settings, unsafe=unsafe, wanted=wanted)
