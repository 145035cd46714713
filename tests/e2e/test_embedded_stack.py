import json

import pytest

from settings import Settings
from tests.support.stack import everstay, run_everstay

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PARTS = {
    "postgres",
    "temporal",
    "simulators",
    "api",
    "worker-lifecycle",
    "worker-decisions",
    "worker-activities",
    "relay",
}


def test_the_whole_stack_is_well(stack: Settings) -> None:
    assert set(json.loads(everstay(stack, "status", "--json"))["parts"]) == PARTS
    everstay(stack, "doctor")


@pytest.mark.parametrize("words", [["up", "--detach"], ["up"]], ids=" ".join)
def test_a_second_copy_is_refused(stack: Settings, words: list[str]) -> None:
    second = run_everstay(stack, *words)
    assert second.returncode == 1
    assert "already runs" in second.stderr
