"""The rules that come with migsafe: one file each, in a folder for each category.

In a checkout and an editable install the files are in `rules/` beside the package; a wheel has them in this folder (see hatch_build.py).
"""

import os

_HERE = os.path.dirname(__file__)  # noqa: PTH120  # loading pathlib takes longer than answering from the cache
if not os.path.isdir(os.path.join(_HERE, "locking")):  # noqa: PTH118
    __path__ = [os.path.join(os.path.dirname(os.path.dirname(_HERE)), "rules")]  # noqa: PTH118, PTH120
