SELECT 'ops' AS source, vehicle_type, COUNT(*) AS visits, SUM(seconds) * 100 DIV (60 * COUNT(*)) * 0.01 AS average_minutes,
       MAX(seconds) DIV 60 AS longest_minutes
FROM (
  SELECT v.code AS vehicle_type, TIMESTAMPDIFF(MICROSECOND, s.entry_at, s.exit_at) DIV 1000000 AS seconds
  FROM parking_session s JOIN vehicle_type v ON v.id = s.vehicle_type_id
  WHERE s.status = 'closed' AND s.exit_at >= s.entry_at
) AS stay
GROUP BY vehicle_type
ORDER BY vehicle_type
