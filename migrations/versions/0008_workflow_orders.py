"""orders to workflows, and what is wrong with them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORD = sa.String(length=40)


def _belongs(table: str) -> list[sa.ForeignKeyConstraint]:
    owners = {"customer_id": "customers", "intervention_id": "interventions"}
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))
        for column, other in owners.items()
    ]


def upgrade() -> None:
    op.create_table(
        "workflow_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("intervention_id", sa.Uuid(), nullable=True),
        sa.Column("action", WORD, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        *_belongs("workflow_orders"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_orders")),
    )
    is_open = sa.text("done_at IS NULL")
    op.create_index("ix_workflow_orders_open", "workflow_orders", ["asked_at"], postgresql_where=is_open)
    op.create_table(
        "workflow_faults",
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("intervention_id", sa.Uuid(), nullable=True),
        sa.Column("trouble", WORD, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("first_seen_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        *_belongs("workflow_faults"),
        sa.PrimaryKeyConstraint("workflow_id", name=op.f("pk_workflow_faults")),
    )
    op.create_table(
        "workflow_looks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wall_at", INSTANT, nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_looks")),
    )


def downgrade() -> None:
    for table in ("workflow_looks", "workflow_faults", "workflow_orders"):
        op.drop_table(table)
