"""what people and models think of a customer: overrides, forecasts, disagreements, weights, model health."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
STATUSES = ("thriving", "engaged", "neutral", "needs_attention", "at_risk")
STANCES = ("staying", "leaving", "none")


def _word(name: str, values: tuple[str, ...], *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Enum(*values, native_enum=False, length=40), nullable=nullable)


def _key(name: str, table: str, target: str, *, nullable: bool = False) -> tuple[SchemaItem, ...]:
    constraint = op.f(f"fk_{table}_{name}_{target}")
    return (
        sa.Column(name, sa.Uuid(), nullable=nullable),
        sa.ForeignKeyConstraint([name], [f"{target}.id"], name=constraint),
    )


def _own_id(table: str) -> tuple[SchemaItem, ...]:
    return sa.Column("id", sa.Uuid(), nullable=False), sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def upgrade() -> None:
    op.create_table(
        "health_overrides",
        *_own_id("health_overrides"),
        *_key("customer_id", "health_overrides", "customers"),
        _word("status", STATUSES),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        *_key("by_id", "health_overrides", "users", nullable=True),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        _word("rules_status", STATUSES, nullable=True),
        sa.Column("rules_score", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        _word("ended_how", ("expired", "withdrawn", "replaced"), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
    )
    op.create_index("ix_health_overrides_customer_id_set_at", "health_overrides", ["customer_id", "set_at"])
    _one_open("uq_health_overrides_open", "health_overrides")
    op.create_table(
        "forecasts",
        *_own_id("forecasts"),
        *_key("customer_id", "forecasts", "customers"),
        _word("forecast", ("will_renew", "at_risk", "will_leave")),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        *_key("by_id", "forecasts", "users", nullable=True),
        sa.Column("said_at", INSTANT, nullable=False),
    )
    op.create_index("ix_forecasts_customer_id_said_at", "forecasts", ["customer_id", "said_at"])
    _disagreements()
    _learning()


def _one_open(name: str, table: str) -> None:
    op.create_index(name, table, ["customer_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL"))


def _disagreements() -> None:
    op.create_table(
        "disagreements",
        *_own_id("disagreements"),
        *_key("customer_id", "disagreements", "customers"),
        *(_word(name, STANCES) for name in ("health", "risk", "csm")),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("quiet_since", INSTANT, nullable=True),
        *_key("task_id", "disagreements", "tasks", nullable=True),
        sa.Column("opened_at", INSTANT, nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        _word("decided", STANCES, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        *_key("decided_by_id", "disagreements", "users", nullable=True),
        sa.Column("by_policy", sa.Text(), nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("left", sa.Boolean(), nullable=True),
        sa.Column("judged_at", INSTANT, nullable=True),
    )
    op.create_index("ix_disagreements_customer_id_began_at", "disagreements", ["customer_id", "began_at"])
    _one_open("uq_disagreements_current", "disagreements")


def _learning() -> None:
    op.create_table(
        "weight_proposals",
        *_own_id("weight_proposals"),
        sa.Column("quarter", sa.Text(), nullable=True),
        sa.Column("proposed_at", INSTANT, nullable=False),
        *(sa.Column(name, JSONB(), nullable=False) for name in ("present", "proposed", "evidence")),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        *_key("answered_by_id", "weight_proposals", "users", nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.UniqueConstraint("quarter", name=op.f("uq_weight_proposals_quarter")),
    )
    op.create_table(
        "model_health",
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("measured_at", INSTANT, nullable=False),
        sa.Column("customers", sa.BigInteger(), nullable=False),
        sa.Column("reference_on", sa.Date(), nullable=False),
        sa.Column("score_psi", sa.Float(), nullable=True),
        *(sa.Column(name, JSONB(), nullable=False) for name in ("columns", "outcomes", "alerts")),
        sa.PrimaryKeyConstraint("model_version", "as_of", name=op.f("pk_model_health")),
    )
    op.create_index("ix_model_health_as_of", "model_health", ["as_of"])


def downgrade() -> None:
    for table in ("model_health", "weight_proposals", "disagreements", "forecasts", "health_overrides"):
        op.drop_table(table)
