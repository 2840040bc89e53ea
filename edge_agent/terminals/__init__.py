"""From an input of a terminal to its view: one step of a flow in one transaction."""
