"""trained models: the registry, trainings under way, shadow scores, and what is foretold of each customer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORD = sa.String(40)


def upgrade() -> None:
    op.create_table(
        "trainings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("target", WORD, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("started_wall", INSTANT, nullable=False),
        sa.Column("known_until", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("departures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_trainings"),
    )
    op.create_table(
        "training_parts",
        sa.Column("training", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["training"], ["trainings.key"], name="fk_training_parts_training_trainings"),
        sa.PrimaryKeyConstraint("training", "as_of", name="pk_training_parts"),
    )
    op.create_table(
        "models",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("target", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("training", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("horizon_days", sa.BigInteger(), nullable=False),
        sa.Column("columns", ARRAY(sa.Text()), nullable=False),
        sa.Column("base_rate", sa.Float(), nullable=False),
        sa.Column("calibration", JSONB(), nullable=False),
        sa.Column("anchors", JSONB(), nullable=False),
        sa.Column("churners", sa.BigInteger(), nullable=False),
        sa.Column("other_rate", sa.Float(), nullable=False),
        sa.Column("data_hash", sa.Text(), nullable=False),
        sa.Column("trained_at", INSTANT, nullable=False),
        sa.Column("trained_until", sa.Date(), nullable=False),
        sa.Column("judged_until", sa.Date(), nullable=False),
        sa.Column("artefact", sa.LargeBinary(), nullable=False),
        sa.Column("judged_artefact", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("reviewed_at", INSTANT, nullable=True),
        sa.Column("replaced", sa.Text(), nullable=True),
        sa.Column("card", JSONB(), nullable=False),
        sa.Column("decisions", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["training"], ["trainings.key"], name="fk_models_training_trainings"),
        sa.PrimaryKeyConstraint("name", name="pk_models"),
        sa.UniqueConstraint("training", name="uq_models_training"),
    )
    op.create_index("ix_models_target", "models", ["target"])
    op.create_index(
        "uq_models_champion",
        "models",
        ["target"],
        unique=True,
        postgresql_where=sa.text("state = 'champion'"),
    )
    op.create_table(
        "shadow_scores",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.Column("tier", WORD, nullable=True),
        sa.ForeignKeyConstraint(["model"], ["models.name"], name="fk_shadow_scores_model_models"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_shadow_scores_customer_id_customers"
        ),
        sa.PrimaryKeyConstraint("model", "as_of", "customer_id", name="pk_shadow_scores"),
    )
    for table in ("customers", "scores", "assessments"):
        op.add_column(table, sa.Column("renewal_probability", sa.Float(), nullable=True))
        op.add_column(table, sa.Column("expansion_probability", sa.Float(), nullable=True))
    for table in ("scores", "assessments"):
        op.add_column(table, sa.Column("outlook_missing", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in ("scores", "assessments"):
        op.drop_column(table, "outlook_missing")
    for table in ("customers", "scores", "assessments"):
        op.drop_column(table, "expansion_probability")
        op.drop_column(table, "renewal_probability")
    op.drop_table("shadow_scores")
    op.drop_table("models")
    op.drop_table("training_parts")
    op.drop_table("trainings")
