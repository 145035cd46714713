"""Who looks after a warning: the customer's owner, or whoever stands in for them."""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.time import WallInstant
from domain.vocabulary import Role


@dataclass(frozen=True)
class TeamMember:
    """What the rule asks of one of ours."""

    id: uuid.UUID
    role: Role
    manager_id: uuid.UUID | None
    created_at: WallInstant
    is_enabled: bool = True
    is_away: bool = False

    @property
    def is_present(self) -> bool:
        """Whether they can look now."""
        return self.is_enabled and not self.is_away


Team = Mapping[uuid.UUID, TeamMember]
Test = Callable[[TeamMember], bool]


def responsible(owner_id: uuid.UUID | None, team: Team) -> uuid.UUID | None:
    """Return who looks after the warnings of a customer with this owner; None only where nobody works here.

    The owner, else the nearest manager above them, else the head of the team (see `head_of`). Where all of
    these are away, absence counts for nothing and the same is asked again.
    """
    for can_look in (_is_present, _is_enabled):
        found = _up_the_line(owner_id, team, can_look) or head_of(team, can_look)
        if found is not None:
            return found
    return None


def _is_present(one: TeamMember) -> bool:
    return one.is_present


def _is_enabled(one: TeamMember) -> bool:
    return one.is_enabled


def _up_the_line(owner_id: uuid.UUID | None, team: Team, can_look: Test) -> uuid.UUID | None:
    """Return the first who can look, from the owner upwards; a circle of managers ends it."""
    seen: set[uuid.UUID] = set()
    at = owner_id
    while at is not None and at in team and at not in seen:
        if can_look(team[at]):
            return at
        seen.add(at)
        at = team[at].manager_id
    return None


def head_of(team: Team, can_look: Test = _is_present) -> uuid.UUID | None:
    """Return the manager to whom most people report, else an administrator; the longest there of equals."""
    reports = Counter(one.manager_id for one in team.values() if one.is_enabled)
    for role in (Role.MANAGER, Role.ADMIN):
        able = [one for one in team.values() if one.role is role and can_look(one)]
        if able:
            return min(able, key=lambda one: (-reports[one.id], one.created_at, one.id)).id
    return None
