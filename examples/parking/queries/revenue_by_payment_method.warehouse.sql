-- Revenue by payment method: only captured payments count, refunds are shown beside.
SELECT source, method, payments, revenue, refunded
FROM (
  SELECT 'crm' AS source, m.code AS method, count(p.id) AS payments,
         sum(CASE WHEN p.status = 'captured' THEN p.amount ELSE 0.00 END)::DECIMAL(38,2) AS revenue,
         sum(CASE WHEN p.status = 'refunded' THEN p.amount ELSE 0.00 END)::DECIMAL(38,2) AS refunded
  FROM crm_public.payment_method m LEFT JOIN crm_public.payment_history p ON p.payment_method_id = m.id
  GROUP BY m.code
  UNION ALL
  SELECT 'ops', m.code, count(p.id),
         sum(CASE WHEN p.status::VARCHAR = 'captured' THEN p.amount ELSE 0.00 END)::DECIMAL(38,2),
         sum(CASE WHEN p.status::VARCHAR = 'refunded' THEN p.amount ELSE 0.00 END)::DECIMAL(38,2)
  FROM ops_parking.payment_method m LEFT JOIN ops_parking.payment p ON p.payment_method_id = m.id
  GROUP BY m.code
) AS both_sources
ORDER BY source, method
