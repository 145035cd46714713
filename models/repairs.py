"""Repairs of what the monitor found: each by itself, whatever becomes of the others."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, EverstayError, InvalidInputError
from domain.monitoring import Finding, Repair
from domain.vocabulary import Outcome
from models.case_watch import retry_case
from models.effect_answers import answer_effect
from models.hands import Hand
from models.run_control import restart_run, retry_customer, retry_run, skip_step, stop_run

MOST_AT_ONCE = 500


@dataclass(frozen=True)
class RepairOrder:
    """What a person wants done; a stop says with which outcome, and why."""

    repair: Repair
    outcome: Outcome | None = None
    reason: str = ""


@dataclass(frozen=True)
class Repaired:
    """What became of an order: how many were mended, and which were not, with the reason in words."""

    done: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


async def repair_all(
    session: AsyncSession, findings: Sequence[Finding], order: RepairOrder, hand: Hand
) -> Repaired:
    """Repair what was found; one that cannot be is told and keeps no other from it."""
    done: list[str] = []
    refused: list[tuple[str, str]] = []
    for finding in sorted(findings, key=lambda one: (one.customer_id, one.key)):
        try:
            async with session.begin_nested():
                await repair(session, finding, order, hand)
            done.append(finding.key)
        except EverstayError as error:
            refused.append((finding.key, str(error)))
    return Repaired(tuple(done), tuple(refused))


async def repair(session: AsyncSession, finding: Finding, order: RepairOrder, hand: Hand) -> None:
    """Repair one finding; raises what the act itself refuses."""
    if order.repair not in finding.repairs:
        words = finding.trouble.value.replace("_", " ")
        raise ConflictError(what=f"The repair {order.repair.value}", reason=f"it does not mend: {words}")
    if order.repair in {Repair.SENT, Repair.NOT_SENT}:
        await answer_effect(session, finding.id, hand, happened=order.repair is Repair.SENT)
    elif finding.case_id is not None:
        anew = order.repair is Repair.RESTART_WORKFLOW
        await retry_case(session, finding.case_id, hand, anew=anew)
    elif finding.run_id is None:
        anew = order.repair is Repair.RESTART_WORKFLOW
        await retry_customer(session, finding.customer_id, hand, anew=anew)
    else:
        await _of_run(session, finding.run_id, order, hand)


async def _of_run(session: AsyncSession, run_id: uuid.UUID, order: RepairOrder, hand: Hand) -> None:
    if order.repair is Repair.STOP:
        if order.outcome is None:
            raise InvalidInputError(field="outcome", reason="say how the run ends")
        await stop_run(session, run_id, order.outcome, order.reason, hand)
    elif order.repair is Repair.SKIP:
        await skip_step(session, run_id, hand)
    elif order.repair is Repair.RESTART:
        await restart_run(session, run_id, None, hand)
    else:
        await retry_run(session, run_id, hand, anew=order.repair is Repair.RESTART_WORKFLOW)


def named(findings: Sequence[Finding], keys: Sequence[str]) -> list[Finding]:
    """Return the findings with these keys; what has been mended since is left out."""
    if len(keys) > MOST_AT_ONCE:
        raise InvalidInputError(field="findings", reason=f"at most {MOST_AT_ONCE} at once")
    wanted = set(keys)
    return [one for one in findings if one.key in wanted]
