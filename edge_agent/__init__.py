"""The agent: one daemon for a PC or a cell. Owns devices, journal, plans, sync and the local API."""

__version__ = "0.1.0"
