"""Tests of the drivers: pure cores by property, wires by real sockets and real pseudo-terminals."""
