"""What crosses the socket about labels."""

from __future__ import annotations

import msgspec

from edge_agent.views import Kind


class LabelRow(msgspec.Struct, frozen=True):
    """A label to print: `text` is what the code holds, `words` what people read."""

    kind: Kind
    text: str
    words: str
