"""data in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digests",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_digests")),
    )
    op.create_table(
        "kind_silences",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "since", name=op.f("pk_kind_silences")),
    )
    op.create_table(
        "metrics",
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("property", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("feature", name=op.f("pk_metrics")),
    )
    op.create_table(
        "tracked_events",
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("user_key", sa.Text(), nullable=True),
        sa.Column("anonymous_key", sa.Text(), nullable=True),
        sa.Column("group_key", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("received_at", "batch_id", "position", name=op.f("pk_tracked_events")),
        postgresql_partition_by="RANGE (received_at)",
    )
    op.create_table(
        "tracked_seen",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "message_id", name=op.f("pk_tracked_seen")),
    )
    op.create_table(
        "tracking_batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking_batches")),
    )
    op.create_index(
        "ix_tracking_batches_waiting",
        "tracking_batches",
        ["id"],
        unique=False,
        postgresql_where=sa.text("processed_at IS NULL"),
    )
    op.create_table(
        "connections",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("pull_every_seconds", sa.Double(), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_connections_source_id_sources")),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_connections")),
    )
    op.create_table(
        "held_events",
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("user_key", sa.Text(), nullable=True),
        sa.Column("anonymous_key", sa.Text(), nullable=True),
        sa.Column("group_key", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_held_events_source_id_sources")),
        sa.PrimaryKeyConstraint("received_at", "batch_id", "position", name=op.f("pk_held_events")),
    )
    op.create_index(
        "ix_held_events_source_id_anonymous_key", "held_events", ["source_id", "anonymous_key"], unique=False
    )
    op.create_index(
        "ix_held_events_source_id_group_key", "held_events", ["source_id", "group_key"], unique=False
    )
    op.create_index(
        "ix_held_events_source_id_user_key", "held_events", ["source_id", "user_key"], unique=False
    )
    op.create_table(
        "mass_alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "usage_drop",
                "login_silence",
                "feature_drop_off",
                "onboarding_stall",
                "ticket_overdue",
                "support_surge",
                "sentiment_drop",
                "poor_survey",
                "champion_left",
                "executive_silence",
                "qbr_missed",
                "no_contact",
                "limit_proximity",
                "usage_surge",
                "breadth_growth",
                "contract_stagnation",
                "invoice_past_due",
                "sla_breach",
                "ticket_unresolved",
                "adoption_lag",
                "upsell_potential_low",
                "expansion_blocker",
                "health_drop",
                "compound_risk",
                "own",
                name="signalkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("settled_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["settled_by_id"], ["users.id"], name=op.f("fk_mass_alerts_settled_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mass_alerts")),
    )
    op.create_index(
        "uq_mass_alerts_held",
        "mass_alerts",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_table(
        "own_signals",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("condition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "severity",
            sa.Enum("info", "medium", "high", "critical", name="severity", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["users.id"], name=op.f("fk_own_signals_updated_by_id_users")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_own_signals")),
    )
    op.create_table(
        "pull_cursors",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("cursor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_pull_cursors_source_id_sources")
        ),
        sa.PrimaryKeyConstraint("source_id", "stream", name=op.f("pk_pull_cursors")),
    )
    op.create_table(
        "pull_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("read", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_pull_runs_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pull_runs")),
    )
    op.create_index(
        "ix_pull_runs_source_id_started_at", "pull_runs", ["source_id", "started_at"], unique=False
    )
    op.create_table(
        "saved_mappings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("choices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("header", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_saved_mappings_user_id_users")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_saved_mappings")),
    )
    op.create_table(
        "seen_events",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_seen_events_source_id_sources")),
        sa.PrimaryKeyConstraint("source_id", "kind", "name", name=op.f("pk_seen_events")),
    )
    op.create_table(
        "source_days",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_source_days_source_id_sources")),
        sa.PrimaryKeyConstraint("source_id", "day", "kind", name=op.f("pk_source_days")),
    )
    op.create_table(
        "tracked_traits",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("traits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=True),
        sa.Column("stands_for", sa.Text(), nullable=True),
        sa.Column("is_news", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_tracked_traits_source_id_sources")
        ),
        sa.PrimaryKeyConstraint("source_id", "kind", "key", name=op.f("pk_tracked_traits")),
    )
    op.create_index(
        "ix_tracked_traits_news",
        "tracked_traits",
        ["source_id", "kind", "key"],
        unique=False,
        postgresql_where=sa.text("is_news"),
    )
    op.create_index(
        "ix_tracked_traits_source_id_group_key", "tracked_traits", ["source_id", "group_key"], unique=False
    )
    op.create_index(
        "ix_tracked_traits_source_id_stands_for", "tracked_traits", ["source_id", "stands_for"], unique=False
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_webhook_deliveries_source_id_sources")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint(
            "source_id", "delivery_id", name=op.f("uq_webhook_deliveries_source_id_delivery_id")
        ),
    )
    op.create_index(
        "ix_webhook_deliveries_state_due_at", "webhook_deliveries", ["state", "due_at"], unique=False
    )
    op.create_table(
        "identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_identities_contact_id_contacts")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_identities_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_identities_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
    )
    op.create_index(op.f("ix_identities_contact_id"), "identities", ["contact_id"], unique=False)
    op.create_index(op.f("ix_identities_customer_id"), "identities", ["customer_id"], unique=False)
    op.create_index(
        "uq_identities_current",
        "identities",
        ["source_id", "kind", "key"],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "rescore_queue",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_rescore_queue_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_rescore_queue")),
    )
    op.create_index("ix_rescore_queue_asked_at", "rescore_queue", ["asked_at"], unique=False)
    op.create_table(
        "upload_edits",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_upload_edits_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_upload_edits_source_id_sources")
        ),
        sa.PrimaryKeyConstraint("source_id", "customer_id", name=op.f("pk_upload_edits")),
    )
    op.create_index(op.f("ix_upload_edits_customer_id"), "upload_edits", ["customer_id"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("import_run_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("choices", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("checked", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("undo", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_runs.id"], name=op.f("fk_uploads_import_run_id_import_runs")
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_uploads_source_id_sources")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_uploads_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_content_hash"), "uploads", ["content_hash"], unique=False)
    op.create_index(op.f("ix_uploads_state"), "uploads", ["state"], unique=False)
    op.create_table(
        "usage_contact_daily",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_usage_contact_daily_contact_id_contacts")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_usage_contact_daily_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint(
            "contact_id", "customer_id", "day", "feature", name=op.f("pk_usage_contact_daily")
        ),
    )
    op.create_index(
        "ix_usage_contact_daily_customer_id_day_feature",
        "usage_contact_daily",
        ["customer_id", "day", "feature"],
        unique=False,
    )
    op.create_table(
        "usage_windows",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("events_7", sa.BigInteger(), nullable=False),
        sa.Column("events_28", sa.BigInteger(), nullable=False),
        sa.Column("events_90", sa.BigInteger(), nullable=False),
        sa.Column("value_7", sa.Double(), nullable=False),
        sa.Column("value_28", sa.Double(), nullable=False),
        sa.Column("value_90", sa.Double(), nullable=False),
        sa.Column("days_7", sa.BigInteger(), nullable=False),
        sa.Column("days_28", sa.BigInteger(), nullable=False),
        sa.Column("days_90", sa.BigInteger(), nullable=False),
        sa.Column("last_value", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_usage_windows_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("customer_id", "feature", name=op.f("pk_usage_windows")),
    )
    op.create_index("ix_usage_windows_as_of", "usage_windows", ["as_of"], unique=False)
    op.add_column("contact_roles", sa.Column("said_by", sa.Text(), nullable=True))
    op.add_column("signals", sa.Column("mass_alert_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_signals_mass_alert_id"), "signals", ["mass_alert_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_signals_mass_alert_id_mass_alerts"), "signals", "mass_alerts", ["mass_alert_id"], ["id"]
    )
    op.add_column("sources", sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "sources", sa.Column("creates_customers", sa.Boolean(), server_default="false", nullable=False)
    )
    op.add_column("tickets", sa.Column("sentiment_by", sa.Text(), nullable=True))
    op.add_column("usage_daily", sa.Column("last_value", sa.Double(), nullable=True))
    op.add_column("usage_daily", sa.Column("last_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("usage_daily", sa.Column("most", sa.Double(), nullable=True))
    op.execute("CREATE TABLE tracked_events_rest PARTITION OF tracked_events DEFAULT")


def downgrade() -> None:
    op.drop_column("usage_daily", "most")
    op.drop_column("usage_daily", "last_at")
    op.drop_column("usage_daily", "last_value")
    op.drop_column("tickets", "sentiment_by")
    op.drop_column("sources", "creates_customers")
    op.drop_column("sources", "last_received_at")
    op.drop_constraint(op.f("fk_signals_mass_alert_id_mass_alerts"), "signals", type_="foreignkey")
    op.drop_index(op.f("ix_signals_mass_alert_id"), table_name="signals")
    op.drop_column("signals", "mass_alert_id")
    op.drop_column("contact_roles", "said_by")
    op.drop_index("ix_usage_windows_as_of", table_name="usage_windows")
    op.drop_table("usage_windows")
    op.drop_index("ix_usage_contact_daily_customer_id_day_feature", table_name="usage_contact_daily")
    op.drop_table("usage_contact_daily")
    op.drop_index(op.f("ix_uploads_state"), table_name="uploads")
    op.drop_index(op.f("ix_uploads_content_hash"), table_name="uploads")
    op.drop_table("uploads")
    op.drop_index(op.f("ix_upload_edits_customer_id"), table_name="upload_edits")
    op.drop_table("upload_edits")
    op.drop_index("ix_rescore_queue_asked_at", table_name="rescore_queue")
    op.drop_table("rescore_queue")
    op.drop_index("uq_identities_current", table_name="identities", postgresql_where=sa.text("until IS NULL"))
    op.drop_index(op.f("ix_identities_customer_id"), table_name="identities")
    op.drop_index(op.f("ix_identities_contact_id"), table_name="identities")
    op.drop_table("identities")
    op.drop_index("ix_webhook_deliveries_state_due_at", table_name="webhook_deliveries")
    op.drop_table("webhook_deliveries")
    op.drop_index("ix_tracked_traits_source_id_stands_for", table_name="tracked_traits")
    op.drop_index("ix_tracked_traits_source_id_group_key", table_name="tracked_traits")
    op.drop_index("ix_tracked_traits_news", table_name="tracked_traits", postgresql_where=sa.text("is_news"))
    op.drop_table("tracked_traits")
    op.drop_table("source_days")
    op.drop_table("seen_events")
    op.drop_table("saved_mappings")
    op.drop_index("ix_pull_runs_source_id_started_at", table_name="pull_runs")
    op.drop_table("pull_runs")
    op.drop_table("pull_cursors")
    op.drop_table("own_signals")
    op.drop_index("uq_mass_alerts_held", table_name="mass_alerts", postgresql_where=sa.text("state = 'held'"))
    op.drop_table("mass_alerts")
    op.drop_index("ix_held_events_source_id_user_key", table_name="held_events")
    op.drop_index("ix_held_events_source_id_group_key", table_name="held_events")
    op.drop_index("ix_held_events_source_id_anonymous_key", table_name="held_events")
    op.drop_table("held_events")
    op.drop_table("connections")
    op.drop_index(
        "ix_tracking_batches_waiting",
        table_name="tracking_batches",
        postgresql_where=sa.text("processed_at IS NULL"),
    )
    op.drop_table("tracking_batches")
    op.drop_table("tracked_seen")
    op.drop_table("tracked_events")
    op.drop_table("metrics")
    op.drop_table("kind_silences")
    op.drop_table("digests")
