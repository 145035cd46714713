"""Mail about warnings to our own people: who was told of what, who wants what, and who looks after what."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHOICE = ("at_once", "digest", "never")


def _choice(name: str) -> sa.Column[str]:
    kind = sa.Enum(*CHOICE, name="mailchoice", native_enum=False, length=40)
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.alter_column("effects", "customer_id", existing_type=sa.Uuid(), nullable=True)
    op.add_column("effects", sa.Column("user_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_effects_user_id_users"), "effects", "users", ["user_id"], ["id"])
    op.add_column("heads_ups", sa.Column("owner_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "heads_ups",
        sa.Column("follows_customer", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    # Whoever has a warning beside the customer's owner was chosen by a person or by a playbook.
    op.execute(
        "UPDATE heads_ups SET follows_customer = false FROM customers"
        " WHERE customers.id = heads_ups.customer_id AND heads_ups.owner_id IS NOT NULL"
        " AND heads_ups.owner_id IS DISTINCT FROM customers.csm_id"
    )
    op.create_table(
        "heads_up_mails",
        sa.Column("heads_up_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("effect_key", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["effect_key"], ["effects.key"], name=op.f("fk_heads_up_mails_effect_key_effects")
        ),
        sa.ForeignKeyConstraint(
            ["heads_up_id"],
            ["heads_ups.id"],
            name=op.f("fk_heads_up_mails_heads_up_id_heads_ups"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_heads_up_mails_user_id_users")),
        sa.PrimaryKeyConstraint("heads_up_id", "user_id", name=op.f("pk_heads_up_mails")),
    )
    op.create_index(op.f("ix_heads_up_mails_effect_key"), "heads_up_mails", ["effect_key"], unique=False)
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        _choice("critical"),
        _choice("high"),
        _choice("medium"),
        _choice("info"),
        sa.Column("away_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_notification_preferences_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_preferences")),
    )


def downgrade() -> None:
    op.drop_table("notification_preferences")
    op.drop_index(op.f("ix_heads_up_mails_effect_key"), table_name="heads_up_mails")
    op.drop_table("heads_up_mails")
    op.drop_column("heads_ups", "follows_customer")
    op.drop_column("heads_ups", "owner_since")
    op.execute("DELETE FROM effects WHERE customer_id IS NULL")
    op.drop_constraint(op.f("fk_effects_user_id_users"), "effects", type_="foreignkey")
    op.drop_column("effects", "user_id")
    op.alter_column("effects", "customer_id", existing_type=sa.Uuid(), nullable=False)
