"""what facts said before they were told anew, and daily sums that no order of adding up changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fact_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("fact_table", sa.Text(), nullable=False),
        sa.Column("fact_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_fact_changes_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_changes")),
    )
    op.create_index("ix_fact_changes_customer_id_known_at", "fact_changes", ["customer_id", "known_at"])
    op.create_index("ix_fact_changes_fact_id", "fact_changes", ["fact_id"])
    op.create_index("ix_fact_changes_source_id", "fact_changes", ["source_id"])
    op.add_column("usage_daily", sa.Column("exact_quantity", sa.Numeric(), nullable=True))
    op.add_column("usage_daily", sa.Column("exact_value", sa.Numeric(), nullable=True))


def downgrade() -> None:
    op.drop_column("usage_daily", "exact_value")
    op.drop_column("usage_daily", "exact_quantity")
    op.drop_table("fact_changes")
