"""The effects: each does one thing to the world, tells the journal, and carries out the verdict on a failure."""
