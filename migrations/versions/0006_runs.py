"""offers, prompts, pauses and requests of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORD = sa.String(length=40)


def _reference(table: str, column: str, other: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.{key}"], name=op.f(f"fk_{table}_{column}_{other}"))


def upgrade() -> None:
    _offers()
    _prompts()
    _pauses()
    _requests()


def _offers() -> None:
    op.create_table(
        "offers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("intervention_id", sa.Uuid(), nullable=False),
        sa.Column("effect_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("percent", sa.Float(), nullable=True),
        sa.Column("months", sa.BigInteger(), nullable=True),
        sa.Column("state", WORD, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        _reference("offers", "customer_id", "customers"),
        _reference("offers", "intervention_id", "interventions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sa.UniqueConstraint("effect_key", name=op.f("uq_offers_effect_key")),
    )
    op.create_index(op.f("ix_offers_customer_id"), "offers", ["customer_id"])
    op.create_index(op.f("ix_offers_intervention_id"), "offers", ["intervention_id"])


def _prompts() -> None:
    op.create_table(
        "prompts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("intervention_id", sa.Uuid(), nullable=True),
        sa.Column("effect_key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("state", WORD, nullable=False),
        sa.Column("offered_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("shown_at", INSTANT, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        _reference("prompts", "customer_id", "customers"),
        _reference("prompts", "contact_id", "contacts"),
        _reference("prompts", "intervention_id", "interventions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
        sa.UniqueConstraint("effect_key", name=op.f("uq_prompts_effect_key")),
    )
    op.create_index("ix_prompts_contact_id_state", "prompts", ["contact_id", "state"])
    op.create_index(op.f("ix_prompts_customer_id"), "prompts", ["customer_id"])
    op.create_index(op.f("ix_prompts_intervention_id"), "prompts", ["intervention_id"])


def _pauses() -> None:
    op.create_table(
        "pauses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope", WORD, nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        _reference("pauses", "by_id", "users"),
        _reference("pauses", "ended_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pauses")),
    )
    op.create_index(
        "uq_pauses_open",
        "pauses",
        ["scope", "key"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _requests() -> None:
    op.create_table(
        "run_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("playbook_key", sa.Text(), nullable=False),
        sa.Column("is_urgent", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("state", WORD, nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("intervention_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        _reference("run_requests", "customer_id", "customers"),
        _reference("run_requests", "playbook_key", "playbooks", "key"),
        _reference("run_requests", "by_id", "users"),
        _reference("run_requests", "intervention_id", "interventions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_requests")),
    )
    op.create_index(
        "ix_run_requests_open",
        "run_requests",
        ["customer_id"],
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    for table in ("run_requests", "pauses", "prompts", "offers"):
        op.drop_table(table)
