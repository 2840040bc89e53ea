"""What a shift is disturbed by, and what of it was seen to happen."""

from __future__ import annotations

from dataclasses import dataclass

KILLS = 3
LOST_REPLIES = 1
ERP_AWAY_SECONDS = 10.0


@dataclass(frozen=True)
class Disturbances:
    """What was seen, not what was meant. `kills`: agents that ended by SIGKILL; `ends`: agents that ended otherwise.

    `lost_replies`: answers to deliveries that were booked and never arrived; `away_calls`: times that the agent
    found no ERP; `erp_away_seconds`: how long there was none.
    """

    kills: int
    lost_replies: int
    erp_away_seconds: float
    away_calls: int
    ends: int = 0

    @property
    def all_met(self) -> bool:
        """Whether the shift met all that it has to stand."""
        met = (self.kills, self.lost_replies, self.ends) == (KILLS, LOST_REPLIES, 0)
        return met and self.erp_away_seconds >= ERP_AWAY_SECONDS and self.away_calls > 0
