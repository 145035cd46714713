"""The SQL that attributes tracked events, over the temporary tables of models/attribution.py."""

from models.usage_rollups import ADD_CONTACT_DAYS, SEE_CONTACTS

LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('tracking_stage', 0))"
WAIT = "SELECT pg_advisory_xact_lock(hashtextextended('tracking_stage', 0))"
TABLES = (
    """CREATE TEMPORARY TABLE IF NOT EXISTS staged_events (
    received_at timestamptz, batch_id bigint, position bigint, source_id text, message_id text,
    kind text, name text, user_key text, anonymous_key text, group_key text,
    occurred_at timestamptz, known_at timestamptz, properties jsonb, was_held text
) ON COMMIT DELETE ROWS""",
    """CREATE TEMPORARY TABLE IF NOT EXISTS attributed (
    received_at timestamptz, batch_id bigint, position bigint, source_id text, message_id text,
    kind text, name text, user_key text, anonymous_key text, group_key text,
    occurred_at timestamptz, known_at timestamptz, properties jsonb, was_held text,
    contact_id uuid, customer_id uuid, reason text
) ON COMMIT DELETE ROWS""",
)
CLAIM = """
SELECT id, received_at, events FROM tracking_batches
WHERE processed_at IS NULL AND id <> ALL(CAST(:aside AS bigint[]))
ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
"""
COLUMNS = (
    "received_at, batch_id, position, source_id, message_id, kind, name, user_key, anonymous_key, group_key, "
    "occurred_at, known_at, properties"
)
STAGE = f"""
INSERT INTO staged_events
SELECT {COLUMNS}, NULL FROM tracked_events
WHERE received_at = ANY(CAST(:instants AS timestamptz[])) AND batch_id = ANY(CAST(:ids AS bigint[]))
"""  # noqa: S608 - constants only
DONE = """
UPDATE tracking_batches SET processed_at = :wall WHERE id = ANY(CAST(:ids AS bigint[]))
"""
CALLS = """
SELECT source_id, kind, user_key, anonymous_key, group_key, occurred_at, properties AS traits
FROM staged_events
WHERE kind IN ('identify', 'group', 'alias') ORDER BY batch_id, position
"""
ATTRIBUTE = f"""
INSERT INTO attributed
WITH people AS MATERIALIZED (
    SELECT source_id, key, contact_id,
           (SELECT count(DISTINCT customer_id) FROM contact_roles AS role
            WHERE role.contact_id = identities.contact_id AND until IS NULL) AS memberships,
           (SELECT (array_agg(customer_id))[1] FROM contact_roles AS role
            WHERE role.contact_id = identities.contact_id AND until IS NULL) AS member_of
    FROM identities WHERE kind = 'user' AND until IS NULL AND contact_id IS NOT NULL
      AND (source_id, key) IN (
          SELECT e.source_id, COALESCE(u.stands_for, e.user_key, v.stands_for)
          FROM (SELECT DISTINCT source_id, user_key, anonymous_key FROM staged_events) AS e
          LEFT JOIN tracked_traits AS u
              ON u.source_id = e.source_id AND u.kind = 'user' AND u.key = e.user_key
          LEFT JOIN tracked_traits AS v ON v.source_id = e.source_id AND v.kind = 'anonymous'
              AND v.key = e.anonymous_key AND e.user_key IS NULL)
), named AS (
    SELECT {", ".join("e." + name for name in COLUMNS.split(", ") if name != "group_key")}, e.was_held,
           e.group_key AS own_group, COALESCE(u.stands_for, e.user_key, v.stands_for) AS person,
           COALESCE(u.group_key, CASE WHEN e.user_key IS NULL THEN v.group_key END) AS visitor_group
    FROM staged_events AS e
    LEFT JOIN tracked_traits AS u ON u.source_id = e.source_id AND u.kind = 'user' AND u.key = e.user_key
    LEFT JOIN tracked_traits AS v ON v.source_id = e.source_id AND v.kind = 'anonymous'
        AND v.key = e.anonymous_key
    WHERE e.kind <> 'alias'
), placed AS (
    SELECT named.*, COALESCE(own_group, p.group_key, visitor_group) AS group_key,
           people.contact_id, people.memberships, people.member_of
    FROM named
    LEFT JOIN tracked_traits AS p
        ON p.source_id = named.source_id AND p.kind = 'user' AND p.key = named.person
    LEFT JOIN people ON people.source_id = named.source_id AND people.key = named.person
), whose AS (
    SELECT placed.*, CASE WHEN placed.group_key IS NOT NULL THEN g.customer_id
                          WHEN memberships = 1 THEN member_of END AS customer_id
    FROM placed LEFT JOIN identities AS g ON g.source_id = placed.source_id AND g.kind = 'group'
        AND g.key = placed.group_key AND g.until IS NULL
)
SELECT {COLUMNS}, was_held, contact_id, customer_id,
       CASE WHEN customer_id IS NOT NULL AND contact_id IS NULL
                 AND COALESCE(user_key, anonymous_key) IS NOT NULL THEN 'unknown_user'
            WHEN customer_id IS NOT NULL THEN NULL
            WHEN group_key IS NOT NULL THEN 'unknown_group'
            WHEN memberships > 1 THEN 'ambiguous_group'
            ELSE 'no_group' END
FROM whose
"""  # noqa: S608 - constants only
FEATURE = """
CASE attributed.kind WHEN 'track' THEN COALESCE(NULLIF(name, ''), 'track')
     ELSE attributed.kind || ':' || COALESCE(NULLIF(name, ''), 'unnamed') END
"""
"""track: the event's name as sent; page and screen: with their kind before it, so that they stay apart."""
IS_USE = "attributed.kind IN ('track', 'page', 'screen')"
MARKETING = "SELECT id FROM sources WHERE 'marketing' = ANY(provides)"
"""Sources that tell of mail and its readers: nothing of it is use of the product."""
IS_COUNTED = f"{IS_USE} AND attributed.source_id NOT IN ({MARKETING})"
NEW = f"""
SELECT received_at, source_id, message_id, customer_id, contact_id, feature,
       CASE WHEN metric.kind = 'gauge' THEN 0 WHEN reading >= 0 THEN reading ELSE 1 END AS quantity,
       CAST(NULL AS bigint) AS users,
       CASE WHEN metric.kind = 'gauge' THEN reading END AS value,
       occurred_at, known_at, CAST(NULL AS jsonb) AS properties
FROM (
    SELECT attributed.*, {FEATURE} AS feature FROM attributed
    WHERE customer_id IS NOT NULL AND {IS_COUNTED} AND was_held IS DISTINCT FROM 'unknown_user'
) AS used
LEFT JOIN metrics AS metric USING (feature)
CROSS JOIN LATERAL (
    SELECT CASE WHEN jsonb_typeof(used.properties -> metric.property) = 'number'
                     AND abs(CAST(used.properties -> metric.property AS numeric)) < 1e300
                THEN CAST(used.properties ->> metric.property AS double precision) END AS reading) AS read
WHERE metric.kind IS DISTINCT FROM 'gauge' OR reading IS NOT NULL
"""  # noqa: S608 - constants only
COUNTED = f"""(
    SELECT customer_id, contact_id, occurred_at, {FEATURE} AS feature FROM attributed
    WHERE customer_id IS NOT NULL AND {IS_COUNTED}) AS counted"""  # noqa: S608 - constants only
NAME_PEOPLE = f"""
WITH new AS MATERIALIZED (
    UPDATE usage_events SET contact_id = attributed.contact_id FROM attributed
    WHERE attributed.was_held = 'unknown_user' AND attributed.contact_id IS NOT NULL
      AND usage_events.received_at = attributed.received_at
      AND usage_events.source_id = attributed.source_id
      AND usage_events.message_id = attributed.message_id AND usage_events.contact_id IS NULL
    RETURNING usage_events.contact_id, usage_events.customer_id, usage_events.feature,
              usage_events.quantity, usage_events.occurred_at
), days AS ({ADD_CONTACT_DAYS})
{SEE_CONTACTS}
"""  # noqa: S608 - constants only
HOLD = f"""
INSERT INTO held_events (received_at, batch_id, position, source_id, reason, user_key, anonymous_key,
                         group_key, name, occurred_at)
SELECT received_at, batch_id, position, source_id, reason, user_key, anonymous_key, group_key,
       {FEATURE}, occurred_at
FROM attributed WHERE reason IS NOT NULL AND {IS_USE}
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants only
JOIN_CUSTOMERS = """
INSERT INTO contact_roles (id, customer_id, contact_id, role, since)
SELECT gen_random_uuid(), customer_id, contact_id, 'end_user', min(occurred_at)
FROM attributed AS told
WHERE customer_id IS NOT NULL AND contact_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM contact_roles AS role
    WHERE role.customer_id = told.customer_id AND role.contact_id = told.contact_id
      AND (role.until IS NULL OR told.kind <> 'group' OR told.occurred_at <= role.until))
GROUP BY 2, 3
ON CONFLICT DO NOTHING
"""
SOURCES = """
SELECT source_id, max(received_at) AS received_at, max(known_at) AS known_at
FROM staged_events WHERE was_held IS NULL GROUP BY 1
"""
NOTE = """
UPDATE sources SET last_received_at = greatest(last_received_at, CAST(:received_at AS timestamptz)),
                   last_fact_at = greatest(last_fact_at, CAST(:known_at AS timestamptz))
WHERE id = :source_id
"""
CUSTOMERS = "SELECT DISTINCT customer_id FROM attributed WHERE customer_id IS NOT NULL"
LIVE = """
SELECT DISTINCT attributed.customer_id FROM attributed JOIN sources ON sources.id = attributed.source_id
WHERE attributed.customer_id IS NOT NULL AND attributed.known_at >= sources.connected_at
"""
COUNTS = f"""
SELECT count(*) FILTER (WHERE customer_id IS NOT NULL AND was_held IS DISTINCT FROM 'unknown_user'),
       count(*) FILTER (WHERE reason IS NOT NULL), count(*) FILTER (WHERE was_held IS NOT NULL)
FROM attributed WHERE {IS_USE}
"""  # noqa: S608 - constants only
