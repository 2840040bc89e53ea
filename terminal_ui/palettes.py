"""The three themes, as pairs of colours whose contrast can be computed.

Grey is normal: saturated colour is only for the verdict of the last input, an abnormal machine and
something overdue. Blue-green against red-brown, light against dark: the pairs stay apart for people
who do not tell red from green.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.theme import Theme

STRONG = 7.0  # WCAG 2 AAA: the prompt and the verdict
READABLE = 4.5  # WCAG 2 AA: the rest

Pair = tuple[str, str]  # (foreground, background)


@dataclass(frozen=True)
class Palette:
    """One theme. The single colours are foregrounds on the background of `base`."""

    name: str
    dark: bool
    base: Pair
    quiet: str
    rule: str
    alert: str
    warn: str
    good: str
    prompt: Pair
    entry: Pair
    ok: Pair
    ask: Pair
    wrong: Pair
    held: Pair
    guide: Pair

    def pairs(self) -> dict[str, tuple[Pair, float]]:
        """Every text on its ground, with the contrast ratio it must have."""
        ground = self.base[1]
        strong = {name: getattr(self, name) for name in ("prompt", "entry", "ok", "ask", "wrong", "held")}
        rest = {"base": self.base, "guide": self.guide}
        rest |= {name: (getattr(self, name), ground) for name in ("quiet", "alert", "warn", "good")}
        return {name: (pair, STRONG) for name, pair in strong.items()} | {
            name: (pair, READABLE) for name, pair in rest.items()
        }

    def theme(self) -> Theme:
        """The palette as Textual takes it; styles name its colours `$fh-<name>` and `$fh-<name>-bg`."""
        variables = {f"fh-{name}": pair[0] for name, (pair, _) in self.pairs().items()}
        variables |= {f"fh-{name}-bg": pair[1] for name, (pair, _) in self.pairs().items()}
        variables["fh-rule"] = self.rule
        return Theme(
            name=f"floorhand-{self.name}", primary=self.base[0], foreground=self.base[0],
            background=self.base[1], surface=self.base[1], panel=self.base[1], dark=self.dark,
            variables=variables,
        )  # fmt: skip


PALETTES = {
    palette.name: palette
    for palette in (
        Palette(
            "dark", True, base=("#d5dbe0", "#0e1318"), quiet="#98a4ae", rule="#37424c",
            alert="#ff9b8f", warn="#f2b84b", good="#8fd6b4",
            prompt=("#ffffff", "#1b2732"), entry=("#ffffff", "#0e1318"),
            ok=("#d9fbe8", "#134d3a"), ask=("#1c1300", "#f2b84b"), wrong=("#ffffff", "#8c1d18"),
            held=("#ffffff", "#54307e"), guide=("#0e1318", "#9fc3e6"),
        ),
        Palette(
            "light", False, base=("#1c2329", "#f3f4f1"), quiet="#4f5962", rule="#b4bbc0",
            alert="#a11a12", warn="#7a4b00", good="#0b5a3c",
            prompt=("#000000", "#ffffff"), entry=("#000000", "#f3f4f1"),
            ok=("#06301f", "#bfe8d3"), ask=("#231800", "#f5c451"), wrong=("#ffffff", "#961a14"),
            held=("#ffffff", "#54307e"), guide=("#ffffff", "#2b5580"),
        ),
        Palette(
            "contrast", True, base=("#ffffff", "#000000"), quiet="#ffffff", rule="#ffffff",
            alert="#ffd24a", warn="#ffd24a", good="#ffffff",
            prompt=("#000000", "#ffffff"), entry=("#ffff00", "#000000"),
            ok=("#000000", "#86ffc4"), ask=("#000000", "#ffd24a"), wrong=("#ffffff", "#9a0000"),
            held=("#ffffff", "#5a0099"), guide=("#000000", "#9fd0ff"),
        ),
    )
}  # fmt: skip


def contrast(pair: Pair) -> float:
    """The contrast ratio of two colours by WCAG 2, 1.0 to 21.0.

    >>> round(contrast(("#ffffff", "#000000")), 1)
    21.0
    """
    light, dark = sorted((_luminance(pair[0]), _luminance(pair[1])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
