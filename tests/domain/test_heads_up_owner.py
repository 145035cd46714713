import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from domain.heads_up_owner import Team, TeamMember, head_of, responsible
from domain.time import wall
from domain.vocabulary import Role

START = datetime(2026, 1, 1, tzinfo=UTC)
HEAD, LEAD, ANN, BOB, ROOT = (uuid.UUID(int=number) for number in range(1, 6))


Standing = Mapping[str, bool]


def member(number: uuid.UUID, role: Role, manager: uuid.UUID | None, more: Standing) -> TeamMember:
    return TeamMember(number, role, manager, wall(START + timedelta(days=number.int)), **more)


def team(**more: Standing) -> Team:
    members = (
        member(HEAD, Role.MANAGER, None, more.get("head", {})),
        member(LEAD, Role.MANAGER, HEAD, more.get("lead", {})),
        member(ANN, Role.CSM, LEAD, more.get("ann", {})),
        member(BOB, Role.CSM, LEAD, more.get("bob", {})),
        member(ROOT, Role.ADMIN, None, more.get("root", {})),
    )
    return {one.id: one for one in members}


AWAY, GONE = {"is_away": True}, {"is_enabled": False}


def test_the_owner_looks_after_the_warnings_of_a_customer() -> None:
    assert responsible(ANN, team()) == ANN


def test_an_unowned_customer_goes_to_the_manager_to_whom_most_people_report() -> None:
    assert responsible(None, team()) == LEAD
    assert responsible(uuid.UUID(int=99), team()) == LEAD


def test_of_equal_managers_the_one_who_is_there_longest_is_the_head() -> None:
    assert head_of(team(ann=GONE, bob=GONE, root=GONE)) == HEAD


def test_the_nearest_manager_stands_in_for_somebody_away_or_gone() -> None:
    assert responsible(ANN, team(ann=AWAY)) == LEAD
    assert responsible(ANN, team(ann=GONE, lead=AWAY)) == HEAD


def test_without_a_manager_an_administrator_stands_in() -> None:
    assert responsible(None, team(head=GONE, lead=GONE)) == ROOT


def test_where_everybody_is_away_absence_counts_for_nothing() -> None:
    everybody = dict.fromkeys(("head", "lead", "ann", "bob", "root"), AWAY)
    assert responsible(ANN, team(**everybody)) == ANN
    assert responsible(None, team(**everybody)) == LEAD


def test_a_circle_of_managers_ends() -> None:
    circle = {one.id: one for one in (member(ANN, Role.CSM, BOB, GONE), member(BOB, Role.CSM, ANN, GONE))}
    assert responsible(ANN, circle) is None


def test_an_empty_office_has_nobody() -> None:
    assert responsible(None, {}) is None
