"""Devices and scanners of this PC: kept alive, watched, looked at and tested."""
