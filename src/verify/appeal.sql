-- verify appeal: disclosures, answers and appeals, again from their source rows.

CREATE FUNCTION verify_disclosure() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text,
                                                   found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT 'disclosed_on', 'review_result', x.result_id, coalesce(d.outcome ->> 'disclosed_on', x.locked_on::text),
         x.disclosed_on::text
    FROM review_result x LEFT JOIN decision d ON d.cause_id = x.result_id AND d.cause = 'review_result'
      AND d.kind = 'review.disclose'
   WHERE x.disclosed_on <> coalesce((d.outcome ->> 'disclosed_on')::date, x.locked_on) OR d.decision_id IS NOT NULL
     AND x.disclosed_on IS NULL
  UNION ALL
  SELECT 'answer_early', 'acknowledgement', k.acknowledgement_id, 'a result that is disclosed',
         'version ' || x.version || ' is not'
    FROM acknowledgement k JOIN review_result x USING (result_id) WHERE x.disclosed_on IS NULL
  UNION ALL
  SELECT 'answer_decision', 'acknowledgement', k.acknowledgement_id, k.answer, coalesce(d.outcome ->> 'answer', 'none')
    FROM acknowledgement k LEFT JOIN decision d ON d.cause_id = k.acknowledgement_id AND d.cause = 'acknowledgement'
   WHERE k.answer IS DISTINCT FROM d.outcome ->> 'answer' OR k.remark IS DISTINCT FROM d.reason
  UNION ALL
  SELECT 'appeal_window', 'appeal', a.appeal_id, 'from ' || coalesce(x.disclosed_on::text, 'the disclosure') || ' on',
         a.filed_on::text
    FROM appeal a JOIN review_result x USING (result_id) WHERE coalesce(a.filed_on < x.disclosed_on, true);
END;
COMMENT ON FUNCTION verify_disclosure() IS 'Disclosures, answers and appeals that do not follow each other.';
