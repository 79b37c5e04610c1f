"""The command `migsafe`, also as `python -m migsafe`."""

import sys

from migsafe.cache.answers import question, recall
from migsafe.delivery import complain
from migsafe.errors import MigsafeError


def main() -> int:
    """Answer as before if nothing has changed since, else run the command; returns the exit code."""
    asked = question(sys.argv[1:])
    try:
        code = recall(asked) if asked is not None else None
    except KeyboardInterrupt:
        return 130
    except MigsafeError as error:
        complain(error)
        return 2
    if code is not None:
        return code
    from migsafe import cli  # noqa: PLC0415  # loads the engine
    from migsafe.cache.memory import Memory  # noqa: PLC0415

    if asked is None:
        return cli.main()
    with Memory(asked) as memory:
        return cli.main(memory=memory)


if __name__ == "__main__":
    sys.exit(main())
