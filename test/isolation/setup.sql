-- The books that all specs share: the sample company, an open cycle for two of
-- its people.  A spec's teardown puts it back with SELECT iso_reset().
SET client_min_messages = warning;
CREATE EXTENSION hrloop CASCADE;
SELECT hrloop.install('iso');
\set books iso
\i test/fixtures/company.sql
SET client_min_messages = warning;

CREATE TABLE public.iso_assignment AS SELECT * FROM assignment;
CREATE TABLE public.iso_status AS SELECT * FROM employee_status;

-- Everything the loop wrote goes, what it starts from comes back.
CREATE FUNCTION public.iso_reset() RETURNS void LANGUAGE sql SET search_path = iso AS $$
  SET LOCAL session_replication_role = replica;
  TRUNCATE decision, review_cycle, certification_result, measurement, org_unit_import, question, training_record, delegation, due_event, audit_entry, audit_lane RESTART IDENTITY CASCADE;
  UPDATE due_rule SET ran_at = NULL;
  DELETE FROM template_item USING review_template t WHERE t.template_id = template_item.template_id AND t.version > 1;
  DELETE FROM template_rater_group USING review_template t WHERE t.template_id = template_rater_group.template_id AND t.version > 1;
  DELETE FROM review_template WHERE version > 1;
  DELETE FROM assignment;      INSERT INTO assignment SELECT * FROM public.iso_assignment;
  DELETE FROM employee_status; INSERT INTO employee_status SELECT * FROM public.iso_status;
  UPDATE org_unit SET parent_id = find_unit('GROUP') WHERE code IN ('TECH', 'PROD');
  SET LOCAL session_replication_role = origin;
  INSERT INTO salary (employee_id, amount, valid)
  SELECT find_employee(e), a, daterange('2023-01-01', NULL)
    FROM (VALUES ('E010', 10000.00), ('E011', 12345.67)) AS s (e, a);
  SELECT create_cycle('ISO', '2023-04-01', '2023-06-30');
  SELECT assign_template('ISO', 'SALES', job => 'SALES');
  SELECT open_cycle('ISO');
  INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
  SELECT r.review_id, i.indicator_id, r.manager_id, 90, '季度目标全部达成'
    FROM review r JOIN template_item i USING (template_id) JOIN employee e USING (employee_id)
   WHERE e.employee_no = 'E011';
$$;
SELECT public.iso_reset();
ALTER DATABASE isolation SET search_path = iso, public;
