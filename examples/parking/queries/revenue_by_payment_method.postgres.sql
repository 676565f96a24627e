SELECT 'crm' AS source, m.code AS method, count(p.id) AS payments,
       sum(CASE WHEN p.status = 'captured' THEN p.amount ELSE 0.00 END) AS revenue,
       sum(CASE WHEN p.status = 'refunded' THEN p.amount ELSE 0.00 END) AS refunded
FROM payment_method m LEFT JOIN payment_history p ON p.payment_method_id = m.id
GROUP BY m.code
ORDER BY m.code COLLATE "C"
