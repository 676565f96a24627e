SELECT 'crm' AS source, vehicle_type, count(*) AS visits, sum(seconds)::bigint * 100 / (60 * count(*)) * 0.01 AS average_minutes,
       max(seconds) / 60 AS longest_minutes
FROM (
  SELECT v.code AS vehicle_type, floor(extract(epoch FROM s.exit_at - s.entry_at))::bigint AS seconds
  FROM parking_history s JOIN vehicle_type v ON v.id = s.vehicle_type_id
  WHERE s.status = 'closed' AND s.exit_at >= s.entry_at
) AS stay
GROUP BY vehicle_type
ORDER BY vehicle_type COLLATE "C"
