"""who is invited to the meetings of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("stamp", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["meetings.id"],
            name=op.f("fk_invitations_meeting_id_meetings"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_invitations_contact_id_contacts")
        ),
        sa.PrimaryKeyConstraint("meeting_id", name=op.f("pk_invitations")),
    )
    op.create_index(op.f("ix_invitations_contact_id"), "invitations", ["contact_id"])
    op.create_index(op.f("ix_meetings_organiser_id"), "meetings", ["organiser_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_meetings_organiser_id"), table_name="meetings")
    op.drop_table("invitations")
