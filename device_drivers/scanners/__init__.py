"""What every scanner driver shares: frames out of bytes, profiles of makers, and the way back to the scanner.

No driver itself: `device_drivers.names()` leaves it out. Drivers bring the wire (`wire.Wire`).
"""
