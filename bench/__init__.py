"""Measures the product from outside: real processes, real pseudo-terminals, a real disk."""
