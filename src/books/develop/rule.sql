-- develop: what is set, and what is refused.

INSERT INTO decision_kind (kind, reveals, archive, comment) VALUES
  ('plan.draft',        'result', NULL, 'A plan is drafted for a score as it is by now (DEV-01)'),
  ('plan.stand',        'result', NULL, 'A plan stands, by the score that was locked (DEV-01)'),
  ('plan.withdraw',     'result', NULL, 'A plan is withdrawn'),
  ('plan.item',         'person', 'plan', 'The text of a plan item is changed (REV-11)'),
  ('plan.item_added',   'person', 'plan', 'An item is added to a plan (REV-11)'),
  ('plan.item_removed', 'person', 'plan', 'An item is taken out of a plan (REV-11)'),
  ('task.talk',         'result', NULL, 'HR is to talk with somebody about a grade (REV-14)'),
  ('task.withdraw',     'result', NULL, 'A talk is no longer due: its result was opened again'),
  ('task.done',         'result', NULL, 'A talk was held, and what was said (REV-14)');
CREATE TRIGGER growth_archive_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON growth_archive
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('Write a new entry that corrects the old one.');

-- confirmation and progress ---------------------------------------------------

CREATE FUNCTION plan_progress_problem(entries bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- two items of one plan, or its confirmation: who comes second sees whether all is done
  SELECT count(*) FROM (SELECT FROM development_plan p
    WHERE p.plan_id IN (SELECT i.plan_id FROM plan_progress g JOIN plan_item i USING (plan_item_id)
                        WHERE g.plan_progress_id = ANY (entries))
    ORDER BY p.plan_id FOR NO KEY UPDATE) l;
  SELECT '23514', format('progress of "%s" goes back from %s to %s %%', i.title, trim_scale(before.progress),
                         trim_scale(g.progress)), NULL,
         'Give a reason for the correction.', 'plan_progress', 'reason', 'plan_progress_reason'
    FROM plan_progress g
    JOIN plan_item i USING (plan_item_id)
    CROSS JOIN LATERAL (SELECT b.progress FROM plan_progress b
                         WHERE b.plan_item_id = g.plan_item_id AND b.plan_progress_id < g.plan_progress_id
                         ORDER BY b.plan_progress_id DESC LIMIT 1) before
   WHERE g.plan_progress_id = ANY (entries) AND g.progress < before.progress
     AND hrloop.meaningful_chars(coalesce(g.reason, '')) = 0
  UNION ALL
  SELECT '55000', format('the plan of item "%s" is %s', i.title, p.status), NULL,
         'Progress is recorded on plans that stand.', 'plan_progress', 'plan_item_id', 'plan_progress_standing'
    FROM plan_progress g JOIN plan_item i USING (plan_item_id) JOIN development_plan p USING (plan_id)
   WHERE g.plan_progress_id = ANY (entries) AND p.status IN ('draft', 'withdrawn');
END;
COMMENT ON FUNCTION plan_progress_problem(bigint[]) IS
  'Rules of progress: going back needs a reason, and the plan must stand (DEV-08).';
SELECT register_follow('plan_progress', '{insert,update}', 200, 'plan_progress_problem', key => 'plan_progress_id',
                       changed => '{plan_item_id,progress,reason}');

-- the review meeting: goals against facts, plans against what was done (REV-10) ------

INSERT INTO message_text (kind, locale, body, source) VALUES
  ('goal.met',    'zh', '达标', NULL),
  ('goal.met',    'en', 'met', NULL),
  ('goal.missed', 'zh', '未达标', NULL),
  ('goal.missed', 'en', 'missed', NULL);

-- needs improvement: HR talks with the employee (REV-14) ----------------------

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('task.talk_grade', 'text', '待改进', '待改进',
   'Grade for which a lock gives HR the task to talk with the employee (谈心谈话) and the plan is one of improvement '
   '(改进计划); null: none (REV-14)');
INSERT INTO task_kind (kind, source_table, comment) VALUES
  ('talk', 'review',
   'Talk with the employee after a grade that needs improvement, and write down what was agreed (谈心谈话)');

SELECT register_notice('task.talk', '{hr}',
  zh => '员工{employee}的{cycle}考核等级为{grade},请安排谈心谈话并制定改进计划',
  en => '{employee} was graded {grade} in {cycle}: please talk with the employee and agree on an improvement plan');

-- a goal is changed after the review (REV-11) ---------------------------------

SELECT register_notice('plan.item', '{employee}',
  zh => '您的发展计划项‘{old}’已更新为‘{new}’,请确认',
  en => 'An item of your development plan was changed from "{old}" to "{new}", please confirm');
SELECT register_notice('plan.item_added', '{employee}',
  zh => '您的发展计划新增‘{new}’,{due}前完成,请确认',
  en => '"{new}", due on {due}, was added to your development plan, please confirm');
SELECT register_notice('plan.item_removed', '{employee}',
  zh => '您的发展计划已取消‘{old}’:{reason},请确认',
  en => '"{old}" was taken out of your development plan: {reason}; please confirm');
