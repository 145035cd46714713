"""contact reservations."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contact_reservations",
        sa.Column("intervention_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column(
            "channel",
            sa.Enum(
                "email",
                "call",
                "meeting",
                "note",
                "chat",
                "in_app",
                name="channel",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("worth", sa.Double(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slot_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latest_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("displaced", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contacts.id"],
            name=op.f("fk_contact_reservations_contact_id_contacts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_contact_reservations_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["intervention_id"],
            ["interventions.id"],
            name=op.f("fk_contact_reservations_intervention_id_interventions"),
        ),
        sa.PrimaryKeyConstraint(
            "intervention_id", "step_id", "occurrence", name=op.f("pk_contact_reservations")
        ),
    )
    op.create_index(
        op.f("ix_contact_reservations_contact_id"), "contact_reservations", ["contact_id"], unique=False
    )
    op.create_index(
        op.f("ix_contact_reservations_customer_id"), "contact_reservations", ["customer_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_contact_reservations_customer_id"), table_name="contact_reservations")
    op.drop_index(op.f("ix_contact_reservations_contact_id"), table_name="contact_reservations")
    op.drop_table("contact_reservations")
