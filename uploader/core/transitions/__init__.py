"""The rules of the journal: what an event makes of the rows that it concerns.

Each transition is a pure function `(now, rows, facts) → Change`. The journal loads the rows inside a transaction, calls
the function, and writes what came out (`uploader.journal.apply`); the simulator does the same with rows in memory. No
rule stands anywhere else: not in SQL, not in an effect, not in the closure of a transaction.
"""
