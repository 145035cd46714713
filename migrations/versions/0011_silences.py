"""how long nobody has spoken with a customer: watched by the relay."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("lifecycles", sa.Column("silence_since", INSTANT, nullable=True))
    op.add_column("lifecycles", sa.Column("silence_due_at", INSTANT, nullable=True))
    op.create_index(
        "ix_lifecycles_silence_due_at",
        "lifecycles",
        ["silence_due_at"],
        postgresql_where=sa.text("silence_due_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_lifecycles_silence_due_at", table_name="lifecycles")
    op.drop_column("lifecycles", "silence_due_at")
    op.drop_column("lifecycles", "silence_since")
