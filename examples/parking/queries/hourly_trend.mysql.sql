WITH paid AS (
  SELECT session_id, SUM(amount) AS amount FROM payment WHERE status = 'captured' GROUP BY session_id
)
SELECT 'ops' AS source, DATE_FORMAT(e.entry_at, '%Y-%m-%d %H:00') AS hour, COUNT(*) AS entries,
       SUM(COALESCE(p.amount, 0.00)) AS revenue
FROM parking_session e
LEFT JOIN paid p ON p.session_id = e.id
WHERE e.entry_at > (SELECT MAX(entry_at) FROM parking_session) - INTERVAL 30 DAY
GROUP BY DATE_FORMAT(e.entry_at, '%Y-%m-%d %H:00')
ORDER BY 2
