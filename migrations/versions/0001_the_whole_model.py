"""the whole model."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clock_heartbeat",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wall_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_heartbeat")),
    )
    op.create_table(
        "clock_segments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("wall_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_segments")),
    )
    op.create_table(
        "idempotent_requests",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotent_requests")),
    )
    op.create_index(
        op.f("ix_idempotent_requests_created_at"), "idempotent_requests", ["created_at"], unique=False
    )
    op.create_table(
        "playbooks",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "motion",
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
        sa.Column("current_version", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_playbooks")),
    )
    op.create_table(
        "provider_events",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("provider", "event_id", name=op.f("pk_provider_events")),
    )
    op.create_index(op.f("ix_provider_events_delivery_id"), "provider_events", ["delivery_id"], unique=False)
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("account_hash", sa.Text(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
    )
    op.create_index(
        "ix_sign_in_attempts_address_account_hash",
        "sign_in_attempts",
        ["address", "account_hash"],
        unique=False,
    )
    op.create_index(
        op.f("ix_sign_in_attempts_attempted_at"), "sign_in_attempts", ["attempted_at"], unique=False
    )
    op.create_table(
        "sources",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provides", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rhythm_hours", sa.Double(), nullable=True),
        sa.Column("last_fact_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
    )
    op.create_table(
        "usage_events",
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("users", sa.BigInteger(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("received_at", "source_id", "message_id", name=op.f("pk_usage_events")),
        postgresql_partition_by="RANGE (received_at)",
    )
    op.create_index(
        "ix_usage_events_customer_id_occurred_at",
        "usage_events",
        ["customer_id", "occurred_at"],
        unique=False,
    )
    op.create_table(
        "usage_seen",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "message_id", name=op.f("pk_usage_seen")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "admin",
                "manager",
                "csm",
                "sales",
                "operator",
                "developer",
                "viewer",
                name="role",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["manager_id"], ["users.id"], name=op.f("fk_users_manager_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("uq_users_email", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "wakes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("woke_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wall_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wakes")),
    )
    op.create_index("ix_wakes_wall_at", "wakes", ["wall_at"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_api_keys_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), server_default="en", nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suppressed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suppressed_reason", sa.Text(), nullable=True),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_contacts_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint("source_id", "external_id", name=op.f("uq_contacts_source_id_external_id")),
    )
    op.create_index(op.f("ix_contacts_email"), "contacts", ["email"], unique=False)
    op.create_table(
        "customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("employees", sa.BigInteger(), nullable=True),
        sa.Column(
            "segment",
            sa.Enum("small", "mid_market", "enterprise", name="segment", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("arr_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), server_default="USD", nullable=False),
        sa.Column(
            "touch_tier",
            sa.Enum("strategic", "managed", "tech_touch", name="touchtier", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "touch_tier_override",
            sa.Enum("strategic", "managed", "tech_touch", name="touchtier", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("csm_id", sa.Uuid(), nullable=True),
        sa.Column("sales_owner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum("trial", "active", "churned", name="customerstatus", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("onboarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_value_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renewal_on", sa.Date(), nullable=True),
        sa.Column("notice_days", sa.BigInteger(), server_default="30", nullable=False),
        sa.Column("churned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("churn_known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "cancellation_reason",
            sa.Enum(
                "customer_service",
                "low_quality",
                "missing_features",
                "switched_service",
                "too_complex",
                "too_expensive",
                "unused",
                "other",
                name="cancellationreason",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("do_not_contact", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("holdout", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "declared",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "acted_tier",
            sa.Enum("low", "medium", "high", "critical", name="risktier", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("acted_tier_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "churn_risk_tier",
            sa.Enum("low", "medium", "high", "critical", name="risktier", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("churn_risk_score", sa.BigInteger(), nullable=True),
        sa.Column("churn_probability", sa.Double(), nullable=True),
        sa.Column("health_score", sa.BigInteger(), nullable=True),
        sa.Column(
            "health_status",
            sa.Enum(
                "thriving",
                "engaged",
                "neutral",
                "needs_attention",
                "at_risk",
                name="healthstatus",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "health_override",
            sa.Enum(
                "thriving",
                "engaged",
                "neutral",
                "needs_attention",
                "at_risk",
                name="healthstatus",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("health_override_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("watchlisted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_touch_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_usage_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["csm_id"], ["users.id"], name=op.f("fk_customers_csm_id_users")),
        sa.ForeignKeyConstraint(
            ["sales_owner_id"], ["users.id"], name=op.f("fk_customers_sales_owner_id_users")
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_customers_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("source_id", "external_id", name=op.f("uq_customers_source_id_external_id")),
    )
    op.create_index(op.f("ix_customers_csm_id"), "customers", ["csm_id"], unique=False)
    op.create_index("ix_customers_name_search", "customers", [sa.literal_column("lower(name)")], unique=False)
    op.create_index(op.f("ix_customers_renewal_on"), "customers", ["renewal_on"], unique=False)
    op.create_index(op.f("ix_customers_status"), "customers", ["status"], unique=False)
    op.create_table(
        "import_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("mapping_document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "options", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_import_runs_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("company_name", sa.Text(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_per_day", sa.BigInteger(), nullable=True),
        sa.Column("effects_stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effects_stopped_by_id", sa.Uuid(), nullable=True),
        sa.Column("holdout_salt", sa.Text(), nullable=False),
        sa.Column("holdout_share", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["effects_stopped_by_id"], ["users.id"], name=op.f("fk_installation_effects_stopped_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "playbook_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("playbook_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["playbook_key"], ["playbooks.key"], name=op.f("fk_playbook_versions_playbook_key_playbooks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playbook_versions")),
        sa.UniqueConstraint(
            "playbook_key", "version", name=op.f("uq_playbook_versions_playbook_key_version")
        ),
    )
    op.create_table(
        "policies",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["users.id"], name=op.f("fk_policies_updated_by_id_users")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_policies")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "sign_in_links",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("local_only", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_in_links_user_id_users")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_links")),
    )
    op.create_table(
        "assessments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "health_status",
            sa.Enum(
                "thriving",
                "engaged",
                "neutral",
                "needs_attention",
                "at_risk",
                name="healthstatus",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("limited_since", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("next_best_action", sa.Text(), nullable=False),
        sa.Column("components", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("data_on", sa.Date(), nullable=True),
        sa.Column("inputs_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_assessments_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessments")),
    )
    op.create_index(
        "ix_assessments_customer_id_assessed_at", "assessments", ["customer_id", "assessed_at"], unique=False
    )
    op.create_table(
        "cancellations",
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("involuntary", sa.Boolean(), nullable=False),
        sa.Column("reactivated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_cancellations_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_cancellations_source_id_sources")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cancellations")),
        sa.UniqueConstraint("source_id", "external_id", name=op.f("uq_cancellations_source_id_external_id")),
    )
    op.create_index(op.f("ix_cancellations_customer_id"), "cancellations", ["customer_id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("transactional", "lifecycle", "marketing", name="purpose", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_consents_contact_id_contacts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_contact_id"), "consents", ["contact_id"], unique=False)
    op.create_table(
        "contact_roles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "champion",
                "executive_sponsor",
                "admin",
                "billing",
                "end_user",
                name="contactrole",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_contact_roles_contact_id_contacts")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_contact_roles_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_roles")),
        sa.UniqueConstraint(
            "customer_id",
            "contact_id",
            "role",
            "since",
            name=op.f("uq_contact_roles_customer_id_contact_id_role_since"),
        ),
    )
    op.create_index(op.f("ix_contact_roles_contact_id"), "contact_roles", ["contact_id"], unique=False)
    op.create_index(op.f("ix_contact_roles_customer_id"), "contact_roles", ["customer_id"], unique=False)
    op.create_table(
        "effects",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "claimed",
                "sent",
                "confirmed",
                "failed",
                "uncertain",
                name="effectstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_message_id", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_effects_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_effects")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_effects_delivery_id")),
    )
    op.create_index(op.f("ix_effects_customer_id"), "effects", ["customer_id"], unique=False)
    op.create_index("ix_effects_state", "effects", ["state"], unique=False)
    op.create_table(
        "goals",
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=True),
        sa.Column("target", sa.Double(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False),
        sa.Column("achieved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_goals_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_goals_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goals")),
        sa.UniqueConstraint("source_id", "external_id", name=op.f("uq_goals_source_id_external_id")),
    )
    op.create_index(op.f("ix_goals_customer_id"), "goals", ["customer_id"], unique=False)
    op.create_table(
        "interventions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("playbook_key", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("causes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "running",
                "paused",
                "ended",
                name="interventionstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("position", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("advance_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expected_wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "saved",
                "churned",
                "renewed",
                "expanded",
                "reactivated",
                "lost",
                "no_change",
                "replaced",
                "stopped",
                name="outcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("outcome_reason", sa.Text(), nullable=True),
        sa.Column("receipt", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_interventions_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["playbook_key"], ["playbooks.key"], name=op.f("fk_interventions_playbook_key_playbooks")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["playbook_versions.id"],
            name=op.f("fk_interventions_version_id_playbook_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interventions")),
    )
    op.create_index(op.f("ix_interventions_customer_id"), "interventions", ["customer_id"], unique=False)
    op.create_index("ix_interventions_started_at", "interventions", ["started_at"], unique=False)
    op.create_index("ix_interventions_state", "interventions", ["state"], unique=False)
    op.create_index(
        "uq_interventions_open",
        "interventions",
        ["customer_id", "playbook_key", "reason"],
        unique=True,
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_table(
        "invoices",
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_due_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_paid_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failed_attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_invoices_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_invoices_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("source_id", "external_id", name=op.f("uq_invoices_source_id_external_id")),
    )
    op.create_index(op.f("ix_invoices_customer_id"), "invoices", ["customer_id"], unique=False)
    op.create_table(
        "lifecycles",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decide_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("expected_wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_lifecycles_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_lifecycles")),
    )
    op.create_table(
        "meetings",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organiser_id", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_meetings_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["organiser_id"], ["users.id"], name=op.f("fk_meetings_organiser_id_users")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_meetings_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
        sa.UniqueConstraint("source_id", "external_id", name=op.f("uq_meetings_source_id_external_id")),
    )
    op.create_index(op.f("ix_meetings_customer_id"), "meetings", ["customer_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "signal_opened",
                "signal_resolved",
                "tier_changed",
                "re_engaged",
                "customer_added",
                "customer_churned",
                "customer_changed",
                "touchpoint",
                "task_done",
                "payment",
                "consent_changed",
                "intervention_ended",
                "released",
                "switched",
                "clock_changed",
                "paused",
                "resumed",
                name="noticekind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_outbox_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_unconsumed",
        "outbox",
        ["customer_id", "id"],
        unique=False,
        postgresql_where=sa.text("consumed_at IS NULL"),
    )
    op.create_table(
        "plan_limits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("ceiling", sa.Double(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_plan_limits_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_limits")),
        sa.UniqueConstraint(
            "plan",
            "customer_id",
            "metric",
            name=op.f("uq_plan_limits_plan_customer_id_metric"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_plan_limits_customer_id"), "plan_limits", ["customer_id"], unique=False)
    op.create_table(
        "quarantined_rows",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_run_id", sa.Uuid(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_runs.id"], name=op.f("fk_quarantined_rows_import_run_id_import_runs")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_quarantined_rows_source_id_sources")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_rows")),
        sa.UniqueConstraint(
            "source_id",
            "file",
            "line",
            "row_hash",
            name=op.f("uq_quarantined_rows_source_id_file_line_row_hash"),
        ),
    )
    op.create_index("ix_quarantined_rows_state", "quarantined_rows", ["state"], unique=False)
    op.create_table(
        "scores",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("churn_probability", sa.Double(), nullable=False),
        sa.Column("churn_risk_score", sa.BigInteger(), nullable=False),
        sa.Column(
            "churn_risk_tier",
            sa.Enum("low", "medium", "high", "critical", name="risktier", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("health_score", sa.BigInteger(), nullable=False),
        sa.Column("components", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("drivers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("horizon_days", sa.BigInteger(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("data_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_scores_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("customer_id", "as_of", name=op.f("pk_scores")),
    )
    op.create_index("ix_scores_as_of", "scores", ["as_of"], unique=False)
    op.create_table(
        "signals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
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
                name="signalkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column(
            "severity",
            sa.Enum("info", "medium", "high", "critical", name="severity", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum("open", "resolved", name="signalstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_baseline", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_human_action_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_signals_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
    )
    op.create_index(op.f("ix_signals_customer_id"), "signals", ["customer_id"], unique=False)
    op.create_index("ix_signals_state_kind", "signals", ["state", "kind"], unique=False)
    op.create_index(
        "uq_signals_open",
        "signals",
        ["customer_id", "dedupe_key"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("mrr_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("seats", sa.BigInteger(), nullable=True),
        sa.Column("is_trial", sa.Boolean(), nullable=False),
        sa.Column("auto_renew", sa.Boolean(), nullable=True),
        sa.Column("discount", sa.Double(), nullable=True),
        sa.Column("billing_months", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_subscriptions_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_subscriptions_source_id_sources")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("source_id", "external_id", name=op.f("uq_subscriptions_source_id_external_id")),
    )
    op.create_index(op.f("ix_subscriptions_customer_id"), "subscriptions", ["customer_id"], unique=False)
    op.create_table(
        "surveys",
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("responded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_surveys_contact_id_contacts")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_surveys_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_surveys_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surveys")),
        sa.UniqueConstraint("source_id", "external_id", name=op.f("uq_surveys_source_id_external_id")),
    )
    op.create_index(op.f("ix_surveys_customer_id"), "surveys", ["customer_id"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_response_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_responded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolve_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("escalated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("satisfaction", sa.Double(), nullable=True),
        sa.Column("satisfaction_known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sentiment", sa.Double(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_tickets_contact_id_contacts")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_tickets_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_tickets_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("source_id", "external_id", name=op.f("uq_tickets_source_id_external_id")),
    )
    op.create_index(op.f("ix_tickets_customer_id"), "tickets", ["customer_id"], unique=False)
    op.create_index(op.f("ix_tickets_opened_at"), "tickets", ["opened_at"], unique=False)
    op.create_table(
        "usage_daily",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("users", sa.BigInteger(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_usage_daily_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("customer_id", "day", "feature", name=op.f("pk_usage_daily")),
    )
    op.create_index("ix_usage_daily_day", "usage_daily", ["day"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("intervention_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "directive",
                "refusal",
                "deferral",
                "observed",
                name="decisionkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_decisions_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["intervention_id"], ["interventions.id"], name=op.f("fk_decisions_intervention_id_interventions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(
        "ix_decisions_customer_id_decided_at", "decisions", ["customer_id", "decided_at"], unique=False
    )
    op.create_index(op.f("ix_decisions_intervention_id"), "decisions", ["intervention_id"], unique=False)
    op.create_index("ix_decisions_kind_reason", "decisions", ["kind", "reason"], unique=False)
    op.create_table(
        "heads_ups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("signal_id", sa.Uuid(), nullable=True),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "severity",
            sa.Enum("info", "medium", "high", "critical", name="severity", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("arr_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "acknowledged", "closed", name="headsupstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_heads_ups_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_heads_ups_owner_id_users")),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.id"], name=op.f("fk_heads_ups_signal_id_signals")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heads_ups")),
    )
    op.create_index(op.f("ix_heads_ups_customer_id"), "heads_ups", ["customer_id"], unique=False)
    op.create_index("ix_heads_ups_owner_id_state", "heads_ups", ["owner_id", "state"], unique=False)
    op.create_index(
        "uq_heads_ups_open",
        "heads_ups",
        ["customer_id", "dedupe_key"],
        unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "intervention_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("intervention_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
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
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["intervention_id"],
            ["interventions.id"],
            name=op.f("fk_intervention_steps_intervention_id_interventions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intervention_steps")),
        sa.UniqueConstraint(
            "intervention_id",
            "step_id",
            "occurrence",
            name=op.f("uq_intervention_steps_intervention_id_step_id_occurrence"),
        ),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("intervention_id", sa.Uuid(), nullable=True),
        sa.Column("effect_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "severity",
            sa.Enum("info", "medium", "high", "critical", name="severity", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("open", "snoozed", "done", "cancelled", name="taskstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "reached",
                "no_answer",
                "resolved",
                "not_needed",
                "escalated",
                name="taskoutcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=op.f("fk_tasks_assignee_id_users")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["users.id"], name=op.f("fk_tasks_closed_by_id_users")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_tasks_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["intervention_id"], ["interventions.id"], name=op.f("fk_tasks_intervention_id_interventions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("effect_key", name=op.f("uq_tasks_effect_key")),
    )
    op.create_index("ix_tasks_assignee_id_state", "tasks", ["assignee_id", "state", "due_at"], unique=False)
    op.create_index(op.f("ix_tasks_customer_id"), "tasks", ["customer_id"], unique=False)
    op.create_index(op.f("ix_tasks_intervention_id"), "tasks", ["intervention_id"], unique=False)
    op.create_table(
        "touchpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("intervention_id", sa.Uuid(), nullable=True),
        sa.Column("effect_key", sa.Text(), nullable=True),
        sa.Column(
            "direction", sa.Enum("out", "in", name="direction", native_enum=False, length=40), nullable=False
        ),
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
        sa.Column(
            "purpose",
            sa.Enum("transactional", "lifecycle", "marketing", name="purpose", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "claimed",
                "sent",
                "delivered",
                "opened",
                "clicked",
                "bounced",
                "suppressed",
                "failed",
                "uncertain",
                "received",
                name="touchpointstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("template", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_touchpoints_contact_id_contacts")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_touchpoints_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["effect_key"], ["effects.key"], name=op.f("fk_touchpoints_effect_key_effects")
        ),
        sa.ForeignKeyConstraint(
            ["intervention_id"],
            ["interventions.id"],
            name=op.f("fk_touchpoints_intervention_id_interventions"),
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_touchpoints_source_id_sources")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_touchpoints_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touchpoints")),
    )
    op.create_index(op.f("ix_touchpoints_contact_id"), "touchpoints", ["contact_id"], unique=False)
    op.create_index(
        "ix_touchpoints_customer_id_occurred_at", "touchpoints", ["customer_id", "occurred_at"], unique=False
    )
    op.create_index(op.f("ix_touchpoints_effect_key"), "touchpoints", ["effect_key"], unique=False)
    op.create_index(op.f("ix_touchpoints_intervention_id"), "touchpoints", ["intervention_id"], unique=False)
    op.create_index(
        "uq_touchpoints_source_id_external_id", "touchpoints", ["source_id", "external_id"], unique=True
    )
    op.execute("CREATE TABLE usage_events_rest PARTITION OF usage_events DEFAULT")


def downgrade() -> None:
    op.drop_index("uq_touchpoints_source_id_external_id", table_name="touchpoints")
    op.drop_index(op.f("ix_touchpoints_intervention_id"), table_name="touchpoints")
    op.drop_index(op.f("ix_touchpoints_effect_key"), table_name="touchpoints")
    op.drop_index("ix_touchpoints_customer_id_occurred_at", table_name="touchpoints")
    op.drop_index(op.f("ix_touchpoints_contact_id"), table_name="touchpoints")
    op.drop_table("touchpoints")
    op.drop_index(op.f("ix_tasks_intervention_id"), table_name="tasks")
    op.drop_index(op.f("ix_tasks_customer_id"), table_name="tasks")
    op.drop_index("ix_tasks_assignee_id_state", table_name="tasks")
    op.drop_table("tasks")
    op.drop_table("intervention_steps")
    op.drop_index("uq_heads_ups_open", table_name="heads_ups", postgresql_where=sa.text("state <> 'closed'"))
    op.drop_index("ix_heads_ups_owner_id_state", table_name="heads_ups")
    op.drop_index(op.f("ix_heads_ups_customer_id"), table_name="heads_ups")
    op.drop_table("heads_ups")
    op.drop_index("ix_decisions_kind_reason", table_name="decisions")
    op.drop_index(op.f("ix_decisions_intervention_id"), table_name="decisions")
    op.drop_index("ix_decisions_customer_id_decided_at", table_name="decisions")
    op.drop_table("decisions")
    op.drop_index("ix_usage_daily_day", table_name="usage_daily")
    op.drop_table("usage_daily")
    op.drop_index(op.f("ix_tickets_opened_at"), table_name="tickets")
    op.drop_index(op.f("ix_tickets_customer_id"), table_name="tickets")
    op.drop_table("tickets")
    op.drop_index(op.f("ix_surveys_customer_id"), table_name="surveys")
    op.drop_table("surveys")
    op.drop_index(op.f("ix_subscriptions_customer_id"), table_name="subscriptions")
    op.drop_table("subscriptions")
    op.drop_index("uq_signals_open", table_name="signals", postgresql_where=sa.text("state = 'open'"))
    op.drop_index("ix_signals_state_kind", table_name="signals")
    op.drop_index(op.f("ix_signals_customer_id"), table_name="signals")
    op.drop_table("signals")
    op.drop_index("ix_scores_as_of", table_name="scores")
    op.drop_table("scores")
    op.drop_index("ix_quarantined_rows_state", table_name="quarantined_rows")
    op.drop_table("quarantined_rows")
    op.drop_index(op.f("ix_plan_limits_customer_id"), table_name="plan_limits")
    op.drop_table("plan_limits")
    op.drop_index(
        "ix_outbox_unconsumed", table_name="outbox", postgresql_where=sa.text("consumed_at IS NULL")
    )
    op.drop_table("outbox")
    op.drop_index(op.f("ix_meetings_customer_id"), table_name="meetings")
    op.drop_table("meetings")
    op.drop_table("lifecycles")
    op.drop_index(op.f("ix_invoices_customer_id"), table_name="invoices")
    op.drop_table("invoices")
    op.drop_index(
        "uq_interventions_open", table_name="interventions", postgresql_where=sa.text("state <> 'ended'")
    )
    op.drop_index("ix_interventions_state", table_name="interventions")
    op.drop_index("ix_interventions_started_at", table_name="interventions")
    op.drop_index(op.f("ix_interventions_customer_id"), table_name="interventions")
    op.drop_table("interventions")
    op.drop_index(op.f("ix_goals_customer_id"), table_name="goals")
    op.drop_table("goals")
    op.drop_index("ix_effects_state", table_name="effects")
    op.drop_index(op.f("ix_effects_customer_id"), table_name="effects")
    op.drop_table("effects")
    op.drop_index(op.f("ix_contact_roles_customer_id"), table_name="contact_roles")
    op.drop_index(op.f("ix_contact_roles_contact_id"), table_name="contact_roles")
    op.drop_table("contact_roles")
    op.drop_index(op.f("ix_consents_contact_id"), table_name="consents")
    op.drop_table("consents")
    op.drop_index(op.f("ix_cancellations_customer_id"), table_name="cancellations")
    op.drop_table("cancellations")
    op.drop_index("ix_assessments_customer_id_assessed_at", table_name="assessments")
    op.drop_table("assessments")
    op.drop_table("sign_in_links")
    op.drop_index(op.f("ix_sessions_user_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_expires_at"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("policies")
    op.drop_table("playbook_versions")
    op.drop_table("installation")
    op.drop_table("import_runs")
    op.drop_index(op.f("ix_customers_status"), table_name="customers")
    op.drop_index(op.f("ix_customers_renewal_on"), table_name="customers")
    op.drop_index("ix_customers_name_search", table_name="customers")
    op.drop_index(op.f("ix_customers_csm_id"), table_name="customers")
    op.drop_table("customers")
    op.drop_index(op.f("ix_contacts_email"), table_name="contacts")
    op.drop_table("contacts")
    op.drop_table("api_keys")
    op.drop_index("ix_wakes_wall_at", table_name="wakes")
    op.drop_table("wakes")
    op.drop_index("uq_users_email", table_name="users")
    op.drop_table("users")
    op.drop_table("usage_seen")
    op.drop_index("ix_usage_events_customer_id_occurred_at", table_name="usage_events")
    op.drop_table("usage_events")
    op.drop_table("sources")
    op.drop_index(op.f("ix_sign_in_attempts_attempted_at"), table_name="sign_in_attempts")
    op.drop_index("ix_sign_in_attempts_address_account_hash", table_name="sign_in_attempts")
    op.drop_table("sign_in_attempts")
    op.drop_index(op.f("ix_provider_events_delivery_id"), table_name="provider_events")
    op.drop_table("provider_events")
    op.drop_table("playbooks")
    op.drop_index(op.f("ix_idempotent_requests_created_at"), table_name="idempotent_requests")
    op.drop_table("idempotent_requests")
    op.drop_table("clock_segments")
    op.drop_table("clock_heartbeat")
