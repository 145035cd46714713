"""win-backs on trial: an assignment may belong to a case, and to no version of a playbook."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("fk_assignments_playbook_key_playbooks"), "assignments", type_="foreignkey")
    op.alter_column("assignments", "version_id", existing_type=sa.Uuid(), nullable=True)
    op.add_column("assignments", sa.Column("case_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_assignments_case_id_cases"), "assignments", "cases", ["case_id"], ["id"])
    op.create_index(op.f("ix_assignments_case_id"), "assignments", ["case_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_assignments_case_id"), table_name="assignments")
    op.drop_constraint(op.f("fk_assignments_case_id_cases"), "assignments", type_="foreignkey")
    op.drop_column("assignments", "case_id")
    op.execute(
        "DELETE FROM trial_outcomes USING assignments "
        "WHERE assignments.id = assignment_id AND assignments.version_id IS NULL"
    )
    op.execute("DELETE FROM assignments WHERE version_id IS NULL")
    op.alter_column("assignments", "version_id", existing_type=sa.Uuid(), nullable=False)
    op.create_foreign_key(
        op.f("fk_assignments_playbook_key_playbooks"), "assignments", "playbooks", ["playbook_key"], ["key"]
    )
