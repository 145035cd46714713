"""The SQL of everything but usage: set-wise for many customers, as of an instant, from what was known then.

It takes `ids`, `as_of` and `today` (the business day of as_of). What is filled in later (resolved, ended,
paid) counts from when it was known. Means are taken of decimals: a mean of floating point depends on the
order of adding in its last bits, and so would be another for everyone than for one.
"""

from models.as_known import AS_KNOWN, STORED

_RELATIONS = """
WITH wanted AS MATERIALIZED (SELECT unnest(CAST(:ids AS uuid[])) AS id),
{changed}
ticket AS (
    SELECT customer_id,
           count(*) FILTER (WHERE is_open) AS open,
           count(*) FILTER (WHERE is_open AND overdue_from < :as_of) AS overdue,
           max(:as_of - overdue_from) FILTER (WHERE is_open AND overdue_from < :as_of) AS overdue_for,
           count(*) FILTER (WHERE opened_at > :as_of - interval '30 days') AS opened_30,
           count(*) FILTER (WHERE opened_at > :as_of - interval '120 days'
                              AND opened_at <= :as_of - interval '30 days') / 3.0 AS opened_usual,
           count(*) FILTER (WHERE escalated AND (is_open OR opened_at > :as_of - interval '30 days'))
               AS escalated,
           avg(CAST(satisfaction AS numeric))
               FILTER (WHERE COALESCE(satisfaction_known_at, known_at) <= :as_of
                         AND opened_at > :as_of - interval '90 days') AS satisfaction,
           count(first_breach) FILTER (WHERE first_breach > :as_of - interval '30 days')
               + count(late_breach) FILTER (WHERE late_breach > :as_of - interval '30 days') AS breached_30,
           max(GREATEST(first_breach, late_breach)) AS breached_at,
           max(:as_of - opened_at) FILTER (WHERE is_open) AS open_for,
           count(*) FILTER (WHERE is_open AND reopened > 0) AS reopened_open,
           avg(CAST(sentiment AS numeric)) FILTER (WHERE opened_at > :as_of - interval '30 days') AS tone,
           avg(CAST(sentiment AS numeric)) FILTER (WHERE opened_at <= :as_of - interval '30 days'
                                    AND opened_at > :as_of - interval '210 days') AS tone_before,
           max(opened_at) AS newest
    FROM (
        SELECT *, CASE WHEN first_response_due_at < LEAST(:as_of, COALESCE(first_responded_at, 'infinity'))
                       THEN first_response_due_at END AS first_breach,
               CASE WHEN resolve_due_at < CASE WHEN is_open THEN :as_of ELSE resolved_at END
                    THEN resolve_due_at END AS late_breach
        FROM (
            SELECT tickets.*,
                   resolved_at IS NULL OR resolved_at > :as_of
                       OR COALESCE(resolved_known_at, known_at) > :as_of AS is_open,
                   LEAST(resolve_due_at, CASE WHEN first_responded_at IS NULL OR first_responded_at > :as_of
                                              THEN first_response_due_at END) AS overdue_from
            FROM {tickets} AS tickets
            WHERE customer_id = ANY(CAST(:ids AS uuid[])) AND known_at <= :as_of AND opened_at <= :as_of
        ) AS tickets
    ) AS tickets GROUP BY customer_id
),
survey AS (
    SELECT customer_id,
           (array_agg(score ORDER BY responded_at DESC, id)
               FILTER (WHERE kind = 'nps' AND recent))[1] AS nps,
           (array_agg(responded_at ORDER BY responded_at DESC, id)
               FILTER (WHERE kind = 'nps' AND recent))[1] AS nps_at,
           (array_agg(score ORDER BY responded_at DESC, id) FILTER (WHERE kind = 'nps'))[2] AS nps_before,
           (array_agg(score ORDER BY responded_at DESC, id)
               FILTER (WHERE kind = 'csat' AND recent))[1] AS csat,
           (array_agg(responded_at ORDER BY responded_at DESC, id)
               FILTER (WHERE kind = 'csat' AND recent))[1] AS csat_at,
           max(responded_at) AS newest
    FROM (
        SELECT *, responded_at > :as_of - interval '180 days' AS recent FROM {surveys} AS surveys
        WHERE customer_id = ANY(CAST(:ids AS uuid[])) AND known_at <= :as_of AND responded_at <= :as_of
    ) AS surveys GROUP BY customer_id
),
people AS (
    SELECT role.customer_id, role.contact_id, role.role, role.since,
           NULLIF(LEAST(role.until, contact.left_at, 'infinity'), 'infinity') AS gone_at
    FROM {contact_roles} role JOIN {contacts} contact ON contact.id = role.contact_id
    WHERE role.customer_id = ANY(CAST(:ids AS uuid[])) AND role.since <= :as_of AND contact.known_at <= :as_of
),
contact AS (
    SELECT customer_id,
           count(DISTINCT contact_id) FILTER (WHERE gone_at IS NULL OR gone_at > :as_of) AS contacts,
           count(*) FILTER (WHERE role = 'champion' AND (gone_at IS NULL OR gone_at > :as_of)) AS champions,
           count(*) FILTER (WHERE role = 'executive_sponsor' AND (gone_at IS NULL OR gone_at > :as_of))
               AS executives,
           max(gone_at) FILTER (WHERE role = 'champion' AND gone_at <= :as_of
                                  AND gone_at > :as_of - interval '180 days') AS champion_left_at,
           max(since) AS newest
    FROM people GROUP BY customer_id
),
touch AS (
    SELECT touchpoints.customer_id,
           max(occurred_at) FILTER (WHERE direction = 'in') AS last_in,
           max(occurred_at) FILTER (WHERE direction = 'out') AS last_out,
           max(occurred_at) FILTER (WHERE executive.contact_id IS NOT NULL) AS executive_at,
           max(occurred_at) AS newest
    FROM {touchpoints} AS touchpoints
    LEFT JOIN (SELECT DISTINCT customer_id, contact_id FROM people WHERE role = 'executive_sponsor')
        AS executive ON executive.contact_id = touchpoints.contact_id
                    AND executive.customer_id = touchpoints.customer_id
    WHERE touchpoints.customer_id = ANY(CAST(:ids AS uuid[])) AND known_at <= :as_of AND occurred_at <= :as_of
      AND state NOT IN ('claimed', 'failed', 'suppressed', 'uncertain', 'bounced')
      AND NOT (purpose = 'marketing' AND direction = 'out')
    GROUP BY touchpoints.customer_id
),
meeting AS (
    SELECT customer_id,
           max(held_at) FILTER (WHERE held_at <= :as_of) AS held_at,
           max(held_at) FILTER (WHERE held_at <= :as_of AND kind IN ('executive', 'qbr')) AS executive_at,
           count(*) FILTER (WHERE held_at > :as_of - interval '90 days' AND held_at <= :as_of) AS meetings_90,
           count(*) FILTER (WHERE missed_at IS NOT NULL) AS qbr_missed,
           max(missed_at) AS missed_at,
           max(LEAST(scheduled_at, :as_of)) AS newest
    FROM (
        SELECT meetings.*, CASE WHEN kind = 'qbr' AND COALESCE(held_at, 'infinity') > :as_of
                AND COALESCE(cancelled_at, 'infinity') > :as_of
                AND scheduled_at > :as_of - interval '180 days'
                AND scheduled_at > COALESCE(last_qbr, '-infinity')
            THEN CASE WHEN answer = 'declined' AND answered_at <= :as_of THEN answered_at
                      WHEN scheduled_at < :as_of - interval '1 day' THEN scheduled_at END END AS missed_at
        FROM (
            SELECT *, max(held_at) FILTER (WHERE kind = 'qbr' AND held_at <= :as_of)
                          OVER (PARTITION BY customer_id) AS last_qbr
            FROM {meetings} AS meetings WHERE customer_id = ANY(CAST(:ids AS uuid[])) AND known_at <= :as_of
        ) AS meetings
    ) AS meetings GROUP BY customer_id
),
subscription AS (
    SELECT customer_id, count(*) AS known,
           count(*) FILTER (WHERE is_active) AS active,
           COALESCE(sum(mrr_minor) FILTER (WHERE is_active AND NOT is_trial), 0) AS mrr,
           COALESCE(sum(mrr_minor) FILTER (WHERE NOT is_trial
               AND started_at <= :as_of - interval '90 days'
               AND (end_known IS NULL OR end_known > :as_of - interval '90 days')), 0) AS mrr_before,
           sum(seats) FILTER (WHERE is_active) AS seats,
           max(discount) FILTER (WHERE is_active) AS discount,
           bool_and(auto_renew) FILTER (WHERE is_active) AS auto_renew,
           max(started_at) FILTER (WHERE is_active) AS changed_at,
           max(billing_months) FILTER (WHERE is_active AND NOT is_trial) AS billing_months,
           array_agg(started_at ORDER BY started_at, id)
               FILTER (WHERE is_active AND NOT is_trial AND billing_months > 0) AS begun,
           array_agg(billing_months ORDER BY started_at, id)
               FILTER (WHERE is_active AND NOT is_trial AND billing_months > 0) AS billed,
           min(end_known) FILTER (WHERE is_active) AS ending_at,
           max(GREATEST(started_at, CASE WHEN NOT is_active THEN end_known END)) AS newest
    FROM (
        SELECT *, end_known IS NULL OR end_known > :as_of AS is_active
        FROM (
            SELECT subscriptions.*,
                   CASE WHEN COALESCE(ended_known_at, known_at) <= :as_of THEN ended_at END AS end_known
            FROM {subscriptions} AS subscriptions
            WHERE customer_id = ANY(CAST(:ids AS uuid[])) AND known_at <= :as_of AND started_at <= :as_of
        ) AS subscriptions
    ) AS subscriptions GROUP BY customer_id
),
invoice AS (
    SELECT customer_id,
           COALESCE(sum(amount_due_minor - CASE WHEN status = 'paid' THEN 0 ELSE amount_paid_minor END)
               FILTER (WHERE is_owed AND due_at < :as_of), 0) AS past_due,
           max(:as_of - due_at) FILTER (WHERE is_owed AND due_at < :as_of) AS past_due_for,
           COALESCE(max(failed_attempts) FILTER (WHERE is_owed), 0) AS failed,
           max(issued_at) AS newest
    FROM (
        SELECT invoices.*, status <> 'void' AND NOT (status = 'paid' AND paid_at IS NULL)
                   AND (paid_at IS NULL OR COALESCE(paid_known_at, known_at) > :as_of) AS is_owed
        FROM {invoices} AS invoices
        WHERE customer_id = ANY(CAST(:ids AS uuid[])) AND known_at <= :as_of
          AND issued_at <= :as_of AND due_at > :as_of - interval '365 days'
    ) AS invoices GROUP BY customer_id
),
goal AS (
    SELECT customer_id, count(*) AS goals,
           count(*) FILTER (WHERE achieved_at <= :as_of) AS achieved,
           count(*) FILTER (WHERE due_on < :today AND (achieved_at IS NULL OR achieved_at > :as_of))
               AS overdue,
           avg(CAST(LEAST(progress, 1) AS numeric)) AS progress, max(known_at) AS newest
    FROM {goals} AS goals WHERE customer_id = ANY(CAST(:ids AS uuid[])) AND known_at <= :as_of
    GROUP BY customer_id
)
SELECT customers.id, customers.plan, customers.segment, customers.status, customers.known_at,
       customers.started_at,
       COALESCE(customers.touch_tier_override, customers.touch_tier) AS touch_tier,
       COALESCE(customers.onboarded_at <= :as_of, false) AS is_onboarded,
       COALESCE(customers.first_value_at <= :as_of, false) AS has_first_value,
       customers.renewal_on, customers.currency,
       ticket.open AS ticket_open, ticket.overdue, ticket.overdue_for, ticket.opened_30,
       ticket.breached_30, ticket.breached_at, ticket.open_for, ticket.reopened_open,
       ticket.opened_usual, ticket.escalated, ticket.satisfaction, ticket.tone, ticket.tone_before,
       survey.nps, survey.nps_at, survey.nps_before, survey.csat, survey.csat_at,
       contact.contacts, contact.champions, contact.executives, contact.champion_left_at,
       touch.last_in, touch.last_out, meeting.held_at, meeting.meetings_90, meeting.qbr_missed,
       meeting.missed_at, GREATEST(touch.executive_at, meeting.executive_at) AS executive_at,
       subscription.known AS subscriptions, subscription.active, subscription.mrr, subscription.mrr_before,
       subscription.seats, subscription.discount, subscription.auto_renew, subscription.changed_at,
       subscription.billing_months, subscription.begun, subscription.billed, subscription.ending_at,
       invoice.past_due, invoice.past_due_for, invoice.failed,
       goal.goals, goal.achieved, goal.overdue AS goals_overdue, goal.progress,
       ticket.newest AS ticket_newest, survey.newest AS survey_newest, contact.newest AS contact_newest,
       touch.newest AS touchpoint_newest, meeting.newest AS meeting_newest,
       subscription.newest AS subscription_newest, invoice.newest AS invoice_newest,
       goal.newest AS goal_newest
FROM (SELECT * FROM {customers} AS customers WHERE id = ANY(CAST(:ids AS uuid[])) OFFSET 0) AS customers
LEFT JOIN ticket ON ticket.customer_id = customers.id
LEFT JOIN survey ON survey.customer_id = customers.id
LEFT JOIN contact ON contact.customer_id = customers.id
LEFT JOIN touch ON touch.customer_id = customers.id
LEFT JOIN meeting ON meeting.customer_id = customers.id
LEFT JOIN subscription ON subscription.customer_id = customers.id
LEFT JOIN invoice ON invoice.customer_id = customers.id
LEFT JOIN goal ON goal.customer_id = customers.id
ORDER BY customers.id
"""

RELATIONS_NOW = _RELATIONS.format(**STORED)
"""From the tables as they stand."""

RELATIONS_AS_KNOWN = _RELATIONS.format(**AS_KNOWN)
"""From the facts as they were known then; what is derived of a customer, models.standing_as_known finds."""
