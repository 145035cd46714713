"""who was treated and who was left out by chance, and what became of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    share = sa.Column("playbook_holdout_share", sa.Float(), server_default="0.1", nullable=False)
    op.add_column("installation", share)
    _assignments()
    _outcomes()


def _word(name: str, *words: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Enum(*words, native_enum=False, length=40), nullable=nullable)


def _assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("playbook_key", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Text(), server_default="", nullable=False),
        sa.Column("intervention_id", sa.Uuid(), nullable=True),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("propensity", sa.Float(), nullable=False),
        sa.Column("global_share", sa.Float(), nullable=False),
        sa.Column("assigned_at", INSTANT, nullable=False),
        _word("segment", "small", "mid_market", "enterprise"),
        _word("touch_tier", "strategic", "managed", "tech_touch"),
        _word("acted_tier", "low", "medium", "high", "critical", nullable=True),
        sa.Column("churn_probability", sa.Float(), nullable=True),
        sa.Column("arr_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.{target}"], name=op.f(f"fk_assignments_{column}_{table}")
            )
            for column, table, target in (
                ("customer_id", "customers", "id"),
                ("playbook_key", "playbooks", "key"),
                ("version_id", "playbook_versions", "id"),
                ("intervention_id", "interventions", "id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
        sa.UniqueConstraint("key", name=op.f("uq_assignments_key")),
    )
    for columns in (
        ["intervention_id"],
        ["customer_id", "playbook_key"],
        ["playbook_key", "assigned_at"],
        ["assigned_at"],
    ):
        op.create_index(op.f(f"ix_assignments_{'_'.join(columns)}"), "assignments", columns)


def _outcomes() -> None:
    op.create_table(
        "trial_outcomes",
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        _word("measure", "recovered", "stayed", "goal"),
        _word(
            "label",
            "saved",
            "churned",
            "recovered",
            "reactivated",
            "lost",
            "expanded",
            "renewed",
            "no_change",
            nullable=True,
        ),
        sa.Column("is_good", sa.Boolean(), nullable=True),
        sa.Column("matured_at", INSTANT, nullable=False),
        sa.Column("known_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignments.id"],
            name=op.f("fk_trial_outcomes_assignment_id_assignments"),
        ),
        sa.PrimaryKeyConstraint("assignment_id", "measure", name=op.f("pk_trial_outcomes")),
    )
    op.create_index("ix_trial_outcomes_known_at", "trial_outcomes", ["known_at"])


def downgrade() -> None:
    op.drop_table("trial_outcomes")
    op.drop_table("assignments")
    op.drop_column("installation", "playbook_holdout_share")
