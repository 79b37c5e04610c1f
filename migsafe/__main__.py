"""The command `migsafe`, also as `python -m migsafe`."""

import sys

from migsafe.cache.answers import Question, question, recall
from migsafe.errors import MigsafeError
from migsafe.terminal.output import show_error

_COULD_NOT, _INTERRUPTED = 2, 130


def main() -> int:
    """Answer as before where nothing has changed since, else run the command; returns the exit code."""
    try:
        asked = question(sys.argv[1:])
        code = recall(asked) if asked is not None else None
        return _run(asked) if code is None else code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except MigsafeError as error:
        show_error(error)
        return _COULD_NOT


def _run(asked: Question | None) -> int:
    # What follows loads the engine.
    if asked is None:
        from migsafe import cli  # noqa: PLC0415

        return cli.main()
    from migsafe.cache.watch import Watch  # noqa: PLC0415

    with Watch() as watch:
        from migsafe import cli  # noqa: PLC0415
        from migsafe.cache.memory import Memory  # noqa: PLC0415

        memory = Memory(asked, watch)
        code = cli.main(memory=memory)
    memory.keep()
    return code


if __name__ == "__main__":
    sys.exit(main())
