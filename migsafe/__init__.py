"""migsafe judges PostgreSQL migrations before they reach production."""

import os

__version__ = "0.1.0"

_HERE = os.path.dirname(__file__)  # noqa: PTH120  # loading pathlib takes longer than answering from the cache
if not os.path.isdir(os.path.join(_HERE, "rules")):  # noqa: PTH118
    # In a checkout rules/ stands beside the engine; in a wheel it is migsafe/rules.
    __path__.append(os.path.dirname(_HERE))  # noqa: PTH120
