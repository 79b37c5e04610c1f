"""What becomes of the statements of a migration that failed half-way, when all of it is run again.

`touches` says which objects a statement needs to be there, or not to be there, and what it leaves; `rows` whether it changes rows a second
time; `second_run` puts the two together.
"""
