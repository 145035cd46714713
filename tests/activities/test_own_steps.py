import asyncio
import importlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from temporalio.exceptions import ApplicationError

from activities.own_steps import ATTEMPTS, OwnStepPerformer
from domain.own_steps import OwnSteps, StepContext, check_own_steps
from integrations.own_step_packages import find_own_steps
from models.database import Database
from models.installation import stop_effects
from tests.house.repository import ROOT
from tests.support.steps import Standing, one_step, stand_at

SAMPLE = ROOT / "docs" / "examples" / "gift_orders"


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limit: int = 3


class Step:
    """Does what the test says, and remembers what it was told."""

    config = Config
    results = ("good", "bad")

    def __init__(self, then: Callable[[], Any] = lambda: "good") -> None:
        self.then = then
        self.seen: list[tuple[StepContext, Config]] = []

    async def run(self, context: StepContext, config: Config) -> str:
        self.seen.append((context, config))
        made = self.then()
        result: str = await made if asyncio.iscoroutine(made) else made
        return result


def calling(step: str = "mine", **more: Any) -> dict[str, Any]:
    return {"call": {"step": step, **more}}


def performer(standing: Standing, step: Step, seconds: float = 20) -> OwnStepPerformer:
    return OwnStepPerformer(standing.database, standing.clock, OwnSteps({"mine": step}), seconds)


def failing() -> str:
    raise LookupError("the other side said no")


@pytest.mark.integration
async def test_a_step_is_told_who_it_is_about_and_its_result_is_recorded(database: Database) -> None:
    standing, step = await stand_at(database, calling(config={"limit": 7})), Step(lambda: "bad")
    result = await standing.perform(performer(standing, step))
    assert (result.state, result.reason) == ("done", "bad")
    ((context, config),) = step.seen
    assert config.limit == 7
    assert (context.customer_external_id, context.customer_name) == ("acme", "Acme")
    assert context.now == standing.clock.now()
    assert context.facts["arr"] == 48_000
    assert str(standing.run_id) in context.effect_key


@pytest.mark.integration
async def test_what_raises_is_tried_again_under_the_same_key_and_then_fails(database: Database) -> None:
    standing, step = await stand_at(database, calling()), Step(failing)
    for attempt in range(1, ATTEMPTS):
        with pytest.raises(ApplicationError) as raised:
            await standing.perform(performer(standing, step), attempt)
        assert "other side" not in str(raised.value)
    result = await standing.perform(performer(standing, step), ATTEMPTS)
    assert (result.state, result.reason) == ("failed", "own_step_raised")
    assert "the other side said no" in (await standing.sentences())[-1]
    assert len({context.effect_key for context, _ in step.seen}) == 1


@pytest.mark.integration
@pytest.mark.parametrize("how", ["waits", "blocks"])
async def test_what_hangs_fails_and_holds_up_nobody_else(database: Database, how: str) -> None:
    standing, let_go = await stand_at(database, calling()), threading.Event()

    async def wait() -> str:
        await asyncio.Event().wait()
        return "good"

    def block() -> str:
        let_go.wait(60)
        return "good"

    step = Step(wait if how == "waits" else block)
    try:
        result = await standing.perform(performer(standing, step, seconds=0.2))
    finally:
        let_go.set()
    assert (result.state, result.reason) == ("failed", "own_step_timeout")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"step": "mien"}, "own_step_unknown"),
        ({"config": {"limit": "many"}}, "own_step_config"),
        ({"config": {"limits": 1}}, "own_step_config"),
    ],
)
async def test_what_does_not_fit_fails_with_a_reason_and_never_runs(
    database: Database, said: dict[str, Any], reason: str
) -> None:
    standing, step = await stand_at(database, calling(**said)), Step()
    result = await standing.perform(performer(standing, step))
    assert (result.state, result.reason, step.seen) == ("failed", reason, [])
    assert (await standing.sentences())[-1] != ""


@pytest.mark.integration
async def test_a_result_that_was_not_declared_fails(database: Database) -> None:
    standing = await stand_at(database, calling())
    result = await standing.perform(performer(standing, Step(lambda: "whatever")))
    assert (result.state, result.reason) == ("failed", "own_step_result")


@pytest.mark.integration
async def test_while_effects_are_stopped_it_is_put_off(database: Database) -> None:
    standing, step = await stand_at(database, calling()), Step()
    async with database.transaction() as session:
        await stop_effects(session, standing.clock.now())
    assert (await standing.perform(performer(standing, step))).reason == "effects_stopped"
    assert step.seen == []


def test_a_playbook_is_checked_before_it_is_published() -> None:
    known = OwnSteps({"mine": Step()}, {"sick": "ImportError: no module"})

    def problems(**call: Any) -> list[tuple[str, str]]:
        found = check_own_steps(one_step({"call": call}), known)
        return [(one.path, one.message) for one in found]

    assert (
        problems(step="mine", config={"limit": 1}, results={"bad": "rest", "own_step_raised": "rest"}) == []
    )
    ((path, said),) = problems(step="mien")
    assert (path, "did you mean 'mine'?" in said) == ("steps.0.call.step", True)
    ((_, said),) = problems(step="sick")
    assert "no module" in said
    ((path, _),) = problems(step="mine", config={"limit": "many"})
    assert path == "steps.0.call.config.limit"
    ((path, said),) = problems(step="mine", results={"worse": "rest"})
    assert (path, "good, bad" in said) == ("steps.0.call.results.worse", True)


@pytest.mark.integration
async def test_the_sample_package_is_installed_found_and_run(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, folder = tmp_path / "installed", tmp_path / "gifts"
    install(target)
    monkeypatch.syspath_prepend(str(target))
    importlib.invalidate_caches()
    known = find_own_steps.__wrapped__()  # what another test may have found stays as it is
    assert ("order_gift" in known.steps, dict(known.broken)) == (True, {})
    call = {"step": "order_gift", "config": {"folder": str(folder), "gift": "book"}}
    assert check_own_steps(one_step({"call": call}), known) == []
    standing = await stand_at(database, {"call": call})
    own = OwnStepPerformer(database, standing.clock, known)
    assert (await standing.perform(own)).reason == "ordered"
    (order,) = folder.glob("*.json")
    assert json.loads(order.read_text(encoding="utf-8"))["gift"] == "book"
    run_its_own_tests(target)


def install(target: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    offline = ("--offline", "--no-index", "--no-deps", "--no-build-isolation", "--no-cache")
    subprocess.run(
        [uv, "pip", "install", "--quiet", *offline, "--python", sys.executable, "--target", target, SAMPLE],
        check=True,
    )


def run_its_own_tests(target: Path) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", "/dev/null", f"--rootdir={target}")
    found = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(SAMPLE / "tests")],
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{target}:{ROOT}", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert found.returncode == 0, found.stdout + found.stderr
