"""One module per state of the state machine, named like it: the state's work, with its ports given as arguments."""
