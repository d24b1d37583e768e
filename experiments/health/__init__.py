"""Checks of a machine: what Atelier has here, what is missing, and what to do about it."""
