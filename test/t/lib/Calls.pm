# A call of each verb with arguments that fit, on the company of test/fixtures/busy.sql.
package Calls;

use strict;
use warnings;
use utf8;

use Exporter 'import';

our @EXPORT = qw(%call);

# What each verb is called with: [who acts, or '' for the owner, SQL].  Several calls have names of their own, verb/what.
our %call = (
    # indicators, templates, settings: rules
    'set_setting/plan'   => ['', q{set_setting('plan.score_threshold', '75')}],
    'set_setting/other'  => ['', q{set_setting('review.tolerance', '7')}],
    create_scale         => ['', q{create_scale('grade', 'grade', '[{"range": "[90,)", "label": "A"}, {"range": "(,90)", "label": "B"}]', reason => '改版')}],
    create_indicator     => ['', q{create_indicator('新指标', definition => '新', standard => '0-100')}],
    declare_fact         => ['', q{declare_fact('客户拓展', 'plan', 'target')}],
    pair_indicator       => ['', q{pair_indicator('产量', '{质量}')}],
    create_template      => ['', q{create_template('SALES', '[{"indicator": "客户拓展", "weight": 100}]', reason => '改版')}],
    activate_template    => ['', q{revise_template('MAKE', '{"产量": 20, "质量": 35}', '重心调整'), activate_template('MAKE')}],
    revise_template      => ['', q{revise_template('MAKE', '{"产量": 20, "质量": 35}', '重心调整')}],
    add_raise_rule       => ['', q{add_raise_rule('raise', from_date => '2024-07-01')}],
    create_distribution  => ['', q{create_distribution('四级', '{"优秀": 20, "良好": 60, "合格": 10, "待改进": 10}', reason => '改版')}],
    # the organisation
    add_unit             => ['', q{add_unit('T9', '门店九', 'department', 'marketing', parent => 'SH')}],
    load_org_import      => ['', q{load_org_import()}],
    hire                 => ['', q{hire('N1', '新员工', 'SH', 'SALES', '2023-08-01', manager => 'E003')}],
    leave                => ['', q{leave('L4', '2023-11-20')}],
    take_leave           => ['', q{take_leave('L5', '2023-10-10', '2023-11-20')}],
    transfer             => ['', q{transfer('L6', '2023-11-10', unit => 'TECH')}],
    delegate_role        => ['', q{delegate_role('L8', 'hr', current_date, current_date + 5, '出差', delegator => 'E090')}],
    revoke_delegation    => ['', q{revoke_delegation(max(delegation_id), '回来了') FROM delegation}],
    # a cycle and its scores
    create_cycle         => ['', q{create_cycle('NEW', '2024-07-01', '2024-09-30', 'SALES')}],
    assign_template      => ['', q{assign_template('DRAFT', 'MAKE', unit_kind => 'production')}],
    set_target           => ['', q{set_target('DRAFT', 'L1', '客户拓展', '{"target": 12}')}],
    require_course       => ['', q{require_course('DRAFT', '客户拓展技巧')}],
    add_course_push      => ['', q{add_course_push('高效协作', job => 'SALES')}],
    push_courses         => ['', q{add_course_push('客户谈判', job => 'SALES'), push_courses('2023-11-20')}],
    open_cycle           => ['', q{open_cycle('DRAFT')}],
    waive_gate           => ['E090', q{waive_gate('GATED', 'L1', '长假')}],
    unblock_reviews      => ['E090', q{unblock_reviews('GATED')}],
    'submit_score/new'   => ['L8', q{submit_score('SCORED', 'L1', '客户满意度', 77, '互评', rater_group => 'peer')}],
    'submit_score/again' => ['E003', q{submit_score('SCORED', 'L1', '客户满意度', 77, '复核')}],
    'submit_score/facts' => ['E003', q{submit_score('SCORED', 'L1', '客户拓展', facts => '{"actual": 3}', rationale => '复核')}],
    explain_deviation    => ['E003', q{explain_deviation('SCORED', 'L9', '自评偏高')}],
    assign_raters        => ['', q{assign_raters('SCORED', 'L5', 'peer', ARRAY['L8', 'L9'])}],
    bar_rater            => ['', q{bar_rater('SCORED', 'L1', 'L8', '亲属关系')}],
    exempt_review        => ['E090', q{exempt_review('SCORED', 'L5', '长假')}],
    rate_review          => ['E090', q{rate_review('SCORED', 'E031', '返岗')}],
    reweight_cycle       => ['E090', q{reweight_cycle('SCORED', 'SALES', '重心调整')}],
    score_initial        => ['', q{score_initial('SCORED')}],
    open_calibration     => ['', q{open_calibration('K2', 'LOCKED')}],
    calibrate            => ['E090', q{calibrate('K1', 'L4', 85, '横向比较')}],
    apply_calibration    => ['E090', q{apply_calibration('K1', '按分布')}],
    close_calibration    => ['E090', q{close_calibration('K1')}],
    'lock_review/first'  => ['', q{lock_review('SCORED', 'E003', '2024-01-05')}],
    'lock_review/plan'   => ['', q{lock_review('SCORED', 'L1', '2024-01-05')}],
    lock_cycle           => ['', q{lock_cycle('SCORED', '2024-01-05', skip_incomplete => true)}],
    'lock_cycle/rest'    => ['', q{lock_cycle('LOCKED', '2024-01-05')}],
    unlock_review        => ['', q{unlock_review('LOCKED', 'L1', '复核')}],
    'unlock_review/2'    => ['', q{unlock_review('LOCKED', 'L2', '复核')}],
    'unlock_review/paid' => ['', q{unlock_review('2023Q1', 'E010', '复核')}],
    disclose_result      => ['', q{disclose_result('SCORED', 'E002')}],
    disclose_cycle       => ['', q{disclose_cycle('SCORED')}],
    acknowledge_result   => ['L1', q{acknowledge_result('LOCKED', 'L1', false, '有意见')}],
    file_appeal          => ['L1', q{file_appeal('LOCKED', 'L1', '有异议', '2023-10-10')}],
    'decide_appeal/no'   => ['E090', q{decide_appeal('LOCKED', 'L3', false, '依据充分', on_date => '2023-10-10')}],
    'decide_appeal/yes'  => ['E090', q{decide_appeal('LOCKED', 'L7', true, '更正', '{"客户满意度": 60}', '2023-10-10')}],
    sign_stage           => ['E030', q{sign_stage('SIGNED', 'reward')}],
    reopen_cycle         => ['E030', q{sign_stage('SIGNED', 'reward'), act_as('E090'), reopen_cycle('SIGNED', '发现错误')}],
    # readings
    record_measurement   => ['', q{record_measurement('L1', '客户拓展', '2023-11-20', '{"actual": 2}', 'crm', 'M-1')}],
    handle_warning       => ['E003', q{handle_warning(max(warning_id), '已沟通') FROM open_warning}],
    close_month          => ['', q{close_month('SH', '2023-11-30')}],
    suggest              => ['L1', q{suggest('L1', '又一个建议')}],
    accept_suggestion    => ['E090', q{accept_suggestion(max(suggestion_id), '采纳') FROM suggestion}],
    reject_suggestion    => ['E090', q{reject_suggestion(max(suggestion_id), '不采纳') FROM suggestion}],
    # plans and learning
    confirm_plan         => ['L3', q{confirm_plan('LOCKED', 'L3')}],
    record_progress      => ['L2', q{record_progress('LOCKED', 'L2', 1, 40, '进展')}],
    record_session       => ['E003', q{record_session('LOCKED', 'L2', min(session_on), '复盘', held_on => min(session_on)) FROM plan_session JOIN plan_item USING (plan_item_id) JOIN development_plan USING (plan_id) WHERE review_id = find_review('LOCKED', 'L2')}],
    update_plan_item     => ['E003', q{update_plan_item('LOCKED', 'L2', 1, '新的目标', '调整')}],
    add_plan_item        => ['E003', q{add_plan_item('LOCKED', 'L2', '新的计划项', 'project', due_on => '2024-01-20', reason => '补充', on_date => '2023-10-20')}],
    remove_plan_item     => ['E003', q{remove_plan_item('LOCKED', 'L2', 1, '不再需要')}],
    close_talk           => ['E090', q{close_talk('LOCKED', 'L2', '约定辅导', '2023-10-20')}],
    'record_training'    => ['', q{record_training('L5', '客户谈判', '2023-12-20', 82, external_id => 'T-9')}],
    'record_training/plan' => ['', q{record_training('L2', '客户拓展技巧', '2023-12-20', 82, external_id => 'T-8')}],
    certify              => ['', q{certify('L4', '中级销售', '2023-11-20', external_id => 'C-9')}],
    reverse_certification => ['', q{reverse_certification('L4', '初级销售', '复核未通过', '2023-11-20')}],
    start_mentoring      => ['', q{start_mentoring('L5', 'L1', '提升', ARRAY['方法'], '2023-11-01', '2024-04-30', '{2023-12-01}')}],
    end_mentoring        => ['', q{end_mentoring(max(mentorship_id), '2023-12-31', '目标达成') FROM mentorship}],
    ask_question         => ['L1', q{ask_question('又一个问题')}],
    answer_question      => ['E090', q{answer_question(max(question_id), '见制度') FROM question}],
    # pay
    set_salary           => ['', q{set_salary('L1', 9000, '2023-09-01', '调整')}],
    approve_adjustment   => ['E090', q{approve_adjustment('LOCKED', 'L4')}],
    reject_adjustment    => ['E090', q{reject_adjustment('LOCKED', 'L1', '预算已满')}],
    apply_adjustment     => ['', q{apply_adjustment('LOCKED', 'L1')}],
    'apply_adjustment/carried' => ['', q{apply_adjustment('2023Q2', 'E011')}],
    approve_cycle        => ['E090', q{approve_cycle('LOCKED')}],
    apply_cycle          => ['', q{apply_cycle('2023Q2')}],
    'apply_cycle/more'   => ['', q{apply_cycle('LOCKED')}],
    acknowledge_feed     => ['', q{acknowledge_feed(array_agg(feed_id)) FROM payroll_pending}],
    # talent and the rest
    decide_promotion     => ['E090', q{decide_promotion('LOCKED', 'L1', true, '同意', '2023-10-20')}],
    apply_results        => ['E090', q{apply_results('LOCKED')}],
    record_contribution  => ['', q{record_contribution('L2', 'case', '又一个案例', '2023-11-03')}],
    cite_contribution    => ['', q{cite_contribution(max(contribution_id), 'TECH', '2023-11-20') FROM contribution}],
    withdraw_contribution => ['', q{withdraw_contribution(max(contribution_id), '未核实') FROM contribution}],
    mark_read            => ['L1', q{mark_read(max(notification_id)) FROM notification WHERE recipient_id = actor()}],
    remind_unfinished    => ['', q{remind_unfinished('GATED')}],
    run_due              => ['', q{(SELECT sum(done) FROM run_due('2024-02-20 09:00'))}],
    verify_for           => ['', q{(SELECT count(*) FROM verify_for('0'))}],
    request_erasure      => ['E090', q{request_erasure('X3', '来信')}],
    withdraw_erasure     => ['E090', q{withdraw_erasure('X1')}],
    # the tables that people write directly
    'UPDATE score'       => ['', q{UPDATE score s SET raw_value = 71 FROM review r WHERE r.review_id = s.review_id AND r.cycle_id = find_cycle('SCORED') AND s.rater_group = 'self'}],
    'INSERT score'       => ['', q{INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, rationale)
                                     SELECT r.review_id, find_indicator('客户满意度'), 'peer', find_employee('L8'), 80, '互评 ' || r.review_id FROM review r WHERE r.cycle_id = find_cycle('SCORED') AND EXISTS (SELECT FROM review_rater n WHERE n.review_id = r.review_id) ORDER BY r.review_id DESC}],
    'DELETE score'       => ['', q{DELETE FROM score s USING review r WHERE r.review_id = s.review_id AND r.cycle_id = find_cycle('SCORED') AND s.rater_group = 'self'}],
    'INSERT measurement' => ['', q{INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
                                     SELECT employee_id, find_indicator('客户拓展'), '2023-11-21', '{"actual": 3}', 'load', 'B' || employee_id FROM employee WHERE employee_no ~ '^L' ORDER BY employee_id DESC}],
    'UPDATE measurement' => ['', q{UPDATE measurement SET facts = '{"actual": 3}' WHERE source = 'crm'}],
    'DELETE measurement' => ['', q{DELETE FROM measurement WHERE source = 'crm'}],
    'UPDATE indicator'   => ['', q{UPDATE indicator SET aggregation = 'last' WHERE code = '客户拓展'}],
    'UPDATE allowance_rule' => ['', q{UPDATE allowance_rule SET amount = amount + 1}],
    'UPDATE org_unit'    => ['', q{UPDATE org_unit SET parent_id = find_unit('GROUP') WHERE code = 'SH'}],
    'DELETE training_record' => ['', q{DELETE FROM training_record WHERE external_id ~ '^T'}],
    'UPDATE training_record' => ['', q{UPDATE training_record SET passed = false WHERE external_id ~ '^T'}],
    # what people do in one transaction
    'approve and apply'  => ['E090', q{approve_adjustment('LOCKED', 'L4'), apply_adjustment('LOCKED', 'L4')}],
    'score and lock'     => ['E003', q{submit_score('SCORED', 'L1', '客户拓展', facts => '{"actual": 3}', rationale => '复核'), explain_deviation('SCORED', 'L1', '复核'), lock_review('SCORED', 'L1')}],
    'lock, approve and apply' => ['E090', q{lock_review('SCORED', 'E003', '2024-01-05', '补锁'), approve_adjustment('SCORED', 'E003'), apply_adjustment('SCORED', 'E003')}],
);

1;
