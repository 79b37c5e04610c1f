"""The colours of a terminal, as SGR codes.

A program cannot know whether a terminal is light or dark, so only colours that are readable on both in the usual palettes are used: red,
magenta and the default. Yellow, green and cyan are hard to read on white, blue on black.
"""

RED, MAGENTA = "1;31", "35"
BOLD, DIM = "1", "2"
