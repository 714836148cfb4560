"""What the run and the page share about a request: votes, who may sign, its history."""
