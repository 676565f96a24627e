-- Vehicles inside now, how full that makes the location (percent), and its turnover: visits a space.
SELECT source, location, capacity, inside,
       ((inside * 10000 // capacity)::DECIMAL(12,0) * 0.01)::DECIMAL(12,2) AS occupancy_percent,
       visits, ((visits * 100 // capacity)::DECIMAL(12,0) * 0.01)::DECIMAL(12,2) AS turnover
FROM (
  SELECT 'crm' AS source, l.code AS location, l.capacity::BIGINT AS capacity,
         count(CASE WHEN s.status = 'open' THEN s.id END) AS inside, count(s.id) AS visits
  FROM crm_public.location l LEFT JOIN crm_public.parking_history s ON s.location_id = l.id
  GROUP BY l.code, l.capacity
  UNION ALL
  SELECT 'ops', l.code, l.capacity::BIGINT,
         count(CASE WHEN s.status::VARCHAR = 'open' THEN s.id END), count(s.id)
  FROM ops_parking.location l LEFT JOIN ops_parking.parking_session s ON s.location_id = l.id
  GROUP BY l.code, l.capacity
) AS by_location
ORDER BY source, location
