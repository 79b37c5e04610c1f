"""Recording the queries that an application sends while its tests run.

`recorder.Recorder` counts statements, `listeners` has the drivers and frameworks that report to it, `call_sites` finds the line of the
application that sends a statement, and `journal` writes the file. `session.record` records outside pytest. Nothing here imports a driver or a
framework: what the tests import is changed when they import it (`patching`).
"""
