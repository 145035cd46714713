"""E-mail: limits of sender domains, the provider's suppression lists, and topics that people refuse."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sending_hours",
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("optional", sa.BigInteger(), nullable=False),
        sa.Column("transactional", sa.BigInteger(), nullable=False),
        sa.Column("promised", sa.BigInteger(), nullable=False),
        sa.Column("earned_per_day", sa.BigInteger(), nullable=True),
        sa.Column("earned_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("domain", "hour", name="pk_sending_hours"),
    )
    op.create_table(
        "suppression_pulls",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column(
            "list",
            sa.Enum(
                "bounces",
                "blocks",
                "spam_reports",
                "invalid_emails",
                "unsubscribes",
                "group_unsubscribes",
                name="suppressionlist",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("cursor", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pulled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("provider", "list", name="pk_suppression_pulls"),
    )
    op.create_table(
        "provider_suppressions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column(
            "list",
            sa.Enum(
                "bounces",
                "blocks",
                "spam_reports",
                "invalid_emails",
                "unsubscribes",
                "group_unsubscribes",
                name="suppressionlist",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by_id", sa.Uuid(), nullable=True),
        sa.Column("lifted_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lifted_by_id"], ["users.id"], name="fk_provider_suppressions_lifted_by_id_users"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_provider_suppressions"),
    )
    op.create_index("ix_provider_suppressions_email", "provider_suppressions", ["email"], unique=False)
    op.create_index(
        "ix_provider_suppressions_listed_at_id", "provider_suppressions", ["listed_at", "id"], unique=False
    )
    op.create_index(
        "uq_provider_suppressions_provider_list_group_email",
        "provider_suppressions",
        ["provider", "list", "group", "email"],
        unique=True,
    )
    op.create_table(
        "topic_choices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column(
            "topic",
            sa.Enum(
                "onboarding",
                "retention",
                "renewal",
                "expansion",
                "dunning",
                "win_back",
                name="motion",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_topic_choices_contact_id_contacts"),
        sa.PrimaryKeyConstraint("id", name="pk_topic_choices"),
    )
    op.create_index(
        "ix_topic_choices_contact_id_occurred_at",
        "topic_choices",
        ["contact_id", "occurred_at"],
        unique=False,
    )
    op.add_column("effects", sa.Column("sender_domain", sa.Text(), nullable=True))
    op.create_index(
        "ix_effects_sender_domain_claimed_at", "effects", ["sender_domain", "claimed_at"], unique=False
    )
    op.create_index(
        "ix_touchpoints_out",
        "touchpoints",
        ["occurred_at", "id"],
        unique=False,
        postgresql_where=sa.text("direction = 'out'"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_touchpoints_out", table_name="touchpoints", postgresql_where=sa.text("direction = 'out'")
    )
    op.drop_index("ix_effects_sender_domain_claimed_at", table_name="effects")
    op.drop_column("effects", "sender_domain")
    op.drop_index("ix_topic_choices_contact_id_occurred_at", table_name="topic_choices")
    op.drop_table("topic_choices")
    op.drop_index("uq_provider_suppressions_provider_list_group_email", table_name="provider_suppressions")
    op.drop_index("ix_provider_suppressions_listed_at_id", table_name="provider_suppressions")
    op.drop_index("ix_provider_suppressions_email", table_name="provider_suppressions")
    op.drop_table("provider_suppressions")
    op.drop_table("suppression_pulls")
    op.drop_table("sending_hours")
