"""The colours of a terminal, as codes of SGR.

Nobody tells whether a terminal is light or dark. So only those are here that can be read on both in the usual palettes: red, magenta and what
the terminal writes in itself. Yellow, green and cyan fade on white, blue on black.
"""

RED, MAGENTA = "1;31", "35"
BOLD, DIM = "1", "2"
