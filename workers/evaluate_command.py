"""What `everstay evaluate` does: learn on a training window, judge on a later one, and say how."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from activities.leak_checks import LeakReport, as_check, future_deleted_equal, planted_leak_refused
from activities.training_data import Target, gather, month_starts, open_world
from domain.errors import InvalidInputError
from domain.labels import GRACE
from domain.learning_port import Check, TooLittleError
from domain.learning_rows import World
from domain.progress import Progress, part_of
from domain.time import BusinessInstant, start_of_day
from ml.evaluation import Evaluation, Task, document, evaluate, split
from ml.leak_checks import grouping, planted_leak, purge, single_feature, too_good
from ml.samples import Samples, joined, samples_of
from models.clock import open_clock
from models.database import Database
from models.snapshots import told_until
from settings import Settings

TEST_MONTHS = 3
CHECKED = 200
"""Customers that are computed anew without the future."""
LEAST_EVENTS = 10
"""Events in the training window under which nothing can be learned."""


@dataclass(frozen=True)
class Window:
    """The dates that were asked for; None is chosen by what has matured."""

    train_until: dt.date | None = None
    test_from: dt.date | None = None
    test_to: dt.date | None = None


async def run_evaluate(
    settings: Settings, target: Target, window: Window, seeds: int, progress: Progress
) -> dict[str, Any]:
    """Return the evaluation as published.

    Raises InvalidInputError where the windows overlap or too little has matured to learn from.
    """
    database = Database(settings.database_url or "", pool_size=2)
    try:
        clock = await open_clock(database)
        async with database.transaction() as session:
            known_until = await told_until(session, clock.now())
        task = _task(target, window, known_until)
        world = await open_world(database, known_until, start_of_day(task.train_until))
        samples = await _samples(database, world, target, task, progress)
        _refuse_too_little(samples, task)
        future = await _look_without_future(database, world, task)
        found = _evaluated(samples, task, seeds, part_of(progress, 0.3, 1.0))
        return _document(found, samples, future)
    finally:
        await database.close()


def _evaluated(samples: Samples, task: Task, seeds: int, progress: Progress) -> Evaluation:
    try:
        return evaluate(samples, task, seeds, progress=progress)
    except TooLittleError as reason:
        raise InvalidInputError(field="train_until", reason=str(reason)) from reason


def _task(target: Target, window: Window, known_until: BusinessInstant) -> Task:
    """Choose what was left open: the newest matured months are judged."""
    matured = (known_until - GRACE - dt.timedelta(days=target.horizon)).date()
    test_to = window.test_to or _months_before(matured.replace(day=1), 0)
    test_from = window.test_from or _months_before(test_to.replace(day=1), TEST_MONTHS - 1)
    settled = GRACE + dt.timedelta(days=1) if target.is_churn else dt.timedelta()
    train_until = window.train_until or test_from - dt.timedelta(days=target.horizon) - settled
    if not train_until < test_from <= test_to:
        reason = f"dates must rise: train until {train_until}, test from {test_from} to {test_to}"
        raise InvalidInputError(field="train_until", reason=reason)
    if (test_from - train_until).days < target.horizon:
        reason = f"leave at least {target.horizon} days between it and {test_from}, or labels overlap"
        raise InvalidInputError(field="train_until", reason=reason)
    return Task(target.value, target.horizon, target.is_churn, train_until, test_from, test_to)


def _months_before(first: dt.date, months: int) -> dt.date:
    year, month = divmod(first.year * 12 + first.month - 1 - months, 12)
    return dt.date(year, month + 1, 1)


async def _samples(
    database: Database, world: World, target: Target, task: Task, progress: Progress
) -> Samples:
    dates = await month_starts(database, task.test_to)
    wanted = [one for one in dates if one <= task.train_until or one >= task.test_from]
    if not any(one <= task.train_until for one in wanted):
        reason = "no customer was known three months before it: nothing to learn from"
        raise InvalidInputError(field="train_until", reason=reason)
    columns = [column.name for column in world.columns]
    parts: list[Samples] = []
    async for rows in gather(database, world, target, wanted):
        parts.append(samples_of(columns, rows))
        progress(f"snapshot {len(parts)} of {len(wanted)}", 0.3 * len(parts) / len(wanted))
    return joined(parts)


def _refuse_too_little(samples: Samples, task: Task) -> None:
    train, test = split(samples, task)
    for part, name in ((train, "train_until"), (test, "test_from")):
        events = int(part.happened(task.horizon).sum())
        least = LEAST_EVENTS if part is train else 1
        if min(events, len(part) - events) < least:
            reason = f"{len(part)} rows with {events} events have matured there; at least {least} are needed"
            raise InvalidInputError(field=name, reason=reason)


async def _look_without_future(database: Database, world: World, task: Task) -> list[Check]:
    """Compute some customers anew in a world without the future, at the ends of both windows."""
    ids = sorted(world.relations)[:CHECKED]
    deleted: list[LeakReport] = []
    planted: list[LeakReport] = []
    for date in (task.train_until, task.test_to):
        as_of = start_of_day(date)
        deleted.append(await future_deleted_equal(database, ids, as_of, world.since))
        planted.append(await planted_leak_refused(database, ids, as_of, world.since))
    return [as_check(deleted), as_check(planted)]


def _document(found: Evaluation, samples: Samples, future: Sequence[Check]) -> dict[str, Any]:
    horizon = found.task.horizon
    deleted, peeking = future
    planted = planted_leak(found.train, horizon)
    checks = [
        deleted,
        Check(peeking.name, peeking.passed and planted.passed, f"{peeking.said}; {planted.said}"),
        single_feature(found.train, horizon),
        purge(found.train, horizon, found.test),
        grouping(found.train, horizon),
    ]
    good = too_good(found.auc().value)
    model = f"{found.task.target}-{found.task.train_until.isoformat()}"
    return document(found, {one.name: one.passed for one in checks}, model) | {
        "leaks": {one.name: one.said for one in [*checks, good]},
        "is_too_good": not good.passed,
        "needs_review": not all(one.passed for one in [*checks, good]),
        "data": samples.digest(),
        "settings_chosen": "inside the training window, by log-loss on its later dates and other customers",
    }


def shown(found: dict[str, Any]) -> str:
    """Return it for people."""
    difference, loss = found["auc_difference"], found["log_loss_difference"]
    train, test = found["train"], found["test"]
    lines = [
        (
            f"{found['target']}: learned from {train['rows']:,} snapshots of {train['customers']:,} "
            f"customers ({train['from']} to {train['to']}, {train['positives']} events), judged on "
            f"{test['rows']:,} ({test['from']} to {test['to']}, {test['positives']} events), "
            f"{found['seeds']} seeds"
        ),
        (
            f"  AUC {_interval(found['auc'])}, plain model {_interval(found['baseline_auc'])}, "
            f"difference {_interval(difference)}"
        ),
        (
            f"  log-loss {found['log_loss']:.4f}, constant {found['constant_log_loss']:.4f}, "
            f"difference {_interval(loss, 4)}"
        ),
        (
            f"  PR-AUC {found['pr_auc']:.3f}, Brier {found['brier']:.4f}, calibration slope "
            f"{found['calibration_slope']:.2f}, ECE {found['ece']:.3f}, lift of the top decile "
            f"{found['lift_top_decile']:.1f}"
        ),
        "  tiers: " + ", ".join(f"{tier} {share:.1%}" for tier, share in found["tiers"].items()),
        "  tried, by log-loss on later dates of the training window:",
        *(
            f"    {'*' if one['is_kept'] else ' '} {one['name']:<14} {_size(one):<12}"
            f"log-loss {one['log_loss']:.4f}  AUC {one['auc']:.3f}"
            for one in sorted(found["variants"], key=lambda each: each["log_loss"])
        ),
        "  leak checks:",
        *(
            f"    {'passed' if is_passed else 'FAILED'}  {name}: {found['leaks'][name]}"
            for name, is_passed in found["leak_checks"].items()
        ),
        *(["  too good to be believed unseen: " + found["leaks"]["auc"]] if found["is_too_good"] else []),
    ]
    return "\n".join(lines)


def _interval(one: dict[str, float], digits: int = 3) -> str:
    return f"{one['value']:.{digits}f} ({one['low']:.{digits}f} to {one['high']:.{digits}f})"


def _size(variant: dict[str, Any]) -> str:
    return f"{variant['trees']:>4} trees" if variant["trees"] else f"ridge {variant['ridge']:g}"
