"""Composition: the environment, and what is made of it."""
