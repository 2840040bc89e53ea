"""Machine values on their way into the store of samples, and out of it again."""
