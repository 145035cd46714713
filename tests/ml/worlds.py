"""Small made-up portfolios of which the truth is known."""

import numpy as np

from ml.samples import NEVER, Samples

MONTH = 30
COLUMNS = ("usage.week_over_baseline", "commercial.discount", "usage.week", "own.a.quantity_28")


def portfolio(
    customers: int = 400,
    months: int = 14,
    seed: int = 0,
    strength: float = 1.2,
    columns: tuple[str, ...] = COLUMNS,
) -> Samples:
    """Return monthly snapshots: who uses less than usual leaves sooner, by `strength`; the rest is noise."""
    random = np.random.default_rng(seed)
    parts: list[tuple[int, int, float, np.ndarray]] = []
    lasts = months * MONTH
    for customer in range(customers):
        trouble = random.random() < 0.4
        leaves_on = random.uniform(60, 2 * lasts) if trouble else NEVER
        for month in range(months):
            day = month * MONTH
            if day >= leaves_on:
                break
            left = leaves_on - day
            ratio = 1.0 - (strength / 4 if left < 90 else 0.0) + random.normal(0, 0.3)
            row = np.array([ratio, *random.normal(0, 1, len(columns) - 1)], dtype=np.float32)
            parts.append((customer, day, left if left <= lasts - day else NEVER, row))
    parts.sort(key=lambda one: (one[1], one[0]))
    as_of = np.array([day for _, day, _, _ in parts], dtype=np.int64)
    return Samples(
        columns=columns,
        matrix=np.stack([row for *_, row in parts]),
        customers=np.array([customer for customer, *_ in parts], dtype=np.int64),
        as_of=as_of + 20_000,
        event_days=np.array([left for _, _, left, _ in parts]),
        observed_days=(lasts - as_of).astype(np.float64),
        value=np.full(len(parts), 12_000.0),
    )
