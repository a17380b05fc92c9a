"""Pure decisions: no I/O, no clock, no randomness; all of these are passed in."""
