-- Average length of the visits that ended, in minutes, cut after two digits (from whole seconds).
SELECT source, vehicle_type, count(*) AS visits,
       ((sum(seconds)::BIGINT * 100 // (60 * count(*)))::DECIMAL(12,0) * 0.01)::DECIMAL(12,2) AS average_minutes,
       max(seconds) // 60 AS longest_minutes
FROM (
  SELECT 'crm' AS source, v.code AS vehicle_type, (epoch_us(s.exit_at) - epoch_us(s.entry_at)) // 1000000 AS seconds
  FROM crm_public.parking_history s JOIN crm_public.vehicle_type v ON v.id = s.vehicle_type_id
  WHERE s.status = 'closed' AND s.exit_at >= s.entry_at
  UNION ALL
  SELECT 'ops', v.code, (epoch_us(s.exit_at) - epoch_us(s.entry_at)) // 1000000
  FROM ops_parking.parking_session s JOIN ops_parking.vehicle_type v ON v.id = s.vehicle_type_id
  WHERE s.status::VARCHAR = 'closed' AND s.exit_at >= s.entry_at
) AS stay
GROUP BY source, vehicle_type
ORDER BY source, vehicle_type
