"""Rules of this repository that no linter knows. `python -m checks` runs them all.

Every check is a function that takes what it looks at and returns a list of sentences, one per finding; no
finding, no sentence.
"""
