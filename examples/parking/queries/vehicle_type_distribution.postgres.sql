SELECT 'crm' AS source, vehicle_type, visits, visits * 10000 / greatest(total, 1) * 0.01 AS percent
FROM (
  SELECT v.code AS vehicle_type, count(s.id) AS visits, (sum(count(s.id)) OVER ())::bigint AS total
  FROM vehicle_type v LEFT JOIN parking_history s ON s.vehicle_type_id = v.id
  GROUP BY v.code
) AS by_type
ORDER BY vehicle_type COLLATE "C"
