"""The benchmark of effects: a small run tells every figure, and nothing is done twice or lost."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import build_app
from ml.simulation.cards import MIXES
from workers.bench.recovery import recovery_of

FAULTY = 7
SIZES = {"letters": 4, "charges": 2, "faulty": FAULTY, "stops": 1, "cards": 20}
FIGURES = {
    "sends_per_second",
    "charges_per_second",
    "stop_after_payment_p50_ms",
    "stop_after_payment_p95_ms",
    "duplicates",
    "lost",
    "uncertain",
    "under_faults",
    "recovery",
}


@pytest.mark.e2e
def test_letters_and_charges_under_faults_are_neither_doubled_nor_lost(tmp_path: Path) -> None:
    told = tmp_path / "effects.json"
    words = [word for name, size in SIZES.items() for word in (f"--{name}", str(size))]
    result = CliRunner().invoke(build_app(), ["bench", "effects", *words, "--json", str(told)])
    assert result.exit_code == 0, result.output
    document = json.loads(told.read_text(encoding="utf-8"))
    figures = document["figures"]
    assert set(figures) == FIGURES
    assert set(document["limits"]) == {"provider_sends_per_second", "provider_charges_per_second"}
    assert set(document["ratios"]) == {"of_provider", "of_provider_charges"}
    assert (figures["duplicates"], figures["lost"]) == (0, 0)
    for part in figures["under_faults"].values():
        assert part["taken"] + part["uncertain"] >= part["asked"] == FAULTY
        assert part["unrecorded"] == 0
    assert figures["stop_after_payment_p95_ms"] > 0


def test_every_schedule_meets_the_same_cards_of_each_mix() -> None:
    found = recovery_of(30, (1, 2))
    assert set(found) == set(MIXES)
    for schedules in found.values():
        assert {one["attempts"] > 0 for one in schedules.values()} == {True}
        ours, daily = schedules["ours"], schedules["8 daily"]
        assert ours["hopeless_attempts"] == 0 < daily["hopeless_attempts"]
        assert ours["recovered_share"] > daily["recovered_share"]
