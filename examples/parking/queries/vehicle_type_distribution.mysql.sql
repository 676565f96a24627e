SELECT 'ops' AS source, vehicle_type, visits, visits * 10000 DIV GREATEST(total, 1) * 0.01 AS percent
FROM (
  SELECT v.code AS vehicle_type, COUNT(s.id) AS visits, SUM(COUNT(s.id)) OVER () AS total
  FROM vehicle_type v LEFT JOIN parking_session s ON s.vehicle_type_id = v.id
  GROUP BY v.code
) AS by_type
ORDER BY vehicle_type
