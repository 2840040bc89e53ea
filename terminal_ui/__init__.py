"""The terminal: draws views, sends inputs, owns nothing; can die and come back to the same step."""

from __future__ import annotations

import os

# Textual paints at most this often, and reads it when it is first imported. At its own 60 a verdict that
# has just missed the frame of its echo waits for the next one: 17 ms that a person with a scanner feels.
os.environ.setdefault("TEXTUAL_FPS", "120")
