"""What the installation allows and can hear, for one decision: read anew each time, in one statement."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import BILLING_PROVIDERS
from domain.contact_policy import ContactPolicy, stored_contact_policy
from domain.customer_state import KnownPlaybook
from domain.do_not_disturb import KEY as QUIET
from domain.do_not_disturb import stored_do_not_disturb
from domain.dunning_policy import stored_dunning_policy
from domain.time import BusinessInstant
from domain.trials import Trial
from domain.uplift import Uplifts
from models.contact_policy import KEY
from models.dunning_policies import KEY as DUNNING
from models.playbooks import PlaybookShelf
from models.uplifts import UPLIFTS, read_uplifts

_ORDERS = text("""
SELECT (SELECT document FROM policies WHERE key = :contact) AS contact,
       (SELECT release_per_day FROM installation) AS release_per_day,
       (SELECT min(connected_at) FROM sources WHERE provides @> ARRAY['touchpoints']) AS connected_at,
       (SELECT json_agg(until ORDER BY since) FROM kind_silences WHERE kind = 'touchpoint') AS silences,
       EXISTS (SELECT FROM api_keys WHERE kind = 'write' AND revoked_at IS NULL) AS in_app,
       EXISTS (SELECT FROM connections WHERE provider IN ('hubspot', 'salesforce') AND paused_at IS NULL)
         AS deals,
       EXISTS (SELECT FROM connections WHERE provider = ANY(:billing)) AS billing,
       (SELECT document FROM policies WHERE key = :dunning) AS dunning,
       (SELECT json_agg(json_build_array(version.id, playbook.released_at IS NOT NULL) ORDER BY playbook.key)
        FROM playbooks AS playbook
        JOIN playbook_versions AS version
          ON version.playbook_key = playbook.key AND version.version = playbook.current_version
        WHERE playbook.archived_at IS NULL) AS playbooks,
       (SELECT json_build_array(holdout_salt, holdout_share, playbook_holdout_share)
        FROM installation) AS draw,
       (SELECT document FROM policies WHERE key = :quiet) AS quiet,
       (SELECT document FROM digests WHERE key = :uplifts) AS uplifts
""")


@dataclass(frozen=True)
class StandingOrders:
    """The policy that every decision is made under."""

    contact: ContactPolicy
    release_per_day: int | None
    heard_since: BusinessInstant | None
    """Since when sources tell of contacts, None while none does or all of them are silent.

    Nobody is told off for silence we cannot hear. Our own sends, replies to them and finished tasks are not
    hearing: their sources provide no touchpoints.
    """
    playbooks: tuple[KnownPlaybook, ...]
    parts: frozenset[str]
    """What playbooks may rest on: invitations always go out, prompts where a product asks for them."""
    trial: Trial | None = None
    """By what chance playbooks are withheld to measure them, and where they were measured to do harm."""
    uplifts: Uplifts = field(default_factory=dict)
    """What they were measured to save elsewhere."""
    remind_before: dt.timedelta = dt.timedelta()
    """How long before its due date an invoice that is paid by transfer gets its case."""


async def load_standing_orders(session: AsyncSession, shelf: PlaybookShelf) -> StandingOrders:
    """Return the policy in force now; documents that this process has read before are not read again."""
    values = {
        "contact": KEY,
        "quiet": QUIET,
        "uplifts": UPLIFTS,
        "dunning": DUNNING,
        "billing": sorted(BILLING_PROVIDERS),
    }
    row = (await session.execute(_ORDERS, values)).one()
    known = [
        KnownPlaybook(version, await shelf.version(session, version), released)
        for version, released in ((uuid.UUID(one[0]), one[1]) for one in row.playbooks or ())
    ]
    return StandingOrders(
        stored_contact_policy(row.contact),
        row.release_per_day,
        _heard_since(row.connected_at, row.silences or ()),
        tuple(known),
        _parts(row),
        _trial(row.draw, row.quiet),
        read_uplifts(row.uplifts),
        stored_dunning_policy(row.dunning).remind_before,
    )


def _parts(row: Any) -> frozenset[str]:
    """Return what playbooks may rest on; a calendar is always there."""
    return frozenset({"calendar", *(name for name in ("in_app", "deals", "billing") if getattr(row, name))})


def _trial(draw: tuple[str, float, float] | None, quiet: dict[str, Any] | None) -> Trial | None:
    """Return the chance that playbooks are drawn by; an installation that was never started has none."""
    if draw is None:
        return None
    salt, share, playbook_share = draw
    return Trial(salt, share, playbook_share, stored_do_not_disturb(quiet).quiet)


def _heard_since(
    connected_at: BusinessInstant | None, silences: Sequence[str | None]
) -> BusinessInstant | None:
    """Return when hearing last began; a silence without an end is going on."""
    if connected_at is None or None in silences:
        return None
    ends = [BusinessInstant(dt.datetime.fromisoformat(end)) for end in silences if end is not None]
    return max([connected_at, *ends])
