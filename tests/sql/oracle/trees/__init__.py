"""Signatures from PostgreSQL's own parse trees (pglast)."""

from pglast import ast

from tests.sql.oracle.trees import alter_table, columns, definitions, objects, registry, running, tables
from tests.sql.oracle.trees.registry import READERS, statement

__all__ = ["NO_STATEMENTS", "READERS", "alter_table", "columns", "definitions", "objects", "registry", "running", "statement", "tables"]

# Classes that are called statements, but are parts of other statements, of PL/pgSQL or of the planner's trees.
NO_STATEMENTS = frozenset((ast.RawStmt, ast.PLAssignStmt, ast.ReturnStmt, ast.SetOperationStmt, ast.ReplicaIdentityStmt))
