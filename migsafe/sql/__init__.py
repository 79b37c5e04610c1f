"""The SQL of migrations: a script becomes statements, and a statement becomes operations.

`split` divides a script into statements, `grammar` reads their operations, `plpgsql` reads the operations of DO blocks and routines, and
`statements.read` is the function that does all of it. `operations` has the types, `generation` writes SQL for help texts and fixes. The trees
of expressions and queries belong to `migsafe.expressions`.
"""
