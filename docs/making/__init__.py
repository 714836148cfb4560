"""Makes the parts of the documentation that the code already says: `python -m docs.making` writes them anew."""
