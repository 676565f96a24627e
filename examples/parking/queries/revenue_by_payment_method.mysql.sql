SELECT 'ops' AS source, m.code AS method, COUNT(p.id) AS payments,
       SUM(CASE WHEN p.status = 'captured' THEN p.amount ELSE 0.00 END) AS revenue,
       SUM(CASE WHEN p.status = 'refunded' THEN p.amount ELSE 0.00 END) AS refunded
FROM payment_method m LEFT JOIN payment p ON p.payment_method_id = m.id
GROUP BY m.code
ORDER BY m.code
