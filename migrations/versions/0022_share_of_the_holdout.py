"""share of the holdout: its default lives in the database, as that of playbooks does."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("installation", "holdout_share", server_default="0.05")


def downgrade() -> None:
    op.alter_column("installation", "holdout_share", server_default=None)
