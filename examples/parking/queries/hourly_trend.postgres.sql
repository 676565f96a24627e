WITH paid AS (
  SELECT session_id, sum(amount) AS amount FROM payment_history WHERE status = 'captured' GROUP BY session_id
)
SELECT 'crm' AS source, to_char(e.entry_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:00') AS hour, count(*) AS entries,
       sum(coalesce(p.amount, 0.00)) AS revenue
FROM parking_history e
LEFT JOIN paid p ON p.session_id = e.id
WHERE e.entry_at AT TIME ZONE 'UTC' > (SELECT max(entry_at AT TIME ZONE 'UTC') FROM parking_history) - interval '30 days'
GROUP BY 2
ORDER BY 2
