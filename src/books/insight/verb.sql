-- insight: what people and applications call.

-- contributions: what no other table has --------------------------------------

CREATE FUNCTION record_contribution(employee text, kind text, title text, on_date date DEFAULT today(),
                                    role text DEFAULT NULL, quantity numeric DEFAULT NULL,
                                    unit text DEFAULT NULL, evidence text DEFAULT NULL, source text DEFAULT 'manual',
                                    external_id text DEFAULT NULL)
  RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('42501', format('%s cannot record contributions of employee %s', who(), employee), NULL,
                     'The manager or HR does; nobody their own.')
   WHERE actor() IS NOT NULL AND (actor() = (SELECT find_employee(employee))
                                  OR NOT may_handle((SELECT find_employee(employee))));
  SELECT unknown_code('kind of contribution', coalesce(record_contribution.kind, 'null'))
   WHERE coalesce(record_contribution.kind, '') NOT IN ('project', 'case', 'feedback', 'help');
  INSERT INTO contribution (employee_id, kind, title, role, quantity, unit, occurred_on, evidence, source, external_id)
  VALUES (find_employee(employee), record_contribution.kind, record_contribution.title, record_contribution.role,
          record_contribution.quantity,
          record_contribution.unit, on_date, record_contribution.evidence, record_contribution.source,
          record_contribution.external_id)
  ON CONFLICT ON CONSTRAINT contribution_once DO NOTHING;
  SELECT max(c.contribution_id) FROM contribution c
   WHERE c.employee_id = (SELECT find_employee(employee)) AND c.source = record_contribution.source
     AND (record_contribution.external_id IS NULL OR c.external_id = record_contribution.external_id);
END;
COMMENT ON FUNCTION record_contribution(text, text, text, date, text, numeric, text, text, text, text) IS
  'Record a contribution of an employee as the manager or HR: project, case, feedback or help; the same source and '
  'external id once. Returns its key. Errors: 42501 somebody else, or one''s own; 23502, 23514 no title or day; 22023 '
  'unknown (ORG-06).';

CREATE FUNCTION cite_contribution(contribution bigint, unit text, on_date date DEFAULT today()) RETURNS bigint
  VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT unknown_code('practice case', coalesce(contribution::text, 'null'))
   WHERE NOT EXISTS (SELECT FROM contribution c
                     WHERE c.contribution_id = cite_contribution.contribution AND c.kind = 'case'
                       AND c.withdrawn_by IS NULL);
  SELECT hrloop.fail('42501', format('%s cannot record that unit "%s" cites case %s', who(), cite_contribution.unit,
                                     contribution), NULL, 'A head of the unit or HR does; nobody for their own case.')
    FROM contribution c
   WHERE c.contribution_id = cite_contribution.contribution AND actor() IS NOT NULL
     AND (actor() = c.employee_id
          OR NOT holds_role('hr', actor())
             AND NOT EXISTS (SELECT FROM unit_head h
                             WHERE h.org_unit_id = (SELECT find_unit(cite_contribution.unit))
                               AND h.employee_id = actor() AND h.valid @> today()));
  INSERT INTO contribution_citation (contribution_id, employee_id, org_unit_id, cited_on)
  SELECT c.contribution_id, c.employee_id, find_unit(cite_contribution.unit), on_date FROM contribution c
    WHERE c.contribution_id = cite_contribution.contribution
  ON CONFLICT ON CONSTRAINT contribution_citation_once DO NOTHING;
  SELECT count(*) FROM contribution_citation x WHERE x.contribution_id = cite_contribution.contribution;
END;
COMMENT ON FUNCTION cite_contribution(bigint, text, date) IS
  'A unit uses a practice case; each counts once. Returns how many units cite it. Errors: 42501 neither HR nor a head '
  'of the unit, or one''s own case; 23502 no unit or day; 22023 unknown, or no case that stands (ORG-06).';

CREATE FUNCTION withdraw_contribution(contribution bigint, reason text) RETURNS bigint VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT unknown_code('contribution', coalesce(contribution::text, 'null'))
   WHERE NOT EXISTS (SELECT FROM contribution c WHERE c.contribution_id = withdraw_contribution.contribution
                       AND hrloop.visible('book'::regclass, c.employee_id));
  SELECT hrloop.fail('42501', format('%s cannot withdraw contribution %s', who(), contribution), NULL,
                     'The manager or HR does; nobody their own.')
    FROM contribution c
   WHERE c.contribution_id = withdraw_contribution.contribution AND actor() IS NOT NULL
     AND (actor() = c.employee_id OR NOT may_handle(c.employee_id));
  SELECT hrloop.fail('23502', 'withdrawing a contribution needs a reason', NULL,
                     'Say what was wrong; the decision keeps it.', 'decision', 'reason')
   WHERE hrloop.meaningful_chars(coalesce(withdraw_contribution.reason, '')) = 0;
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'contribution.withdraw', c.employee_id, 'contribution', c.contribution_id,
           jsonb_build_object('kind', c.kind, 'title', c.title), '{"status": "withdrawn"}',
           withdraw_contribution.reason
      FROM contribution c WHERE c.contribution_id = withdraw_contribution.contribution AND c.withdrawn_by IS NULL
    RETURNING decision_id, cause_id
  )
  UPDATE contribution c SET withdrawn_by = d.decision_id FROM d WHERE c.contribution_id = d.cause_id;
  SELECT c.withdrawn_by FROM contribution c WHERE c.contribution_id = withdraw_contribution.contribution;
END;
COMMENT ON FUNCTION withdraw_contribution(bigint, text) IS
  'Take a contribution back, with a reason, as the manager or HR; the archive says so in a new line. Returns the '
  'decision; again: the same. Errors: 42501 somebody else, or one''s own; 23502 no reason, 22023 unknown (ORG-06).';
