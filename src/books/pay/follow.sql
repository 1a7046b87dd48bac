-- pay: what follows from what.

-- What stands and what the facts come to, where they differ: rows to supersede have a key, the others are to come.
CREATE FUNCTION pay_difference(employees bigint[])
  RETURNS TABLE (employee_id bigint, salary_id bigint, amount numeric, valid daterange, decision_id bigint, was numeric,
                 cycle_id bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH who AS (
    SELECT DISTINCT k.employee_id FROM unnest(employees) AS k (employee_id)
  ), want AS (
    SELECT w.employee_id, t.amount, t.valid, f.decision_id AS set_by, t.adjustment_id, a.cycle_id,
           a.new_amount
      FROM who w CROSS JOIN LATERAL pay_timeline(w.employee_id) t
      JOIN salary f ON f.salary_id = t.salary_id
      LEFT JOIN salary_adjustment a ON a.adjustment_id = t.adjustment_id
  ), have AS (
    SELECT h.* FROM who w
     CROSS JOIN LATERAL (SELECT s.* FROM salary s
                         WHERE s.employee_id = w.employee_id AND s.superseded_by IS NULL OFFSET 0) h
  )
  SELECT h.employee_id, h.salary_id, h.amount, h.valid, NULL::bigint, NULL::numeric, NULL::bigint
    FROM have h WHERE NOT EXISTS (SELECT FROM want w WHERE w.employee_id = h.employee_id AND w.amount = h.amount
                                                       AND w.valid = h.valid)
  UNION ALL
  -- a raise on another amount than it was approved for is arithmetic: nobody decided that figure
  SELECT w.employee_id, NULL, w.amount, w.valid,
         CASE WHEN w.adjustment_id IS NULL THEN w.set_by
              WHEN w.amount = w.new_amount
              THEN (SELECT d.decision_id FROM decision d WHERE d.cause_id = w.adjustment_id
                       AND d.cause = 'salary_adjustment' AND d.kind = 'pay.apply' ORDER BY d.decision_id LIMIT 1) END,
         (SELECT h.amount FROM have h WHERE h.employee_id = w.employee_id AND h.valid @> lower(w.valid)),
         CASE WHEN w.amount <> w.new_amount THEN w.cycle_id END
    FROM want w WHERE NOT EXISTS (SELECT FROM have h WHERE w.employee_id = h.employee_id AND w.amount = h.amount
                                                       AND w.valid = h.valid);
END;
COMMENT ON FUNCTION pay_difference(bigint[]) IS
  'Base pay that has to give way (with its key) or to come, so that what stands is what pay_timeline() says: for '
  'pay_follow(). cycle_id: of the raise whose figure follows only by arithmetic, was: what stood on its first day.';

CREATE FUNCTION pay_change(gone bigint[], decisions bigint[], stand bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  UPDATE salary s SET superseded_by = g.decision_id FROM unnest(gone, decisions) AS g (salary_id, decision_id)
   WHERE s.salary_id = g.salary_id;
  UPDATE salary s SET superseded_by = NULL WHERE s.salary_id = ANY (stand);
END;
COMMENT ON FUNCTION pay_change(bigint[], bigint[], bigint[]) IS
  'Rows of base pay give way, by these decisions, and others stand in their place; for pay_follow().';

CREATE FUNCTION pay_folded(decisions bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT DISTINCT ON (d.decision_id) d.employee_id, 'employee', 'pay.folded', 'decision:' || d.decision_id,
         r.row || jsonb_build_object('cycle', c.name), d.decision_id
    FROM decision d CROSS JOIN LATERAL jsonb_array_elements(nullif(d.outcome -> 'rows', 'null')) WITH ORDINALITY
      AS r (row, n)
    JOIN review_cycle c ON c.cycle_id = (r.row ->> 'cycle')::bigint
   WHERE d.decision_id = ANY (decisions) AND raises_told(d.employee_id, (r.row ->> 'from')::date)
     AND (r.row ->> 'was')::numeric <> (r.row ->> 'amount')::numeric
   ORDER BY d.decision_id, r.n
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION pay_folded(bigint[]) IS
  'Who is paid another amount by arithmetic alone, as something before a raise changed, is told (PAY-03).';

-- What stands is made what the facts come to; decisions: by which a fact of each was brought, if by any.
CREATE FUNCTION pay_follow(employees bigint[], decisions bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_employees(employees);
  WITH who AS (
    SELECT k.employee_id, max(k.decision_id) AS decision_id
      FROM unnest(employees, decisions) AS k (employee_id, decision_id) GROUP BY k.employee_id
  ), diff AS MATERIALIZED (
    SELECT d.*, w.decision_id AS brought_by FROM pay_difference(employees) d JOIN who w USING (employee_id)
  ), said AS (
    SELECT f.employee_id, min(f.brought_by) AS brought_by,
           jsonb_agg(jsonb_build_object('amount', f.amount, 'from', lower(f.valid), 'until', upper(f.valid))
                     ORDER BY f.valid) FILTER (WHERE f.salary_id IS NOT NULL) AS gone,
           jsonb_agg(jsonb_build_object('amount', f.amount, 'from', lower(f.valid), 'until', upper(f.valid))
                     || CASE WHEN f.cycle_id IS NULL THEN '{}'
                             ELSE jsonb_build_object('cycle', f.cycle_id, 'was', f.was) END
                     ORDER BY f.valid) FILTER (WHERE f.salary_id IS NULL) AS come
      FROM diff f GROUP BY f.employee_id HAVING bool_or(f.brought_by IS NULL OR f.cycle_id IS NOT NULL)
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome)
    SELECT 'pay.fold', s.employee_id, CASE WHEN s.brought_by IS NULL THEN 'employee' ELSE 'decision' END,
           coalesce(s.brought_by, s.employee_id), jsonb_build_object('rows', s.gone),
           jsonb_build_object('rows', s.come)
      FROM said s ORDER BY s.employee_id
    RETURNING decision_id, employee_id
  ), kept AS (
    -- what was set just now and stands as it was set
    SELECT DISTINCT ON (f.employee_id, f.valid) s.salary_id, f.employee_id, f.valid
      FROM diff f JOIN salary s ON s.employee_id = f.employee_id AND s.amount = f.amount AND s.valid = f.valid
       AND s.source = 'set' AND s.superseded_by = s.decision_id AND s.withdrawn_by IS NULL
      JOIN decision o ON o.decision_id = s.decision_id AND hrloop.of_this_transaction(o.xmin, o.decided_at)
     WHERE f.salary_id IS NULL ORDER BY f.employee_id, f.valid, s.salary_id DESC
  ), come AS (
    -- closed at first: what gives way does so before it stands
    INSERT INTO salary (employee_id, amount, valid, decision_id, superseded_by, source)
    SELECT f.employee_id, f.amount, f.valid, CASE WHEN f.cycle_id IS NULL THEN f.decision_id ELSE d.decision_id END,
           coalesce(f.brought_by, d.decision_id), 'fold'
      FROM diff f LEFT JOIN d USING (employee_id)
     WHERE f.salary_id IS NULL
       AND NOT EXISTS (SELECT FROM kept k WHERE k.employee_id = f.employee_id AND k.valid = f.valid)
     ORDER BY f.employee_id, f.valid
    RETURNING salary_id
  )
  SELECT pay_change((SELECT array_agg(f.salary_id ORDER BY f.salary_id) FROM diff f),
                    (SELECT array_agg(coalesce(f.brought_by, d.decision_id) ORDER BY f.salary_id)
                       FROM diff f LEFT JOIN d USING (employee_id)),
                    ARRAY(SELECT k.salary_id FROM kept k UNION ALL SELECT c.salary_id FROM come c)),
         pay_folded(ARRAY(SELECT d.decision_id FROM d));
END;
COMMENT ON FUNCTION pay_follow(bigint[], bigint[]) IS
  'Consequences of what was set, raised or withdrawn, or of employment, on base pay: what differs from '
  'pay_timeline() is superseded, what is missing added, by the decision that brought the fact; where only arithmetic '
  'follows, by a decision pay.fold that says so (PAY-02).';

-- raise rules -----------------------------------------------------------------

CREATE FUNCTION pin_raise_rules(cycles bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO cycle_raise_rule (cycle_id, raise_rule_id, scale_id, unit_kind, job_family, job_id)
  SELECT c.cycle_id, r.raise_rule_id, r.scale_id, r.unit_kind, r.job_family, r.job_id
    FROM review_cycle c JOIN raise_rule r ON r.valid @> lower(c.period)
   WHERE c.cycle_id = ANY (cycles) AND c.status = 'open'
     AND NOT EXISTS (SELECT FROM cycle_raise_rule p WHERE p.cycle_id = c.cycle_id);
END;
COMMENT ON FUNCTION pin_raise_rules(bigint[]) IS 'An opened cycle keeps the raise rules of its first day.';
SELECT register_follow('review_cycle', '{update}', 600, 'pin_raise_rules', key => 'cycle_id', changed => '{status}');

-- proposals -------------------------------------------------------------------

CREATE TRIGGER payroll_feed_announce AFTER INSERT ON payroll_feed REFERENCING NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.signal_announce('feed_id');

-- Payroll hears of every row that stands, with its end, and of every one that gave way.
CREATE FUNCTION salary_fed(salaries bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, entry, amount, effective_on, effective_until,
                            decision_id)
  SELECT s.employee_id, 'salary', 'salary', s.salary_id, e.entry,
         CASE e.entry WHEN 'post' THEN s.amount ELSE -s.amount END, lower(s.valid), upper(s.valid),
         CASE e.entry WHEN 'post' THEN s.decision_id ELSE s.superseded_by END
    FROM salary s
    JOIN (VALUES ('post'), ('reverse')) AS e (entry)
      ON CASE e.entry WHEN 'post' THEN s.superseded_by IS NULL
              ELSE s.superseded_by IS NOT NULL
                   AND EXISTS (SELECT FROM payroll_feed f WHERE f.source_id = s.salary_id AND f.source_table = 'salary'
                                  AND f.entry = 'post') END
   WHERE s.salary_id = ANY (salaries)
   ORDER BY s.employee_id, e.entry DESC, s.salary_id
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION salary_fed(bigint[]) IS
  'Base pay that stands is posted to payroll from its first day to its last; what gave way is reversed (PAY-05).';
SELECT register_follow('salary', '{insert,update}', 500, 'salary_fed', key => 'salary_id',
                       changed => '{superseded_by}');

CREATE FUNCTION adjustment_base(adjustment bigint) RETURNS numeric STABLE LANGUAGE SQL
  RETURN (SELECT raise_base(a.employee_id, a.cycle_id, a.effective_on)
            FROM salary_adjustment a WHERE a.adjustment_id = adjustment);
COMMENT ON FUNCTION adjustment_base(bigint) IS
  'Base of a raise as pay is known now; null: nobody is paid on its day (REV-08).';

-- Planned only when it is called: most locks have nothing to correct.
CREATE FUNCTION correct_raise(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH head AS (
    SELECT DISTINCT ON (r.review_id) x.result_id AS standing_id, x.composite AS score, a.*
      FROM review r
      JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
      JOIN salary_adjustment a ON a.employee_id = r.employee_id AND a.cycle_id = r.cycle_id AND a.status = 'applied'
     WHERE r.review_id = ANY (reviews)
       AND NOT EXISTS (SELECT FROM salary_adjustment p WHERE p.employee_id = r.employee_id AND p.cycle_id = r.cycle_id
                          AND p.status IN ('proposed', 'held', 'approved'))
     ORDER BY r.review_id, a.adjustment_id DESC
  ), due AS (
    SELECT h.*, p.scale_id, n.band_id AS due_band, n.range, n.label, coalesce(n.value, 0) AS due_percent, b.base,
           hrloop.raised(b.base, ARRAY[h.percent], (SELECT setting_number('pay.minor_digits')::int)) AS stands,
           hrloop.raised(b.base, ARRAY[coalesce(n.value, 0)],
                         (SELECT setting_number('pay.minor_digits')::int)) AS due_amount
      FROM head h
      LEFT JOIN cycle_raise_rule p ON p.cycle_id = h.cycle_id AND p.raise_rule_id = h.raise_rule_id
      LEFT JOIN band n ON n.scale_id = p.scale_id AND n.range @> h.score
      CROSS JOIN LATERAL (SELECT adjustment_base(h.adjustment_id) AS base) b
  ), d AS (
    -- a correction without a difference is none
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, rule_id, rule_version, inputs, outcome)
    SELECT 'pay.correct', z.employee_id, 'review_result', z.standing_id, 'raise_rule', z.raise_rule_id,
           (SELECT s.version FROM scale s WHERE s.scale_id = z.scale_id),
           jsonb_build_object('score', z.score, 'old', z.stands, 'scale',
                              (SELECT s.code FROM scale s WHERE s.scale_id = z.scale_id),
                              'band', coalesce(z.range::text, 'gap'), 'label', z.label, 'corrects', z.adjustment_id,
                              'base', z.base,
                              'was', jsonb_build_object('score', z.composite, 'percent', z.percent, 'base',
                                                        z.base_amount)),
           jsonb_build_object('percent', z.due_percent, 'raise', z.due_amount - z.stands, 'new', z.due_amount,
                              'effective_on', z.effective_on)
      FROM due z WHERE z.due_amount <> z.stands ORDER BY z.employee_id
    RETURNING decision_id, cause_id
  ), a AS (
    INSERT INTO salary_adjustment (cycle_id, employee_id, result_id, raise_rule_id, band_id, composite, base_amount,
                                   base_on, old_amount, percent,
                                   raise_amount, new_amount, effective_on, corrects, decision_id)
    SELECT z.cycle_id, z.employee_id, z.standing_id, z.raise_rule_id, z.due_band, z.score, z.base, z.base_on, z.stands,
           z.due_percent,
           z.due_amount - z.stands, z.due_amount, z.effective_on, z.adjustment_id, d.decision_id
      FROM due z JOIN d ON d.cause_id = z.standing_id
     ORDER BY z.employee_id
    RETURNING adjustment_id, employee_id, raise_amount, effective_on, decision_id
  )
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, amount, effective_on, decision_id)
  SELECT a.employee_id, 'raise', 'salary_adjustment', a.adjustment_id, a.raise_amount, a.effective_on, a.decision_id
    FROM a;
END;
COMMENT ON FUNCTION correct_raise(bigint[]) IS
  'Where the raise of a cycle is applied and another percentage is due by the standing result: a correction, by the '
  'same pinned rule from what its base is known to be now, for people to decide; what is applied stays (REV-08).';

CREATE FUNCTION auto_raise(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- what lowers pay waits for people
  UPDATE salary_adjustment a SET status = 'approved', decided_by = 'pay.auto_apply'
    FROM review_result x WHERE x.result_id = a.result_id AND x.review_id = ANY (reviews)
     AND a.status = 'proposed' AND a.raise_amount >= 0 AND payable(a.new_amount);
  UPDATE salary_adjustment a SET status = 'applied'
    FROM review_result x WHERE x.result_id = a.result_id AND x.review_id = ANY (reviews)
     AND a.status = 'approved' AND a.decided_by = 'pay.auto_apply';
END;
COMMENT ON FUNCTION auto_raise(bigint[]) IS
  'By setting pay.auto_apply: raises of these reviews that can be paid are applied without approval (AMB-04).';

CREATE FUNCTION propose_raise(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH base AS (
    SELECT x.result_id, x.composite, r.review_id, r.cycle_id, r.employee_id, lower(s.valid) AS paid_from,
           -- what another cycle raised on the same day may come after this one
           CASE WHEN EXISTS (SELECT FROM salary_adjustment a WHERE a.employee_id = r.employee_id
                                AND a.status = 'applied'
                                AND a.effective_on = coalesce(c.pay_effective_on, upper(c.period)))
                THEN raise_base(r.employee_id, r.cycle_id, coalesce(c.pay_effective_on, upper(c.period)))
                ELSE s.amount END AS amount,
           coalesce(c.pay_effective_on, upper(c.period)) AS effective_on, rule.raise_rule_id, rule.scale_id
      FROM review_result x
      JOIN review r USING (review_id)
      JOIN review_cycle c USING (cycle_id)
      JOIN salary s ON s.employee_id = r.employee_id AND s.superseded_by IS NULL
        AND s.valid @> coalesce(c.pay_effective_on, upper(c.period))
      LEFT JOIN org_unit u ON u.org_unit_id = r.org_unit_id
      LEFT JOIN job j ON j.job_id = r.job_id
      -- no rule is not 0 %: without one nothing is proposed
      JOIN LATERAL (SELECT p.raise_rule_id, p.scale_id FROM cycle_raise_rule p
                          WHERE p.cycle_id = r.cycle_id
                            AND (p.unit_kind IS NULL OR p.unit_kind = u.unit_kind)
                            AND (p.job_family IS NULL OR p.job_family = j.job_family)
                            AND (p.job_id IS NULL OR p.job_id = r.job_id)
                          ORDER BY specificity(p.unit_kind, p.job_family, p.job_id) DESC LIMIT 1) rule ON true
     WHERE x.review_id = ANY (reviews) AND x.reopened_by IS NULL AND c.pay_effective
       AND NOT EXISTS (SELECT FROM salary_adjustment a WHERE a.cycle_id = r.cycle_id AND a.employee_id = r.employee_id
                          AND a.status IN ('proposed', 'held', 'approved', 'applied'))
  ), raise AS (
    -- numbered here, as the planner would look up each decision among all
    SELECT b.*, n.band_id, n.range, coalesce(n.value, 0) AS percent, n.label,
           hrloop.round_money(b.amount * coalesce(n.value, 0) / 100, (SELECT setting_number('pay.minor_digits')::int))
             AS raise_amount,
           nextval('decision_decision_id_seq') AS decision_id
      FROM base b LEFT JOIN band n ON n.scale_id = b.scale_id AND n.range @> b.composite
     ORDER BY b.employee_id
  ), d AS (
    INSERT INTO decision (decision_id, kind, employee_id, cause, cause_id, rule, rule_id, rule_version, inputs, outcome)
    SELECT z.decision_id, 'pay.propose', z.employee_id, 'review_result', z.result_id, 'raise_rule', z.raise_rule_id,
           (SELECT s.version FROM scale s WHERE s.scale_id = z.scale_id),
           jsonb_build_object('score', z.composite, 'old', z.amount, 'scale',
                              (SELECT s.code FROM scale s WHERE s.scale_id = z.scale_id),
                              'band', coalesce(z.range::text, 'gap'), 'label', z.label),
           jsonb_build_object('percent', z.percent, 'raise', z.raise_amount, 'new', z.amount + z.raise_amount,
                              'effective_on', z.effective_on)
      FROM raise z
  ), a AS (
    INSERT INTO salary_adjustment (cycle_id, employee_id, result_id, raise_rule_id, band_id, composite, base_amount,
                                   base_on, old_amount, percent,
                                   raise_amount, new_amount, effective_on, decision_id)
    SELECT z.cycle_id, z.employee_id, z.result_id, z.raise_rule_id, z.band_id, z.composite,
           z.amount, z.effective_on - (z.paid_from < z.effective_on)::int, z.amount, z.percent,
           z.raise_amount, z.amount + z.raise_amount, z.effective_on, z.decision_id
      FROM raise z
    RETURNING adjustment_id, employee_id, raise_amount, effective_on, decision_id
  )
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, amount, effective_on, decision_id)
  SELECT a.employee_id, 'raise', 'salary_adjustment', a.adjustment_id, a.raise_amount, a.effective_on, a.decision_id
    FROM a;
  SELECT correct_raise(l.reviews)
    FROM (SELECT array_agg(r.review_id) AS reviews FROM review r
           WHERE r.review_id = ANY (reviews)
             AND EXISTS (SELECT FROM salary_adjustment a
                         WHERE a.employee_id = r.employee_id AND a.cycle_id = r.cycle_id AND a.status = 'applied')) l
   WHERE l.reviews IS NOT NULL;
  SELECT auto_raise(reviews) WHERE setting_on('pay.auto_apply');
END;
COMMENT ON FUNCTION propose_raise(bigint[]) IS
  'Consequences of a lock on pay: one proposal per employee and cycle from score, base pay and the pinned rule, with '
  'its decision and feed row; never a second one. Where a raise is applied already, a correction of it (PAY-02, '
  'REV-08).';
SELECT register_follow('review_result', '{insert}', 700, 'propose_raise', key => 'review_id');

CREATE FUNCTION has_raise_rule(review bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN EXISTS (SELECT FROM review r JOIN cycle_raise_rule p USING (cycle_id)
                   LEFT JOIN org_unit u ON u.org_unit_id = r.org_unit_id LEFT JOIN job j ON j.job_id = r.job_id
                  WHERE r.review_id = review AND (p.unit_kind IS NULL OR p.unit_kind = u.unit_kind)
                    AND (p.job_family IS NULL OR p.job_family = j.job_family)
                    AND (p.job_id IS NULL OR p.job_id = r.job_id));
COMMENT ON FUNCTION has_raise_rule(bigint) IS 'Whether the cycle of a review has a raise rule for its person (PAY-04).';

CREATE FUNCTION raise_rule_missing(cycles bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO notification (recipient_role, kind, event_key, args)
  SELECT 'hr', 'pay.no_rule', 'cycle:' || c.cycle_id, jsonb_build_object('cycle', c.name, 'count', count(*))
    FROM review r JOIN review_cycle c USING (cycle_id)
   WHERE c.cycle_id = ANY (cycles) AND c.status = 'open' AND c.pay_effective AND NOT has_raise_rule(r.review_id)
   GROUP BY c.cycle_id, c.name ORDER BY c.cycle_id
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION raise_rule_missing(bigint[]) IS
  'Consequence of a pay-effective cycle that opens: HR is told how many of its people have no raise rule; nothing '
  'will be proposed for them (PAY-01).';
SELECT register_follow('review_cycle', '{update}', 690, 'raise_rule_missing', key => 'cycle_id',
                       changed => '{status}');

CREATE FUNCTION adjustment_paid(adjustment bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN EXISTS (SELECT FROM decision d WHERE d.cause_id = adjustment AND d.cause = 'salary_adjustment'
                    AND d.kind = 'pay.apply');
COMMENT ON FUNCTION adjustment_paid(bigint) IS 'Whether a raise was applied once, whatever its row says.';
CREATE FUNCTION withdraw_adjustments(adjustments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'pay.withdraw', a.employee_id, 'salary_adjustment', a.adjustment_id,
           jsonb_build_object('percent', a.percent, 'raise', a.raise_amount, 'was', a.status)
           || CASE WHEN u.decision_id IS NULL
             THEN jsonb_build_object('base', a.base_amount, 'base_now', adjustment_base(a.adjustment_id)) ELSE '{}' END,
           jsonb_build_object('status', 'withdrawn'), u.reason
      FROM salary_adjustment a JOIN review_result x USING (result_id)
        LEFT JOIN decision u ON u.decision_id = x.reopened_by
     WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('proposed', 'held', 'approved')
     ORDER BY a.employee_id
    RETURNING decision_id, cause_id
  ), a AS (
    UPDATE salary_adjustment a SET status = 'withdrawn' FROM d WHERE a.adjustment_id = d.cause_id
    RETURNING a.adjustment_id, a.employee_id, a.raise_amount, a.effective_on, d.decision_id
  )
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, entry, amount, effective_on, decision_id)
  SELECT a.employee_id, 'raise', 'salary_adjustment', a.adjustment_id, 'reverse', -a.raise_amount, a.effective_on,
         a.decision_id FROM a;
END;
COMMENT ON FUNCTION withdraw_adjustments(bigint[]) IS
  'Withdraw raises and corrections that are not applied: decision with the reason of the unlock, or with the base that '
  'moved; the feed row is reversed.';
CREATE FUNCTION withdraw_raise(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- who applies it at the same time goes first: then there is nothing to withdraw, and the next lock corrects it
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM review r WHERE r.review_id = ANY (reviews)));
  SELECT count(*) FROM (SELECT FROM salary_adjustment a JOIN review_result x USING (result_id)
                         WHERE x.review_id = ANY (reviews) AND a.status IN ('proposed', 'held', 'approved')
                         ORDER BY a.adjustment_id FOR NO KEY UPDATE OF a) l;
  SELECT withdraw_adjustments(ARRAY(SELECT a.adjustment_id FROM salary_adjustment a
                                    JOIN review_result x USING (result_id)
                                     WHERE x.review_id = ANY (reviews) AND x.reopened_by IS NOT NULL
                                       AND a.status IN ('proposed', 'held', 'approved')));
END;
COMMENT ON FUNCTION withdraw_raise(bigint[]) IS
  'Consequences of an unlock on pay: raises and corrections that were not applied are withdrawn; what is applied '
  'stays.';
SELECT register_follow('review_result', '{update}', 750, 'withdraw_raise', key => 'review_id',
                       changed => '{reopened_by}');

CREATE FUNCTION tell_raise(adjustments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT a.employee_id, 'employee',
         CASE WHEN a.corrects IS NOT NULL THEN 'pay.corrected' WHEN a.raise_amount > 0 THEN 'pay.raise'
           ELSE 'pay.no_raise' END,
         'adjustment:' || a.adjustment_id,
         jsonb_build_object('score', a.composite, 'percent', a.percent, 'old', a.old_amount, 'new', a.new_amount)
         || CASE WHEN a.corrects IS NULL THEN '{}'
                 ELSE jsonb_build_object('base', a.base_amount, 'raise', a.raise_amount, 'effective_on',
                                         a.effective_on) END, a.decision_id
    FROM salary_adjustment a JOIN review_result x USING (result_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'applied'
     AND (x.disclosed_on IS NOT NULL OR disclosed(x.review_id))
   ORDER BY a.adjustment_id
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION tell_raise(bigint[]) IS
  'Notices of raises and corrections that are applied, once their result is disclosed.';
CREATE FUNCTION result_tells_raise(results bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT tell_raise(ARRAY(SELECT a.adjustment_id FROM review_result x JOIN review r USING (review_id)
                            JOIN salary_adjustment a ON a.employee_id = r.employee_id AND a.cycle_id = r.cycle_id
                              AND a.status = 'applied'
                           WHERE x.result_id = ANY (results)));
  SELECT pay_folded(ARRAY(SELECT d.decision_id FROM review_result x JOIN review r USING (review_id)
                            JOIN decision d ON d.employee_id = r.employee_id AND d.kind = 'pay.fold'
                           WHERE x.result_id = ANY (results)));
END;
COMMENT ON FUNCTION result_tells_raise(bigint[]) IS
  'Consequence of a disclosure on pay: what was applied before it is told now (REV-08).';
SELECT register_follow('review_result', '{update}', 700, 'result_tells_raise', key => 'result_id',
                       changed => '{disclosed_on}');

CREATE FUNCTION adjustment_changed(adjustments bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, reason, inputs, outcome)
    SELECT 'pay.' || CASE a.status WHEN 'applied' THEN 'apply' WHEN 'approved' THEN 'approve' ELSE 'reject' END,
           a.employee_id, 'salary_adjustment', a.adjustment_id, CASE a.status WHEN 'rejected' THEN a.reason END,
           jsonb_build_object('old', a.old_amount, 'decided_by', a.decided_by)
           || CASE WHEN a.status = 'approved' THEN jsonb_build_object('hash', h.hash) ELSE '{}' END
           || CASE WHEN a.corrects IS NULL THEN '{}'
             ELSE jsonb_build_object('corrects', a.corrects, 'base', a.base_amount) END,
           jsonb_build_object('percent', a.percent, 'new', a.new_amount, 'effective_on', a.effective_on)
      FROM salary_adjustment a CROSS JOIN LATERAL adjustment_hash(ARRAY[a.adjustment_id]) h
     WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('approved', 'applied', 'rejected')
     ORDER BY a.employee_id
    RETURNING decision_id, kind, cause_id, employee_id
  ), changed AS (
    SELECT array_agg(d.employee_id ORDER BY d.employee_id) AS employees,
           array_agg(d.decision_id ORDER BY d.employee_id) AS decisions
      FROM d WHERE d.kind = 'pay.apply'
  )
  SELECT pay_follow(c.employees, c.decisions) FROM changed c WHERE c.employees IS NOT NULL;
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, entry, amount, effective_on, decision_id)
  SELECT a.employee_id, 'raise', 'salary_adjustment', a.adjustment_id, 'reverse', -a.raise_amount, a.effective_on,
         a.decision_id
    FROM salary_adjustment a WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'rejected'
  ON CONFLICT DO NOTHING;
  SELECT tell_raise(adjustments);
  SELECT '42501', format('%s cannot decide on their own raise', a.decided_by), NULL, 'Somebody else has to.',
         'salary_adjustment', 'decided_by', 'salary_adjustment_four_eyes'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.decided_by = e.employee_no
  UNION ALL
  SELECT '55000', format('raise of employee %s was not approved', e.employee_no),
         (SELECT 'Its approval is void: pay changed since.' FROM decision d
           JOIN salary_adjustment v ON v.adjustment_id = d.cause_id
           WHERE d.employee_id = a.employee_id AND d.kind = 'pay.void' AND v.cycle_id = a.cycle_id LIMIT 1),
         'Use approve_adjustment() first.',
         'salary_adjustment', 'status', 'salary_adjustment_approved'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('approved', 'applied', 'rejected')
     AND a.decided_by IS NULL
  UNION ALL
  SELECT '55000', format('raise of employee %s was reopened after it was applied', e.employee_no), NULL,
         'What was paid stands; unlock the review, correct the score and lock it again: that proposes a correction.',
         'salary_adjustment', 'status', 'salary_adjustment_final'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status <> 'applied'
     AND adjustment_paid(a.adjustment_id)
  UNION ALL
  SELECT '55000', format('raise of employee %s is closed', e.employee_no), 'It was rejected or withdrawn before.',
         'Unlock and lock the review again to get a new proposal.', 'salary_adjustment', 'status',
         'salary_adjustment_closed'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('proposed', 'held', 'approved', 'applied')
     AND EXISTS (SELECT FROM payroll_feed f
                 WHERE f.source_table = 'salary_adjustment' AND f.source_id = a.adjustment_id
                   AND f.entry = 'reverse' OFFSET 0);
END;
COMMENT ON FUNCTION adjustment_changed(bigint[]) IS
  'Consequences of deciding on raises: decision, salary, feed and notice when applied; nobody decides on their own '
  '(PAY-02).';
SELECT register_follow('salary_adjustment', '{update}', 500, 'adjustment_changed', key => 'adjustment_id',
                       changed => '{status}');

CREATE FUNCTION hold_raise(appeals bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- who applies it at the same time goes first, or comes too late
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM appeal p JOIN review r USING (review_id)
                               WHERE p.appeal_id = ANY (appeals)));
  SELECT count(*) FROM (SELECT FROM salary_adjustment a JOIN appeal p USING (result_id)
                        WHERE p.appeal_id = ANY (appeals)
                         ORDER BY a.adjustment_id FOR NO KEY UPDATE OF a) l;
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'pay.hold', a.employee_id, 'salary_adjustment', a.adjustment_id,
           jsonb_build_object('appeal', p.appeal_id, 'was', a.status, 'decided_by', a.decided_by),
           jsonb_build_object('status', 'held'), p.reason
      FROM appeal p JOIN salary_adjustment a USING (result_id)
     WHERE p.appeal_id = ANY (appeals) AND p.status = 'open' AND a.status IN ('proposed', 'approved')
     ORDER BY a.adjustment_id
    RETURNING cause_id
  )
  UPDATE salary_adjustment a SET status = 'held', decided_by = NULL FROM d WHERE a.adjustment_id = d.cause_id;
END;
COMMENT ON FUNCTION hold_raise(bigint[]) IS
  'Consequence of an appeal on pay: a raise that was not applied is held, an approval is void; what is applied stays '
  '(REV-08).';
SELECT register_follow('appeal', '{insert}', 600, 'hold_raise', key => 'appeal_id');

CREATE FUNCTION rebase_raise(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT withdraw_adjustments(ARRAY(SELECT a.adjustment_id FROM salary_adjustment a
                                    JOIN review_result x USING (result_id)
                                     WHERE x.review_id = ANY (reviews)
                                       AND CASE a.status
                                           WHEN 'proposed' THEN adjustment_base(a.adjustment_id)
                                                                IS DISTINCT FROM a.base_amount
                                           WHEN 'approved' THEN adjustment_base(a.adjustment_id)
                                                                IS DISTINCT FROM a.base_amount
                                           WHEN 'held' THEN adjustment_base(a.adjustment_id) IS NULL
                                           ELSE false END));
  SELECT propose_raise(reviews);
  SELECT hold_raise(ARRAY(SELECT p.appeal_id FROM appeal p WHERE p.review_id = ANY (reviews) AND p.status = 'open'));
END;
COMMENT ON FUNCTION rebase_raise(bigint[]) IS
  'Raises that wait and whose base is another now: withdrawn and proposed anew, to be approved, and held while an '
  'appeal is open; where nobody is paid any more, only withdrawn (REV-08).';

CREATE FUNCTION release_raise(appeals bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- the employee first, as every change of pay
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM appeal p JOIN review r USING (review_id)
                               WHERE p.appeal_id = ANY (appeals)));
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'pay.release', a.employee_id, 'salary_adjustment', a.adjustment_id,
           jsonb_build_object('appeal', p.appeal_id, 'was', a.status), jsonb_build_object('status', 'proposed'),
           p.rationale
      FROM appeal p JOIN salary_adjustment a USING (result_id)
     WHERE p.appeal_id = ANY (appeals) AND p.status = 'rejected' AND a.status = 'held'
     ORDER BY a.adjustment_id
    RETURNING cause_id
  )
  UPDATE salary_adjustment a SET status = 'proposed' FROM d WHERE a.adjustment_id = d.cause_id;
  -- while it was held its base may have been corrected
  SELECT rebase_raise(l.reviews)
    FROM (SELECT array_agg(p.review_id ORDER BY p.review_id) AS reviews FROM appeal p
          WHERE p.appeal_id = ANY (appeals) AND p.status = 'rejected') l
   WHERE l.reviews IS NOT NULL;
END;
COMMENT ON FUNCTION release_raise(bigint[]) IS
  'Consequence of a rejected appeal on pay: the raise is proposed again (REV-08).';
SELECT register_follow('appeal', '{update}', 600, 'release_raise', key => 'appeal_id', changed => '{status}');

-- An approval is of these figures and this pay; when they are others, it is void.
CREATE FUNCTION void_approvals(adjustments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome)
    SELECT 'pay.void', a.employee_id, 'salary_adjustment', a.adjustment_id,
           jsonb_build_object('approved_by', a.decided_by, 'old', a.old_amount, 'pay',
                              salary_on(a.employee_id, a.effective_on), 'hash', h.hash),
           '{"status": "proposed"}'
      FROM salary_adjustment a CROSS JOIN LATERAL adjustment_hash(ARRAY[a.adjustment_id]) h
     WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'approved' AND NOT h.approved
     ORDER BY a.adjustment_id
    RETURNING decision_id, cause_id
  ), a AS (
    UPDATE salary_adjustment a SET status = 'proposed', decided_by = NULL FROM d WHERE a.adjustment_id = d.cause_id
    RETURNING a.employee_id, a.cycle_id, a.old_amount, a.effective_on, d.decision_id
  )
  INSERT INTO notification (recipient_role, kind, event_key, args, decision_id)
  SELECT 'hr', 'pay.void', 'decision:' || a.decision_id, jsonb_build_object('employee', e.name, 'cycle', c.name),
         a.decision_id
    FROM a JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
   ORDER BY a.decision_id
  ON CONFLICT DO NOTHING;
  -- from another pay another raise follows
  SELECT rebase_raise(l.reviews)
    FROM (SELECT array_agg(DISTINCT x.review_id) AS reviews FROM salary_adjustment a
          JOIN review_result x USING (result_id)
           WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'proposed'
             AND adjustment_base(a.adjustment_id) IS DISTINCT FROM a.base_amount) l
   WHERE l.reviews IS NOT NULL;
END;
COMMENT ON FUNCTION void_approvals(bigint[]) IS
  'Approved raises whose figures or pay are no longer those that were approved: proposed again, by a decision and with '
  'a notice to HR; on another base with other figures.';

-- What waits follows pay, whatever moved it: a raise that is paid late or corrected, a salary that becomes known, an
-- employment that ends.
CREATE FUNCTION raises_follow(employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- the first forgets the approvals, the second has new figures proposed
  SELECT void_approvals(l.waiting), rebase_raise(l.reviews)
    FROM (SELECT array_agg(a.adjustment_id ORDER BY a.adjustment_id) FILTER (WHERE a.status = 'approved') AS waiting,
                 array_agg(DISTINCT x.review_id) AS reviews
            FROM salary_adjustment a JOIN review_result x USING (result_id)
           WHERE a.employee_id = ANY (employees) AND a.status IN ('proposed', 'held', 'approved')
             AND adjustment_base(a.adjustment_id) IS DISTINCT FROM a.base_amount) l
   WHERE l.reviews IS NOT NULL;
  -- a salary that was not known at the lock: the raise is proposed now
  SELECT propose_raise(l.reviews)
    FROM (SELECT array_agg(x.review_id ORDER BY x.review_id) AS reviews
            FROM review r JOIN review_cycle c USING (cycle_id)
            JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
           WHERE r.employee_id = ANY (employees) AND c.pay_effective
             AND NOT EXISTS (SELECT FROM salary_adjustment a
                             WHERE a.employee_id = r.employee_id AND a.cycle_id = r.cycle_id
                               AND (a.status <> 'withdrawn' AND a.result_id = x.result_id
                                    OR a.status IN ('proposed', 'held', 'approved', 'applied')))
             AND salary_on(r.employee_id, coalesce(c.pay_effective_on, upper(c.period))) IS NOT NULL) l
   WHERE l.reviews IS NOT NULL;
END;
COMMENT ON FUNCTION raises_follow(bigint[]) IS
  'Consequence of other pay on raises that wait: what was computed from the pay that changed is proposed anew, '
  'approvals of it are void; where nobody is employed any more it is withdrawn; what could not be proposed for want '
  'of a salary is (REV-08).';

CREATE FUNCTION carry_raise(adjustments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT raises_follow(l.employees)
    FROM (SELECT array_agg(DISTINCT a.employee_id) AS employees FROM salary_adjustment a
           WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'applied') l
   WHERE l.employees IS NOT NULL;
END;
COMMENT ON FUNCTION carry_raise(bigint[]) IS
  'Consequence of an applied raise or correction on raises that wait (REV-08).';
SELECT register_follow('salary_adjustment', '{update}', 600, 'carry_raise', key => 'adjustment_id',
                       changed => '{status}');

CREATE FUNCTION salary_followed(salaries bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- what is loaded for people of whom nothing else is known stands as it is
  SELECT pay_follow(l.employees, l.decisions), raises_follow(l.employees)
    FROM (SELECT array_agg(s.employee_id ORDER BY s.salary_id) AS employees,
                 array_agg(coalesce(s.withdrawn_by, s.decision_id) ORDER BY s.salary_id) AS decisions
            FROM salary s
           WHERE s.salary_id = ANY (salaries) AND s.source = 'set'
             AND (s.superseded_by IS NOT NULL
                  OR EXISTS (SELECT FROM salary_adjustment a WHERE a.employee_id = s.employee_id)
                  OR EXISTS (SELECT FROM review_result x JOIN review r USING (review_id)
                              WHERE r.employee_id = s.employee_id)
                  OR NOT EXISTS (SELECT FROM employment(s.employee_id) e WHERE e.spell @> s.valid))) l
   WHERE l.employees IS NOT NULL;
END;
COMMENT ON FUNCTION salary_followed(bigint[]) IS
  'Consequence of an amount that was set, loaded or withdrawn: pay is what all facts come to, and raises that wait '
  'follow it (PAY-02).';
SELECT register_follow('salary', '{insert,update}', 600, 'salary_followed', key => 'salary_id',
                       changed => '{amount,valid,withdrawn_by}');

CREATE FUNCTION salary_deleted(was salary[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, entry, amount, effective_on, effective_until)
  SELECT f.employee_id, f.kind, f.source_table, f.source_id, 'reverse', -f.amount, f.effective_on, f.effective_until
    FROM unnest(was) w JOIN payroll_feed f ON f.source_id = w.salary_id AND f.source_table = 'salary'
      AND f.entry = 'post'
   ORDER BY f.feed_id
  ON CONFLICT DO NOTHING;
  SELECT pay_follow(l.employees, '{}'), raises_follow(l.employees)
    FROM (SELECT array_agg(DISTINCT w.employee_id) AS employees FROM unnest(was) w) l;
END;
COMMENT ON FUNCTION salary_deleted(salary[]) IS
  'Consequence of base pay that was deleted: payroll hears of it, and pay is what the other facts come to (PAY-05).';
SELECT register_follow('salary', '{delete}', 600, 'salary_deleted');

-- skill allowances ------------------------------------------------------------

CREATE FUNCTION allowance_day(day date, effective text) RETURNS date IMMUTABLE PARALLEL SAFE LANGUAGE SQL
  RETURN CASE WHEN effective = 'same_day' THEN day
              ELSE (date_trunc('month', day::timestamp) + interval '1 month')::date END;
COMMENT ON FUNCTION allowance_day(date, text) IS
  'Day on which an allowance follows a change of skill: the first of the next month, or with effective (setting '
  'allowance.effective) same_day that very day (AMB-12).';

CREATE FUNCTION allowance_day(day date) RETURNS date STABLE LANGUAGE SQL
  RETURN allowance_day(day, setting_text('allowance.effective'));
COMMENT ON FUNCTION allowance_day(date) IS
  'The same by the setting as it is; who asks for many days reads the setting once and hands it over.';

CREATE VIEW allowance_timeline WITH (security_invoker) AS
  SELECT t.employee_id, t.component, t.amount, t.valid * e.spell AS valid, t.allowance_rule_id, t.cause, t.cause_id
    FROM (
      SELECT l.employee_id, 'skill ' || l.skill_id AS component, r.amount,
             CASE WHEN d.from_day < coalesce(d.until_day, 'infinity')
                  THEN daterange(d.from_day, d.until_day) * r.valid ELSE 'empty' END AS valid,
             r.allowance_rule_id, 'certification_result' AS cause, l.certification_result_id AS cause_id
        FROM employee_skill_level l
        JOIN allowance_rule r USING (skill_level_id)
        CROSS JOIN LATERAL (SELECT setting_text('allowance.effective') AS effective OFFSET 0) w
        CROSS JOIN LATERAL (SELECT allowance_day(lower(l.valid), w.effective) AS from_day,
                                   allowance_day(upper(l.valid), w.effective) AS until_day) d
       WHERE l.superseded_by IS NULL
      UNION ALL
      SELECT t.employee_id, 'course ' || t.resource_id, r.amount,
             daterange(allowance_day(t.completed_on, (SELECT setting_text('allowance.effective'))), NULL) * r.valid,
             r.allowance_rule_id, 'training_record', t.training_record_id
        FROM (SELECT DISTINCT ON (employee_id, resource_id) employee_id, resource_id, completed_on, training_record_id
                FROM training_record WHERE passed
               ORDER BY employee_id, resource_id, completed_on, training_record_id) t
        JOIN allowance_rule r USING (resource_id)) t
   CROSS JOIN LATERAL employment(t.employee_id) e
   WHERE NOT isempty(t.valid * e.spell);
COMMENT ON VIEW allowance_timeline IS
  'Allowances that levels and courses come to while somebody is employed: what one can is not lost by leaving, and who '
  'returns is paid for it again. A course counts once, from its first pass.';
COMMENT ON COLUMN allowance_timeline.employee_id IS 'Whose.';
COMMENT ON COLUMN allowance_timeline.component IS 'Ladder or course.';
COMMENT ON COLUMN allowance_timeline.amount IS 'Yuan a month.';
COMMENT ON COLUMN allowance_timeline.valid IS 'Days.';
COMMENT ON COLUMN allowance_timeline.allowance_rule_id IS 'Rule.';
COMMENT ON COLUMN allowance_timeline.cause IS 'Table of the cause.';
COMMENT ON COLUMN allowance_timeline.cause_id IS 'Key of the cause.';

CREATE FUNCTION allowance_difference(employees bigint[])
  RETURNS TABLE (employee_id bigint, component text, valid daterange, before numeric, after numeric,
                 skill_allowance_id bigint, allowance_rule_id bigint, cause text, cause_id bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT coalesce(w.employee_id, h.employee_id), coalesce(w.component, h.component), coalesce(w.valid, h.valid),
         h.amount, w.amount, h.skill_allowance_id, coalesce(w.allowance_rule_id, h.allowance_rule_id),
         coalesce(w.cause, h.cause), coalesce(w.cause_id, h.cause_id)
    -- person by person, as in skill_follow
    FROM (SELECT t.* FROM unnest(employees) AS k (employee_id)
           CROSS JOIN LATERAL (SELECT l.* FROM allowance_timeline l WHERE l.employee_id = k.employee_id OFFSET 0) t) w
    FULL JOIN (SELECT s.* FROM unnest(employees) AS k (employee_id)
                CROSS JOIN LATERAL (SELECT l.* FROM skill_allowance l
                                     WHERE l.employee_id = k.employee_id AND l.superseded_by IS NULL OFFSET 0) s) h
      ON w.employee_id = h.employee_id AND w.component = h.component AND w.amount = h.amount AND w.valid = h.valid;
END;
COMMENT ON FUNCTION allowance_difference(bigint[]) IS
  'What stands as allowance and what levels, courses and rules come to: before is null for what is missing, after for '
  'what is to go; both where nothing changes.';

CREATE FUNCTION allowance_follow(employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_allowances();
  SELECT hold_employees(employees);
  WITH entry AS (
    SELECT a.* FROM allowance_difference(employees) a
  ), moved AS (
    SELECT u.employee_id, u.component,
           (array_agg(u.cause ORDER BY u.valid DESC) FILTER (WHERE u.before IS NULL))[1] AS new_cause,
           (array_agg(u.cause_id ORDER BY u.valid DESC) FILTER (WHERE u.before IS NULL))[1] AS new_cause_id,
           (array_agg(u.cause ORDER BY u.valid DESC) FILTER (WHERE u.after IS NULL))[1] AS old_cause,
           (array_agg(u.cause_id ORDER BY u.valid DESC) FILTER (WHERE u.after IS NULL))[1] AS old_cause_id,
           max(u.before) FILTER (WHERE upper_inf(u.valid)) AS before,
           max(u.after) FILTER (WHERE upper_inf(u.valid)) AS after,
           coalesce(max(lower(u.valid)) FILTER (WHERE u.after IS NOT NULL AND upper_inf(u.valid)),
                    max(upper(u.valid)) FILTER (WHERE u.after IS NOT NULL)) AS from_day,
           max(lower(u.valid)) FILTER (WHERE u.after IS NULL) AS old_day,
           jsonb_agg(jsonb_build_object('amount', u.after, 'from', lower(u.valid), 'until', upper(u.valid))
                     ORDER BY u.valid) FILTER (WHERE u.before IS NULL) AS entries
      FROM entry u
     GROUP BY u.employee_id, u.component HAVING bool_or(u.before IS NULL OR u.after IS NULL)
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
    SELECT 'allowance', m.employee_id, coalesce(m.new_cause, m.old_cause), coalesce(m.new_cause_id, m.old_cause_id),
           'allowance_rule',
           jsonb_build_object('component', m.component, 'before', coalesce(m.before, 0)),
           jsonb_build_object('after', coalesce(m.after, 0), 'from', coalesce(m.from_day, m.old_day), 'rows', m.entries)
      FROM moved m ORDER BY m.employee_id, m.component
    RETURNING decision_id, employee_id, inputs, outcome
  ), gone AS (
    UPDATE skill_allowance h SET superseded_by = d.decision_id
      FROM entry o JOIN d ON d.employee_id = o.employee_id AND d.inputs ->> 'component' = o.component
     WHERE h.skill_allowance_id = o.skill_allowance_id AND o.after IS NULL
    RETURNING h.employee_id, h.skill_allowance_id, h.amount, h.valid, d.decision_id
  ), come AS (
    -- the new rows come in closed: parts of one statement run in no stated order, and old and new may not overlap
    INSERT INTO skill_allowance (employee_id, component, amount, valid, allowance_rule_id, cause, cause_id,
                                 decision_id, superseded_by)
    SELECT n.employee_id, n.component, n.after, n.valid, n.allowance_rule_id, n.cause, n.cause_id, d.decision_id,
           d.decision_id
      FROM entry n JOIN d ON d.employee_id = n.employee_id AND d.inputs ->> 'component' = n.component
     WHERE n.before IS NULL
     ORDER BY n.employee_id, n.component, n.valid
    RETURNING employee_id, skill_allowance_id, amount, valid, decision_id
  ), fed AS (
    INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, entry, amount, effective_on, effective_until,
                              decision_id)
    SELECT employee_id, 'allowance', 'skill_allowance', skill_allowance_id, 'reverse', -amount, lower(valid),
           upper(valid), decision_id FROM gone
    UNION ALL
    SELECT employee_id, 'allowance', 'skill_allowance', skill_allowance_id, 'post', amount, lower(valid), upper(valid),
           decision_id FROM come
  )
  -- in sum of that day, as the person is paid
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT DISTINCT ON (d.employee_id) d.employee_id, 'employee', 'pay.allowance', 'allowance:' || d.decision_id,
         jsonb_build_object('from', d.outcome -> 'from', 'old', t.before, 'new', t.after), d.decision_id
    FROM d CROSS JOIN LATERAL (SELECT coalesce(sum(u.before), 0) AS before, coalesce(sum(u.after), 0) AS after
                                 FROM entry u
                                WHERE u.employee_id = d.employee_id
                                  AND u.valid @> (d.outcome ->> 'from')::date) t
   WHERE d.inputs -> 'before' <> d.outcome -> 'after' AND t.before <> t.after
   ORDER BY d.employee_id, d.decision_id
  ON CONFLICT DO NOTHING;
  UPDATE skill_allowance h SET superseded_by = NULL
   WHERE h.employee_id = ANY (employees) AND h.superseded_by = h.decision_id;
END;
COMMENT ON FUNCTION allowance_follow(bigint[]) IS
  'Consequences of levels, courses and rules on allowances: rows that differ are superseded, missing ones added, with '
  'decision, feed and notice (PAY-07, PAY-08).';
-- after skill_follow, when the level is what it should be
SELECT register_follow('certification_result', '{insert}', 600, 'allowance_follow', key => 'employee_id');
SELECT register_follow('certification_reversal', '{insert}', 600, 'allowance_follow', key => 'employee_id');
SELECT register_follow('training_record', '{insert,update,delete}', 600, 'allowance_follow', key => 'employee_id',
                       changed => '{resource_id,completed_on,passed}');

CREATE FUNCTION employment_held(employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- before what employment_followed() locks under them: cycles, rules, reviews, then allowances, then people
  SELECT count(*) FROM (SELECT FROM review_cycle c
                         WHERE c.status IN ('draft', 'open')
                           OR c.cycle_id IN (SELECT r.cycle_id FROM review r WHERE r.employee_id = ANY (employees))
                         ORDER BY c.cycle_id FOR SHARE) l;
  SELECT hold_rules();
  SELECT hold_reviews(ARRAY(SELECT r.review_id FROM review r WHERE r.employee_id = ANY (employees)));
  SELECT hold_allowances();
  SELECT hold_employees(employees);
END;
COMMENT ON FUNCTION employment_held(bigint[]) IS
  'An employment moves reviews, allowances and pay: until the transaction ends these are held, in the order of '
  'everybody.';
SELECT register_follow('employee_status', '{insert,update,delete}', 590, 'employment_held', key => 'employee_id');

CREATE FUNCTION employment_pays(employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT allowance_follow(l.employees)
    FROM (SELECT array_agg(k.employee_id) AS employees FROM unnest(employees) AS k (employee_id)
           WHERE EXISTS (SELECT FROM employee_skill_level s WHERE s.employee_id = k.employee_id)
              OR EXISTS (SELECT FROM training_record t WHERE t.employee_id = k.employee_id)
              OR EXISTS (SELECT FROM skill_allowance s WHERE s.employee_id = k.employee_id)) l
   WHERE l.employees IS NOT NULL;
  SELECT pay_follow(l.employees, '{}'), raises_follow(l.employees)
    FROM (SELECT array_agg(k.employee_id) AS employees FROM unnest(employees) AS k (employee_id)
           WHERE EXISTS (SELECT FROM salary s WHERE s.employee_id = k.employee_id)) l
   WHERE l.employees IS NOT NULL;
END;
COMMENT ON FUNCTION employment_pays(bigint[]) IS
  'Consequence of an employment that begins, ends or is corrected: pay and allowances end with it and begin with it, '
  'and raises that nobody can be paid are withdrawn (PAY-02, PAY-07).';
SELECT register_follow('employee_status', '{insert,update,delete}', 650, 'employment_pays', key => 'employee_id',
                       changed => '{employee_id,status,valid}');

CREATE FUNCTION allowance_rule_changed(rules bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_allowances(true);
  SELECT allowance_follow(who.ids) FROM (
    SELECT array_agg(DISTINCT e.employee_id) AS ids FROM (
      SELECT l.employee_id FROM employee_skill_level l JOIN allowance_rule r USING (skill_level_id)
       WHERE r.allowance_rule_id = ANY (rules) AND l.superseded_by IS NULL
      UNION SELECT t.employee_id FROM training_record t JOIN allowance_rule r USING (resource_id)
        WHERE r.allowance_rule_id = ANY (rules)
      UNION SELECT h.employee_id FROM skill_allowance h
        WHERE h.allowance_rule_id = ANY (rules) AND h.superseded_by IS NULL) e) who
   WHERE who.ids IS NOT NULL;
END;
COMMENT ON FUNCTION allowance_rule_changed(bigint[]) IS
  'Consequences of a new or changed allowance rule for those it concerns.';
SELECT register_follow('allowance_rule', '{insert,update}', 500, 'allowance_rule_changed', key => 'allowance_rule_id');
