"""cases: unpaid invoices that are collected, lost customers that are won back, and what offers cost."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("dunning", "win_back", name="casekind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "held", "ended", name="casestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("policy", JSONB(), nullable=False),
        sa.Column("memory", JSONB(), nullable=False),
        sa.Column("advance_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_result", JSONB(), nullable=True),
        sa.Column("held_reason", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expected_wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_action", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "recovered",
                "exhausted",
                "written_off",
                "escalated",
                "reactivated",
                "lost",
                "stopped",
                name="caseoutcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("outcome_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_cases_customer_id_customers"),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("kind", "subject", name="uq_cases_kind_subject"),
        sa.UniqueConstraint("workflow_id", name="uq_cases_workflow_id"),
    )
    op.create_index("ix_cases_customer_id", "cases", ["customer_id"], unique=False)
    op.create_index("ix_cases_kind_ended_at", "cases", ["kind", "ended_at"], unique=False)
    op.create_index(
        "ix_cases_open",
        "cases",
        ["kind", "customer_id"],
        unique=False,
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_table(
        "case_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "started",
                "waiting",
                "done",
                "skipped",
                "deferred",
                "failed",
                "cancelled",
                name="stepstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", JSONB(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name="fk_case_steps_case_id_cases", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_case_steps"),
        sa.UniqueConstraint("case_id", "step", "occurrence", name="uq_case_steps_case_id_step_occurrence"),
    )
    op.create_table(
        "dunnings",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column(
            "collection",
            sa.Enum("charge", "transfer", name="collection", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("opened_minor", sa.BigInteger(), nullable=False),
        sa.Column("remaining_minor", sa.BigInteger(), nullable=False),
        sa.Column("recovered_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("anchored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decline_code", sa.Text(), nullable=True),
        sa.Column("decline_advice", sa.Text(), nullable=True),
        sa.Column(
            "final_action",
            sa.Enum("keep", "pause", "cancel", name="finalaction", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "recovered_by",
            sa.Enum("everstay", "provider", "customer", name="paidby", native_enum=False, length=40),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name="fk_dunnings_case_id_cases", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name="fk_dunnings_invoice_id_invoices"),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_dunnings_source_id_sources"),
        sa.PrimaryKeyConstraint("case_id", name="pk_dunnings"),
        sa.UniqueConstraint("invoice_id", name="uq_dunnings_invoice_id"),
    )
    op.create_table(
        "payment_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("effect_key", sa.Text(), nullable=True),
        sa.Column("provider_key", sa.Text(), nullable=True),
        sa.Column(
            "by",
            sa.Enum("everstay", "provider", "customer", name="paidby", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("card_key", sa.Text(), nullable=False),
        sa.Column("card_brand", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column(
            "result",
            sa.Enum(
                "pending",
                "succeeded",
                "declined",
                "uncertain",
                "not_made",
                name="attemptresult",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("decline_code", sa.Text(), nullable=True),
        sa.Column("advice_code", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name="fk_payment_attempts_case_id_cases", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["effect_key"], ["effects.key"], name="fk_payment_attempts_effect_key_effects"
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name="fk_payment_attempts_invoice_id_invoices"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_attempts"),
        sa.UniqueConstraint("effect_key", name="uq_payment_attempts_effect_key"),
    )
    op.create_index(
        "ix_payment_attempts_card_key_made_at", "payment_attempts", ["card_key", "made_at"], unique=False
    )
    op.create_index("ix_payment_attempts_case_id", "payment_attempts", ["case_id"], unique=False)
    op.create_index("ix_payment_attempts_invoice_id", "payment_attempts", ["invoice_id"], unique=False)
    op.create_index(
        "uq_payment_attempts_provider_key", "payment_attempts", ["invoice_id", "provider_key"], unique=True
    )
    op.create_table(
        "win_backs",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column(
            "cause",
            sa.Enum("voluntary", "involuntary", name="cause", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("lost_arr_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("is_held_out", sa.Boolean(), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_arr_minor", sa.BigInteger(), nullable=True),
        sa.Column("is_attributed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name="fk_win_backs_case_id_cases", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", name="pk_win_backs"),
    )
    op.add_column("effects", sa.Column("first_claimed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE effects SET first_claimed_at = claimed_at")
    op.alter_column("effects", "first_claimed_at", nullable=False)
    op.add_column("decisions", sa.Column("case_id", sa.Uuid(), nullable=True))
    op.create_index("ix_decisions_case_id", "decisions", ["case_id"], unique=False)
    op.create_foreign_key("fk_decisions_case_id_cases", "decisions", "cases", ["case_id"], ["id"])
    op.add_column("offers", sa.Column("case_id", sa.Uuid(), nullable=True))
    op.add_column("offers", sa.Column("currency", sa.Text(), nullable=True))
    op.add_column("offers", sa.Column("cost_minor", sa.BigInteger(), nullable=True))
    op.add_column("offers", sa.Column("margin", sa.Double(), nullable=True))
    op.add_column("offers", sa.Column("evidence", JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("offers", sa.Column("source_id", sa.Text(), nullable=True))
    op.add_column("offers", sa.Column("provider_key", sa.Text(), nullable=True))
    op.add_column("offers", sa.Column("code", sa.Text(), nullable=True))
    op.add_column("offers", sa.Column("decided_by_id", sa.Uuid(), nullable=True))
    op.add_column("offers", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("offers", sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("offers", "intervention_id", existing_type=sa.UUID(), nullable=True)
    op.create_index("ix_offers_case_id", "offers", ["case_id"], unique=False)
    op.create_foreign_key("fk_offers_source_id_sources", "offers", "sources", ["source_id"], ["id"])
    op.create_foreign_key("fk_offers_case_id_cases", "offers", "cases", ["case_id"], ["id"])
    op.create_foreign_key("fk_offers_decided_by_id_users", "offers", "users", ["decided_by_id"], ["id"])
    op.add_column("tasks", sa.Column("case_id", sa.Uuid(), nullable=True))
    op.create_index("ix_tasks_case_id", "tasks", ["case_id"], unique=False)
    op.create_foreign_key("fk_tasks_case_id_cases", "tasks", "cases", ["case_id"], ["id"])
    op.add_column("touchpoints", sa.Column("case_id", sa.Uuid(), nullable=True))
    op.create_index("ix_touchpoints_case_id", "touchpoints", ["case_id"], unique=False)
    op.create_foreign_key("fk_touchpoints_case_id_cases", "touchpoints", "cases", ["case_id"], ["id"])
    op.add_column("workflow_faults", sa.Column("case_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_workflow_faults_case_id_cases", "workflow_faults", "cases", ["case_id"], ["id"])
    op.add_column("workflow_orders", sa.Column("case_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_workflow_orders_case_id_cases", "workflow_orders", "cases", ["case_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint("fk_workflow_orders_case_id_cases", "workflow_orders", type_="foreignkey")
    op.drop_column("workflow_orders", "case_id")
    op.drop_constraint("fk_workflow_faults_case_id_cases", "workflow_faults", type_="foreignkey")
    op.drop_column("workflow_faults", "case_id")
    op.drop_constraint("fk_touchpoints_case_id_cases", "touchpoints", type_="foreignkey")
    op.drop_index("ix_touchpoints_case_id", table_name="touchpoints")
    op.drop_column("touchpoints", "case_id")
    op.drop_constraint("fk_tasks_case_id_cases", "tasks", type_="foreignkey")
    op.drop_index("ix_tasks_case_id", table_name="tasks")
    op.drop_column("tasks", "case_id")
    op.drop_constraint("fk_offers_decided_by_id_users", "offers", type_="foreignkey")
    op.drop_constraint("fk_offers_case_id_cases", "offers", type_="foreignkey")
    op.drop_constraint("fk_offers_source_id_sources", "offers", type_="foreignkey")
    op.drop_index("ix_offers_case_id", table_name="offers")
    op.execute("DELETE FROM offers WHERE intervention_id IS NULL")
    op.alter_column("offers", "intervention_id", existing_type=sa.UUID(), nullable=False)
    op.drop_column("offers", "redeemed_at")
    op.drop_column("offers", "expires_at")
    op.drop_column("offers", "decided_by_id")
    op.drop_column("offers", "code")
    op.drop_column("offers", "provider_key")
    op.drop_column("offers", "source_id")
    op.drop_column("offers", "evidence")
    op.drop_column("offers", "margin")
    op.drop_column("offers", "cost_minor")
    op.drop_column("offers", "currency")
    op.drop_column("offers", "case_id")
    op.drop_constraint("fk_decisions_case_id_cases", "decisions", type_="foreignkey")
    op.drop_index("ix_decisions_case_id", table_name="decisions")
    op.drop_column("decisions", "case_id")
    op.drop_column("effects", "first_claimed_at")
    op.drop_table("win_backs")
    op.drop_index("uq_payment_attempts_provider_key", table_name="payment_attempts")
    op.drop_index("ix_payment_attempts_invoice_id", table_name="payment_attempts")
    op.drop_index("ix_payment_attempts_case_id", table_name="payment_attempts")
    op.drop_index("ix_payment_attempts_card_key_made_at", table_name="payment_attempts")
    op.drop_table("payment_attempts")
    op.drop_table("dunnings")
    op.drop_table("case_steps")
    op.drop_index("ix_cases_open", table_name="cases", postgresql_where=sa.text("state <> 'ended'"))
    op.drop_index("ix_cases_kind_ended_at", table_name="cases")
    op.drop_index("ix_cases_customer_id", table_name="cases")
    op.drop_table("cases")
