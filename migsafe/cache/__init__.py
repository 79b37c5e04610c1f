"""What runs have said and learnt, kept so that nobody waits for it twice.

An *answer* is all that one command said, with a trace of everything that the run had looked at: the same command is answered from it as long
as all of that is as it was, without loading the engine. A *checkpoint* is how far a run had come at one place of a history: a run whose
history begins alike goes on from there. Neither is trusted further than the content of files; whatever is wrong with one costs time alone.

What a run looks at is observed (`watch`), never declared, so that no source of migrations and no rule can forget to say it.

The modules that a warm run loads import nothing that Python has not loaded by itself: typing, dataclasses or pathlib would each take longer
than all that they do.
"""
