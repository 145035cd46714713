import json
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PLUGINS = ("-p", "tests.tiers", "-p", "no:asyncio", "-p", "no:hypothesispytest")
SAMPLE = """
import pytest

@pytest.mark.e2e
def test_slow(): ...

@pytest.mark.proof
def test_long(record_property):
    record_property("kills", 3)

@pytest.mark.benchmark
def test_timed(): ...

@pytest.mark.integration
def test_middle(): ...

def test_quick(): ...
"""


@pytest.fixture
def sample(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(SAMPLE)
    markers = ("unit", "integration", "e2e", "proof", "benchmark")
    pytester.makeini("[pytest]\nmarkers =\n" + "".join(f"    {marker}: a tier\n" for marker in markers))
    return pytester


@pytest.mark.parametrize(
    ("asked", "run"),
    [
        ([], ["test_quick", "test_middle", "test_slow"]),
        (["-m", "unit"], ["test_quick"]),
        (["-m", "not e2e"], ["test_quick", "test_middle"]),
        (["-m", "proof"], ["test_long"]),
        (["-m", "benchmark"], ["test_timed"]),
    ],
)
def test_quick_tiers_run_first_and_long_ones_when_asked_for(
    sample: pytest.Pytester, asked: list[str], run: list[str]
) -> None:
    result = sample.runpytest_inprocess(*PLUGINS, "--collect-only", "-q", *asked)
    assert [line.rpartition("::")[2] for line in result.outlines if "::" in line] == run


def test_a_proof_leaves_its_outcome_its_figures_its_date_and_its_commit(
    sample: pytest.Pytester, tmp_path: Path
) -> None:
    for command in (
        ["init"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--allow-empty", "-m", "t"],
    ):
        sample.run("git", *command)
    path = tmp_path / "proofs" / "latest.json"
    options = (*PLUGINS, "-p", "tests.proofs", f"--proofs={path}")
    assert sample.runpytest_inprocess(*options, "-m", "proof").ret == 0
    written = json.loads(path.read_text(encoding="utf-8"))
    ((name, proof),) = written["proofs"].items()
    assert (proof["outcome"], proof["figures"]) == ("passed", {"kills": 3})
    assert len(proof["commit"]) == 40
    assert proof["date"]
    written["proofs"] |= {"test_gone.py::test_gone": proof}
    path.write_text(json.dumps(written), encoding="utf-8")
    assert sample.runpytest_inprocess(*options, "-m", "unit").ret == 0
    after = json.loads(path.read_text(encoding="utf-8"))["proofs"]
    assert after[name] == proof
    assert set(after) == {name, name.replace("test_long", "test_quick")}
