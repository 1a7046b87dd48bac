-- verify signal: sums, texts and weights, again from their source rows.

CREATE FUNCTION verify_totals() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text)
  STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT 'feed_total', 'payroll_feed', NULL::bigint, k.source_total::text, k.feed_total::text
    FROM payroll_reconciliation k WHERE k.difference <> 0
  UNION ALL
  SELECT 'notice_text', 'notification', n.notification_id, 'no placeholder', n.body FROM notification n
    WHERE n.body ~ '[{}]'
  UNION ALL
  SELECT 'notice_recipient', 'notification', n.notification_id, array_to_string(k.told, ', '), n.recipient_role
    FROM notification n JOIN notice k USING (kind) WHERE n.recipient_role <> ALL (k.told)
  UNION ALL
  SELECT 'template_weights', 'review_template', t.template_id, '100', sum(i.effective_weight)::text
    FROM review_template t JOIN template_item i USING (template_id)
   WHERE t.activated_at IS NOT NULL GROUP BY t.template_id HAVING sum(i.effective_weight) <> 100;
END;
COMMENT ON FUNCTION verify_totals() IS 'Sums of the payroll feed, texts with a hole, weights that are not 100.';
