"""migsafe judges PostgreSQL migrations before they reach production."""

from pathlib import Path

__version__ = "0.1.0"

_HERE = Path(__file__).parent
if not (_HERE / "rules").is_dir():
    # In a checkout rules/ stands beside the engine; in a wheel it is migsafe/rules.
    __path__.append(str(_HERE.parent))
