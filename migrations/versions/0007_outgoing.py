"""endpoints that we post to, and when prompts are over."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by_id", sa.Uuid(), nullable=True),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["users.id"], name=op.f("fk_webhook_endpoints_changed_by_id_users")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(
        "ix_prompts_open",
        "prompts",
        ["expires_at"],
        postgresql_where=sa.text("state IN ('offered', 'shown')"),
    )


def downgrade() -> None:
    op.drop_index("ix_prompts_open", table_name="prompts")
    op.drop_table("webhook_endpoints")
