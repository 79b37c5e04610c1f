"""One form for what a statement is, made from PostgreSQL's own parse tree and from migsafe's operations, so that the two can be compared.

A signature is a list of tuples of text: the kind of each operation, the names it is about, its flags.
"""

from tests.sql.signatures.ours import signature_of_operations
from tests.sql.signatures.postgres import signature_of_tree

__all__ = ["signature_of_operations", "signature_of_tree"]
