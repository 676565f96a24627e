-- How many visits each vehicle type made, and its share (percent, cut after two digits).
SELECT source, vehicle_type, visits, ((visits * 10000 // greatest(total, 1))::DECIMAL(12,0) * 0.01)::DECIMAL(12,2) AS percent
FROM (
  SELECT source, vehicle_type, visits, (sum(visits) OVER (PARTITION BY source))::BIGINT AS total
  FROM (
    SELECT 'crm' AS source, v.code AS vehicle_type, count(s.id) AS visits
    FROM crm_public.vehicle_type v LEFT JOIN crm_public.parking_history s ON s.vehicle_type_id = v.id
    GROUP BY v.code
    UNION ALL
    SELECT 'ops', v.code, count(s.id)
    FROM ops_parking.vehicle_type v LEFT JOIN ops_parking.parking_session s ON s.vehicle_type_id = v.id
    GROUP BY v.code
  ) AS by_type
) AS with_total
ORDER BY source, vehicle_type
