"""The ingest benchmark as a proof: fast enough, and no slower with ten times as much stored."""

from collections.abc import Callable

import pytest

from settings import load_settings
from workers.bench.ingest import IngestOptions, bench_ingest

pytestmark = pytest.mark.proof

MILLION = 1_000_000
LEAST_PER_SECOND, LEAST_OF_COPY, FLAT = 20_000, 0.3, 0.8


def test_ten_million_stored_events_make_ingest_no_slower(
    record_property: Callable[[str, object], None],
) -> None:
    rates = []
    for stored in (MILLION, 10 * MILLION):
        report = bench_ingest(load_settings(), IngestOptions(stored=stored), print).document()
        record_property(f"stored_{stored}", report)
        figures = report["figures"]
        assert figures["stored"] == figures["stored_once"] == figures["sent"]
        assert figures["events_per_second"] >= LEAST_PER_SECOND
        assert report["ratios"]["of_copy"] >= LEAST_OF_COPY
        rates.append(figures["events_per_second"])
    assert rates[1] >= FLAT * rates[0]
