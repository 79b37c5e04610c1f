"""The command `migsafe`, also as `python -m migsafe`."""

import sys

from migsafe.cli import main

if __name__ == "__main__":
    sys.exit(main())
