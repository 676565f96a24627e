SELECT 'ops' AS source, location, capacity, inside, inside * 10000 DIV capacity * 0.01 AS occupancy_percent,
       visits, visits * 100 DIV capacity * 0.01 AS turnover
FROM (
  SELECT l.code AS location, l.capacity, COUNT(CASE WHEN s.status = 'open' THEN s.id END) AS inside, COUNT(s.id) AS visits
  FROM location l LEFT JOIN parking_session s ON s.location_id = l.id
  GROUP BY l.code, l.capacity
) AS by_location
ORDER BY location
