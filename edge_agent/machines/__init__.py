"""What the values of machines come to: state, counts, stops, OEE, upkeep. Pure: no disk, no clock, no network."""
