"""What people should know of a line that works, but not as it should. Pure.

>>> told = Told(retry_dead=30.0)
>>> told.news({"fast": (0.2, 0.43)}, (7,))
'Group fast: 0.43 s from poll to poll, not 0.2 s. Unit 7 does not answer; it is tried again every 30 s.'
>>> told.news({"fast": (0.2, 0.44)}, (7,)), told.news({}, ())
(None, '')
"""

from __future__ import annotations

from collections.abc import Mapping

_SAME = 1.25  # a pace that differs by less is no news


class Told:
    """Remembers what was told, so that the same is told once. `retry_dead`: seconds to the next try."""

    def __init__(self, retry_dead: float) -> None:
        self._retry_dead = retry_dead
        self._late: dict[str, float] = {}
        self._dead: tuple[int, ...] = ()

    def news(self, late: Mapping[str, tuple[float, float]], dead: tuple[int, ...]) -> str | None:
        """The whole notice when it changed; empty when all is well again; None when nothing is new."""
        paces = {group: got for group, (_, got) in late.items()}
        if dead == self._dead and self._like(paces):
            return None
        self._late, self._dead = paces, dead
        sentences = [
            f"{f'Group {group}' if group else 'Slow'}: {got:.2g} s from poll to poll, not {wanted:g} s."
            for group, (wanted, got) in late.items()
        ]
        sentences += [
            f"Unit {unit} does not answer; it is tried again every {self._retry_dead:g} s." for unit in dead
        ]
        return " ".join(sentences)

    def _like(self, paces: Mapping[str, float]) -> bool:
        return paces.keys() == self._late.keys() and all(
            1 / _SAME < got / self._late[group] < _SAME for group, got in paces.items()
        )
