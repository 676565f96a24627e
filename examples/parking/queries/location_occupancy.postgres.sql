SELECT 'crm' AS source, location, capacity, inside, inside * 10000 / capacity * 0.01 AS occupancy_percent,
       visits, visits * 100 / capacity * 0.01 AS turnover
FROM (
  SELECT l.code AS location, l.capacity, count(CASE WHEN s.status = 'open' THEN s.id END) AS inside, count(s.id) AS visits
  FROM location l LEFT JOIN parking_history s ON s.location_id = l.id
  GROUP BY l.code, l.capacity
) AS by_location
ORDER BY location COLLATE "C"
