"""The report and the messages of a run."""
