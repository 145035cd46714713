"""Every table in one place, so that Alembic and the tests see the whole schema."""

from models.tables import (
    changes,
    connections,
    customers,
    data,
    endpoints,
    facts,
    judgement,
    ledger,
    meetings,
    people,
    playbooks,
    reservations,
    runs,
    scoring,
    system,
    tracking,
    trained,
    trials,
    work,
    workflows,
)
from models.tables.base import Base

METADATA = Base.metadata
MODULES = (
    changes,
    connections,
    customers,
    data,
    endpoints,
    facts,
    judgement,
    ledger,
    meetings,
    people,
    playbooks,
    runs,
    reservations,
    scoring,
    system,
    tracking,
    trials,
    trained,
    work,
    workflows,
)
