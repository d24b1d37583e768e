"""CRIS, from its published code with weights made from names (`recipe`): golden data."""
