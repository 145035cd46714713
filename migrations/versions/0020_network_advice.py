"""network advice: what a card's network says of a refusal is kept with the attempt."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_attempts", sa.Column("network_code", sa.Text(), nullable=True))
    op.add_column("payment_attempts", sa.Column("network_advice", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("payment_attempts", "network_advice")
    op.drop_column("payment_attempts", "network_code")
