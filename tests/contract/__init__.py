"""Conformance suites: the same promises, held by everything that implements a contract."""
