"""The second run of a migration whose first run failed half-way: which statements fail or repeat their work.

`operation_uses` and `alterations` say which objects a statement needs, creates and drops, `row_changes` whether it changes rows a second
time, and `second_run` simulates the runs.
"""
