"""Usual queries and expressions, read from our own tokens into the shapes that sqlglot's trees give.

sqlglot takes about six times as long, and importing it takes longer than judging a small file. What is not usual is left to it: a form that it
reads in a way of its own, a window function, HAVING, LATERAL. `tests/expressions/test_plain_queries.py` compares the shapes with sqlglot's.
"""
