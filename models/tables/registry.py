"""Every table in one place, so that Alembic and the tests see the whole schema."""

from models.tables import customers, data, facts, ledger, people, playbooks, scoring, system, work
from models.tables.base import Base

METADATA = Base.metadata
MODULES = (customers, data, facts, ledger, people, playbooks, scoring, system, work)
