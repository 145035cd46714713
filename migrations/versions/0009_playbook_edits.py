"""who published a version, and what became of the runs that were open then."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    origin = sa.Column("origin", sa.Text(), server_default="library", nullable=False)
    op.add_column("playbook_versions", origin)
    op.add_column("playbook_versions", sa.Column("published_by_id", sa.Uuid(), nullable=True))
    op.add_column("playbook_versions", sa.Column("note", sa.Text(), server_default="", nullable=False))
    name = op.f("fk_playbook_versions_published_by_id_users")
    op.create_foreign_key(name, "playbook_versions", "users", ["published_by_id"], ["id"])
    _edits()


def _edits() -> None:
    op.create_table(
        "playbook_edits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("playbook_key", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("choices", postgresql.JSONB(), nullable=False),
        sa.Column("spreads", sa.Boolean(), nullable=False),
        sa.Column("through", sa.Uuid(), nullable=True),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["playbook_key"], ["playbooks.key"], name=op.f("fk_playbook_edits_playbook_key_playbooks")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["playbook_versions.id"],
            name=op.f("fk_playbook_edits_version_id_playbook_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playbook_edits")),
        sa.UniqueConstraint("version_id", name=op.f("uq_playbook_edits_version_id")),
    )
    op.create_index(
        "ix_playbook_edits_open",
        "playbook_edits",
        ["playbook_key"],
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("playbook_edits")
    op.drop_constraint(op.f("fk_playbook_versions_published_by_id_users"), "playbook_versions")
    for name in ("note", "published_by_id", "origin"):
        op.drop_column("playbook_versions", name)
