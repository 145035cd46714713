"""webhook events: subscriptions of endpoints, messages with their attempts, and triggers that write them."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TELL = """
CREATE FUNCTION everstay_tell() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
-- Arguments: the event, and its fields as name=column; the row before an update is meant by old.column.
DECLARE
    event text := TG_ARGV[0];
    patterns text[] := ARRAY[event, split_part(event, '.', 1) || '.*', '*'];
    fresh jsonb;
    stale jsonb;
    told jsonb;
BEGIN
    IF NOT EXISTS (SELECT FROM webhook_endpoints WHERE events && patterns) THEN
        RETURN NULL;
    END IF;
    fresh := to_jsonb(NEW);
    stale := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) END;
    SELECT jsonb_object_agg(
        split_part(given, '=', 1),
        CASE WHEN given LIKE '%=old.%' THEN stale -> split_part(given, '=old.', 2)
             ELSE fresh -> split_part(given, '=', 2) END)
    INTO told FROM unnest(TG_ARGV[1:]) AS given;
    SELECT told || jsonb_build_object('customer', (
        SELECT jsonb_build_object('id', id, 'external_id', external_id, 'name', name) FROM customers
        WHERE id = (CASE WHEN TG_TABLE_NAME = 'customers' THEN fresh ->> 'id'
                         ELSE fresh ->> 'customer_id' END)::uuid))
    INTO told;
    INSERT INTO webhook_messages (id, endpoint, type, data, state, attempts, tried, created_at, due_at)
    SELECT gen_random_uuid(), key, event, told, 'waiting', 0, 0, clock_timestamp(), clock_timestamp()
    FROM webhook_endpoints WHERE events && patterns ORDER BY key;
    PERFORM pg_notify('everstay_events', '');
    RETURN NULL;
END $$
"""
RUN = "run_id=id playbook=playbook_key reason=reason"
TASK = "task_id=id kind=kind severity=severity assignee_id=assignee_id run_id=intervention_id case_id=case_id"
CASE = "case_id=id kind=kind stage=stage"
OFFER = (
    "offer_id=id kind=kind percent=percent months=months cost_minor=cost_minor currency=currency "
    "run_id=intervention_id case_id=case_id"
)
MESSAGE = (
    "message_id=id channel=channel purpose=purpose template=template contact_id=contact_id "
    "run_id=intervention_id case_id=case_id sent_at=occurred_at"
)
SIGNAL = "signal_id=id kind=kind severity=severity"
HEADS_UP = "heads_up_id=id severity=severity signal_id=signal_id owner_id=owner_id"
WORTH = "arr_minor=old.arr_minor currency=currency"
INSERT = "INSERT"
STATE = "UPDATE OF state"
MESSAGES = ("sent", "delivered", "opened", "clicked", "bounced", "suppressed", "failed")


def _becomes(state: str) -> str:
    return f"NEW.state = '{state}' AND OLD.state <> '{state}'"


def _triggers() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield table, event, when it fires, on which condition, and its fields."""
    yield (
        "customers",
        "customer.tier_changed",
        "UPDATE OF acted_tier",
        "OLD.acted_tier <> NEW.acted_tier",
        "tier=acted_tier before=old.acted_tier churn_risk_score=churn_risk_score changed_at=acted_tier_at",
    )
    yield (
        "customers",
        "customer.churned",
        "UPDATE OF status",
        "NEW.status = 'churned' AND OLD.status <> 'churned'",
        f"churned_at=churned_at cancellation_reason=cancellation_reason {WORTH}",
    )
    yield (
        "customers",
        "customer.returned",
        "UPDATE OF status",
        "OLD.status = 'churned' AND NEW.status <> 'churned'",
        "status=status",
    )
    opened = f"{SIGNAL} opened_at=opened_at"
    yield "signals", "signal.opened", INSERT, "NEW.state = 'open' AND NOT NEW.is_baseline", opened
    became_news = "NEW.state = 'open' AND OLD.is_baseline AND NOT NEW.is_baseline"
    yield "signals", "signal.opened", "UPDATE OF is_baseline", became_news, opened
    resolved = f"{_becomes('resolved')} AND NOT NEW.is_baseline"
    yield "signals", "signal.resolved", STATE, resolved, f"{SIGNAL} resolved_at=resolved_at"
    yield "heads_ups", "heads_up.opened", INSERT, "NEW.state = 'open'", f"{HEADS_UP} opened_at=opened_at"
    yield "heads_ups", "heads_up.closed", STATE, _becomes("closed"), f"{HEADS_UP} closed_at=closed_at"
    started = f"{RUN} started_at=started_at"
    yield "interventions", "run.started", INSERT, "NEW.state = 'running'", started
    begins = "NEW.state = 'running' AND OLD.state = 'planned'"
    yield "interventions", "run.started", STATE, begins, started
    ends = "NEW.state = 'ended' AND OLD.state IN ('running', 'paused')"
    yield (
        "interventions",
        "run.ended",
        STATE,
        ends,
        f"{RUN} outcome=outcome started_at=started_at ended_at=ended_at",
    )
    yield "tasks", "task.created", INSERT, "NEW.state = 'open'", f"{TASK} due_at=due_at"
    yield "tasks", "task.done", STATE, _becomes("done"), f"{TASK} outcome=outcome closed_at=closed_at"
    yield "tasks", "task.cancelled", STATE, _becomes("cancelled"), f"{TASK} closed_at=closed_at"
    yield "cases", "case.opened", INSERT, "NEW.state <> 'ended'", f"{CASE} opened_at=opened_at"
    yield "cases", "case.ended", STATE, _becomes("ended"), f"{CASE} outcome=outcome ended_at=ended_at"
    for state, at in (("granted", "decided_at"), ("refused", "decided_at"), ("redeemed", "redeemed_at")):
        event, fields = f"offer.{state}", f"{OFFER} {at}={at}"
        yield "offers", event, INSERT, f"NEW.state = '{state}'", fields
        yield "offers", event, STATE, _becomes(state), fields
    for state in MESSAGES:
        ours = f"NEW.effect_key IS NOT NULL AND {_becomes(state)}"
        yield "touchpoints", f"message.{state}", STATE, ours, MESSAGE
    doubted = "effect=key kind=kind provider=provider delivery_id=delivery_id"
    yield "effects", "effect.uncertain", STATE, _becomes("uncertain"), doubted


def _trigger(table: str, event: str, when: str, condition: str, fields: str) -> str:
    name = f"tell_{event.replace('.', '_')}_{'insert' if when == INSERT else 'update'}"
    arguments = ", ".join(f"'{one}'" for one in (event, *fields.split()))
    return (
        f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW WHEN ({condition}) "
        f"EXECUTE FUNCTION everstay_tell({arguments})"
    )


def upgrade() -> None:
    op.add_column(
        "webhook_endpoints",
        sa.Column("events", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("webhook_endpoints", sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "webhook_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", JSONB(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "taken", "failed", name="messagestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("tried", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint"],
            ["webhook_endpoints.key"],
            name="fk_webhook_messages_endpoint_webhook_endpoints",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_messages"),
    )
    op.create_index("ix_webhook_messages_created_at", "webhook_messages", ["created_at"], unique=False)
    op.create_index(
        "ix_webhook_messages_endpoint_created_at",
        "webhook_messages",
        ["endpoint", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_webhook_messages_waiting",
        "webhook_messages",
        ["endpoint", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "webhook_attempts",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["webhook_messages.id"],
            name="fk_webhook_attempts_message_id_webhook_messages",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", "number", name="pk_webhook_attempts"),
    )
    op.execute(TELL)
    for trigger in _triggers():
        op.execute(_trigger(*trigger))


def downgrade() -> None:
    op.execute("DROP FUNCTION everstay_tell CASCADE")
    op.drop_table("webhook_attempts")
    op.drop_index(
        "ix_webhook_messages_waiting",
        table_name="webhook_messages",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index("ix_webhook_messages_endpoint_created_at", table_name="webhook_messages")
    op.drop_index("ix_webhook_messages_created_at", table_name="webhook_messages")
    op.drop_table("webhook_messages")
    op.drop_column("webhook_endpoints", "failing_since")
    op.drop_column("webhook_endpoints", "events")
