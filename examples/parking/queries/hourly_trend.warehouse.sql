-- Entries and revenue by hour (UTC) over the 30 days up to each source's newest entry.
WITH entry AS (
  SELECT 'crm' AS source, id, entry_at AT TIME ZONE 'UTC' AS entry_at FROM crm_public.parking_history
  UNION ALL
  SELECT 'ops', id, entry_at FROM ops_parking.parking_session
), paid AS (
  SELECT 'crm' AS source, session_id, sum(amount) AS amount FROM crm_public.payment_history WHERE status = 'captured' GROUP BY session_id
  UNION ALL
  SELECT 'ops', session_id, sum(amount) FROM ops_parking.payment WHERE status::VARCHAR = 'captured' GROUP BY session_id
), newest AS (
  SELECT source, max(entry_at) AS entry_at FROM entry GROUP BY source
)
SELECT e.source, strftime(date_trunc('hour', e.entry_at), '%Y-%m-%d %H:00') AS hour, count(*) AS entries,
       sum(coalesce(p.amount, 0.00))::DECIMAL(38,2) AS revenue
FROM entry e
JOIN newest n ON n.source = e.source
LEFT JOIN paid p ON p.source = e.source AND p.session_id = e.id
WHERE e.entry_at > n.entry_at - INTERVAL 30 DAY
GROUP BY ALL
ORDER BY source, hour
