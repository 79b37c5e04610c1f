"""The worker: reads requests from one pipe, writes replies to another, and ends when the pipe is closed."""

import os
import sys
from typing import BinaryIO

from migsafe.rendering.messages import StartFailed, write
from migsafe.terminal.output import DEBUG


def main() -> int:
    """Serves requests until the pipe is closed."""
    incoming, outgoing = _pipes()
    try:
        from migsafe.rendering.worker.service import Service  # noqa: PLC0415  # Alembic and SQLAlchemy may not be installed
    except ImportError as error:
        write(outgoing, StartFailed(str(error)))
        return 1
    service = Service(incoming, outgoing)
    service.serve()
    return 0


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Returns the pipes to migsafe. Standard input and output of scripts are redirected to nothing."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1) if DEBUG in os.environ else (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
    return os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")


if __name__ == "__main__":
    sys.exit(main())
