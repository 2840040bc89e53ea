"""`floorhand`: what people type, one function a command."""
