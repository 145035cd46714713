"""The SQL of identities: what was told of keys, whom they match, and who is to be made of them."""

TELL = """
WITH said AS (
    SELECT * FROM jsonb_to_recordset(CAST(:told AS jsonb)) AS said(
        source_id text, kind text, key text, traits jsonb, group_key text, stands_for text,
        told_at timestamptz)
)
INSERT INTO tracked_traits AS kept (source_id, kind, key, traits, group_key, stands_for, is_news, told_at)
SELECT source_id, kind, key, traits, group_key, stands_for, true, told_at FROM said ORDER BY 1, 2, 3
ON CONFLICT (source_id, kind, key) DO UPDATE SET
    traits = CASE WHEN excluded.told_at >= kept.told_at THEN kept.traits || excluded.traits
                  ELSE excluded.traits || kept.traits END,
    group_key = CASE WHEN kept.group_key IS NULL OR excluded.told_at >= kept.told_at
                     THEN COALESCE(excluded.group_key, kept.group_key) ELSE kept.group_key END,
    stands_for = CASE WHEN kept.stands_for IS NULL OR excluded.told_at >= kept.told_at
                      THEN COALESCE(excluded.stands_for, kept.stands_for) ELSE kept.stands_for END,
    is_news = kept.is_news OR excluded.group_key IS DISTINCT FROM kept.group_key
              OR excluded.stands_for IS DISTINCT FROM kept.stands_for OR excluded.traits <> '{}',
    told_at = greatest(kept.told_at, excluded.told_at)
"""
MEET = """
INSERT INTO tracked_traits AS kept (source_id, kind, key, traits, group_key, told_at)
SELECT DISTINCT ON (source_id, kind, key) source_id, kind, key, CAST('{}' AS jsonb), of, at FROM (
    SELECT source_id, 'group' AS kind, group_key AS key, CAST(NULL AS text) AS of, max(occurred_at) AS at
    FROM staged_events WHERE group_key IS NOT NULL AND was_held IS NULL GROUP BY 1, 3
    UNION ALL
    SELECT source_id, 'user', user_key, group_key, max(occurred_at)
    FROM staged_events WHERE user_key IS NOT NULL AND kind <> 'alias' AND was_held IS NULL GROUP BY 1, 3, 4
    UNION ALL
    SELECT source_id, 'anonymous', anonymous_key, group_key, max(occurred_at)
    FROM staged_events WHERE anonymous_key IS NOT NULL AND user_key IS NULL AND group_key IS NOT NULL
      AND was_held IS NULL
    GROUP BY 1, 3, 4
) AS met ORDER BY source_id, kind, key, of IS NULL, at DESC
ON CONFLICT (source_id, kind, key) DO UPDATE SET
    group_key = excluded.group_key, is_news = true, told_at = excluded.told_at
    WHERE excluded.group_key IS NOT NULL AND kept.group_key IS DISTINCT FROM excluded.group_key
      AND (kept.group_key IS NULL OR excluded.told_at >= kept.told_at)
"""
UNKNOWN = """
NOT EXISTS (SELECT 1 FROM identities AS known
            WHERE known.source_id = told.source_id AND known.kind = told.kind AND known.key = told.key)
"""
MET = """
(told.is_news OR (told.source_id, told.key) IN (SELECT source_id, {column} FROM staged_events))
"""
MATCHED = """
INSERT INTO identities (id, source_id, kind, key, {whom}, since, made_by)
SELECT gen_random_uuid(), source_id, :kind, key, found, told_at, 'match' FROM matched WHERE found IS NOT NULL
ORDER BY source_id, key
ON CONFLICT DO NOTHING
RETURNING source_id, key
"""
BARE_DOMAIN = r"regexp_replace(lower(domain), '^(https?://)?(www\.)?|/$', '', 'g')"
MATCH_GROUPS = f"""
WITH wanted AS MATERIALIZED (
    SELECT source_id, key, told_at, NULLIF(lower(traits ->> '$domain'), '') AS domain
    FROM tracked_traits AS told WHERE kind = 'group' AND {{scope}} AND {UNKNOWN}
), by_id AS (
    SELECT wanted.source_id, wanted.key,
           COALESCE((array_agg(c.id) FILTER (WHERE c.source_id = wanted.source_id))[1],
                    CASE WHEN count(*) = 1 THEN (array_agg(c.id))[1] END) AS customer_id
    FROM wanted JOIN customers AS c ON c.external_id = wanted.key GROUP BY 1, 2
), by_domain AS (
    SELECT wanted.source_id, wanted.key, (array_agg(c.id))[1] AS customer_id
    FROM wanted JOIN (SELECT id, {BARE_DOMAIN} AS domain FROM customers) AS c
        ON c.domain = wanted.domain
    GROUP BY 1, 2 HAVING count(*) = 1
), matched AS (
    SELECT wanted.source_id, wanted.key, wanted.told_at,
           COALESCE(by_id.customer_id, by_domain.customer_id) AS found
    FROM wanted LEFT JOIN by_id USING (source_id, key) LEFT JOIN by_domain USING (source_id, key)
)
{MATCHED.format(whom="customer_id")}
"""  # noqa: S608 - constants only
MATCH_USERS = f"""
WITH wanted AS MATERIALIZED (
    SELECT source_id, key, told_at, NULLIF(lower(traits ->> '$email'), '') AS email
    FROM tracked_traits AS told WHERE kind = 'user' AND stands_for IS NULL AND {{scope}} AND {UNKNOWN}
), by_id AS (
    SELECT wanted.source_id, wanted.key,
           COALESCE((array_agg(c.id) FILTER (WHERE c.source_id = wanted.source_id))[1],
                    CASE WHEN count(*) = 1 THEN (array_agg(c.id))[1] END) AS contact_id
    FROM wanted JOIN contacts AS c ON c.external_id = wanted.key GROUP BY 1, 2
), by_mail AS (
    SELECT wanted.source_id, wanted.key, (array_agg(c.id))[1] AS contact_id
    FROM wanted JOIN contacts AS c ON lower(c.email) = wanted.email
    GROUP BY 1, 2 HAVING count(*) = 1
), matched AS (
    SELECT wanted.source_id, wanted.key, wanted.told_at,
           COALESCE(by_id.contact_id, by_mail.contact_id) AS found
    FROM wanted LEFT JOIN by_id USING (source_id, key) LEFT JOIN by_mail USING (source_id, key)
)
{MATCHED.format(whom="contact_id")}
"""  # noqa: S608 - constants only
MARK = """
UPDATE tracked_traits SET is_news = true
FROM unnest(CAST(:sources AS text[]), CAST(:keys AS text[])) AS fresh(source_id, key)
WHERE tracked_traits.source_id = fresh.source_id AND NOT is_news
  AND ((kind = :kind AND tracked_traits.key = fresh.key) OR {of} = fresh.key)
"""
MARK_KIND = {"group": MARK.format(of="group_key"), "user": MARK.format(of="stands_for")}
FOLLOW = """
UPDATE tracked_traits AS mine SET is_news = true FROM tracked_traits AS theirs
WHERE theirs.is_news AND theirs.kind = 'user' AND mine.source_id = theirs.source_id
  AND mine.stands_for = theirs.key AND NOT mine.is_news
"""
NEW_COMPANIES = f"""
SELECT told.source_id, told.key, told.traits, told.told_at FROM tracked_traits AS told
JOIN sources ON sources.id = told.source_id AND sources.creates_customers
WHERE told.kind = 'group' AND {MET.format(column="group_key")} AND {UNKNOWN}
ORDER BY 1, 2
"""  # noqa: S608 - constants only
NEW_PEOPLE = f"""
SELECT told.source_id, told.key, told.traits, told.told_at, company.customer_id FROM tracked_traits AS told
JOIN identities AS company ON company.source_id = told.source_id AND company.kind = 'group'
    AND company.key = told.group_key AND company.until IS NULL AND company.customer_id IS NOT NULL
WHERE told.kind = 'user' AND told.stands_for IS NULL AND told.traits <> '{{}}'
  AND {MET.format(column="user_key")} AND {UNKNOWN}
ORDER BY 1, 2
"""  # noqa: S608 - constants only
OWN_PEOPLE = """
SELECT contacts.id, told.key, told.traits, told.told_at FROM tracked_traits AS told
JOIN identities ON identities.source_id = told.source_id AND identities.kind = 'user'
    AND identities.key = told.key AND identities.until IS NULL
JOIN contacts ON contacts.id = identities.contact_id AND contacts.source_id = told.source_id
WHERE told.kind = 'user' AND told.traits <> '{}' AND (told.source_id, told.key) IN (
    SELECT source_id, user_key FROM staged_events WHERE kind = 'identify')
"""
RENAME = """
UPDATE contacts SET name = told.name, email = COALESCE(told.email, contacts.email),
    department = COALESCE(told.department, contacts.department),
    time_zone = COALESCE(told.time_zone, contacts.time_zone), told_at = told.told_at
FROM jsonb_to_recordset(CAST(:people AS jsonb)) AS told(
    id uuid, name text, email text, department text, time_zone text, told_at timestamptz)
WHERE contacts.id = told.id
  AND (contacts.name, contacts.email, contacts.department, contacts.time_zone) IS DISTINCT FROM
      (told.name, COALESCE(told.email, contacts.email), COALESCE(told.department, contacts.department),
       COALESCE(told.time_zone, contacts.time_zone))
"""
OWN_COMPANIES = """
SELECT told.source_id, told.key, told.traits, told.told_at FROM tracked_traits AS told
JOIN identities ON identities.source_id = told.source_id AND identities.kind = 'group'
    AND identities.key = told.key AND identities.until IS NULL
JOIN customers ON customers.id = identities.customer_id AND customers.source_id = told.source_id
    AND customers.external_id = told.key
WHERE told.kind = 'group' AND told.traits <> '{}' AND (told.source_id, told.key) IN (
    SELECT source_id, group_key FROM staged_events WHERE kind = 'group')
ORDER BY 1, 2
"""
