"""The command `migsafe`, also as `python -m migsafe`."""

import atexit
import gc
import sys

from migsafe.cache.answers import CacheKey, answer_from_cache, cache_key
from migsafe.errors import MigsafeError
from migsafe.terminal.output import open_missing_streams, show_error

_FAILED, _INTERRUPTED = 2, 130
_ALLOCATIONS = 200_000
"""The allocations between two collections of garbage. Almost nothing that a run allocates is garbage that needs a collection."""


def main() -> int:
    """Write the cached answer if nothing has changed since, otherwise run the command; return the exit code."""
    open_missing_streams()
    try:
        key = cache_key(sys.argv[1:])
        code = answer_from_cache(key) if key is not None else None
        return _run(key) if code is None else code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except MigsafeError as error:
        show_error(error)
        return _FAILED


def _run(key: CacheKey | None) -> int:
    gc.set_threshold(_ALLOCATIONS)
    # When Python ends, it looks for garbage in all that is left, which takes a tenth of the time of a small lint. It leaves out what is frozen.
    atexit.register(gc.freeze)
    # The imports below load the engine, which is slow.
    if key is None:
        from migsafe import cli  # noqa: PLC0415

        return cli.main()
    from migsafe.cache.watch import Watch  # noqa: PLC0415

    with Watch() as watch:
        from migsafe import cli  # noqa: PLC0415
        from migsafe.cache.memory import Memory  # noqa: PLC0415

        memory = Memory(key, watch)
        code = cli.main(memory=memory)
    memory.keep()
    return code


if __name__ == "__main__":
    sys.exit(main())
