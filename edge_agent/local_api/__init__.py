"""The local API: HTTP over the socket of the agent, for terminals, the command line and monitoring."""
