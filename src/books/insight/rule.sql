-- insight: what is set, and what is refused.

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('contribution.withdraw', 'person', 'A contribution is withdrawn, and why (ORG-06)');

-- who reads what of whom ------------------------------------------------------

INSERT INTO message_text (kind, locale, body, source) VALUES
  ('growth.result',          'zh', '{title}考核得{score}分,等级{grade}', NULL),
  ('growth.result',          'en', '{title}: score {score}, grade {grade}', NULL),
  ('growth.training',        'zh', '完成‘{title}’培训', NULL),
  ('growth.training',        'en', 'Finished the training "{title}"', NULL),
  ('growth.training.score',  'zh', '完成‘{title}’培训,得分{score}分', 'TXT-10'),
  ('growth.training.score',  'en', 'Finished the training "{title}", score {score}', NULL),
  ('growth.training.failed', 'zh', '参加‘{title}’培训,未通过', NULL),
  ('growth.training.failed', 'en', 'Took the training "{title}", not passed', NULL),
  ('growth.certification',   'zh', '通过‘{title}’认证', NULL),
  ('growth.certification',   'en', 'Certified: {title}', NULL),
  ('growth.certification.reversed', 'zh', '‘{title}’认证被撤销:{reason}', NULL),
  ('growth.certification.reversed', 'en', 'Certification "{title}" taken back: {reason}', NULL),
  ('growth.level',           'zh', '达到技能等级:{title}', NULL),
  ('growth.level',           'en', 'Skill level reached: {title}', NULL),
  ('growth.plan',            'zh', '{title}', NULL),
  ('growth.plan',            'en', '{title}', NULL),
  ('growth.key_event',       'zh', '{title}', NULL),
  ('growth.key_event',       'en', '{title}', NULL),
  ('growth.suggestion',      'zh', '建议被采纳:{title}', NULL),
  ('growth.suggestion',      'en', 'Suggestion accepted: {title}', NULL),
  ('growth.project',         'zh', '参与{title}', NULL),
  ('growth.project',         'en', 'Took part in {title}', NULL),
  ('growth.project.role',    'zh', '参与{title},负责{role}', 'TXT-11'),
  ('growth.project.role',    'en', 'Took part in {title}, responsible for {role}', NULL),
  ('growth.case',            'zh', '实践案例‘{title}’', NULL),
  ('growth.case',            'en', 'Practice case "{title}"', NULL),
  ('growth.citation',        'zh', '实践案例‘{title}’被{unit}引用', NULL),
  ('growth.citation',        'en', 'Practice case "{title}" cited by {unit}', NULL),
  ('growth.feedback',        'zh', '{title}', NULL),
  ('growth.feedback',        'en', '{title}', NULL),
  ('growth.feedback.figure', 'zh', '{title}:{quantity}{unit}', NULL),
  ('growth.feedback.figure', 'en', '{title}: {quantity} {unit}', NULL),
  ('growth.help',            'zh', '帮助同事:{title}', NULL),
  ('growth.help',            'en', 'Helped colleagues: {title}', NULL),
  ('growth.help.figure',     'zh', '帮助同事:{title}({quantity}{unit})', NULL),
  ('growth.help.figure',     'en', 'Helped colleagues: {title} ({quantity} {unit})', NULL),
  ('growth.raise',           'zh', '{title}考核调薪', NULL),
  ('growth.raise',           'en', 'Raise after {title}', NULL),
  ('growth.pool',            'zh', '进入{title}', NULL),
  ('growth.pool',            'en', 'Entered the talent pool {title}', NULL),
  ('growth.pool.left',       'zh', '离开{title}', NULL),
  ('growth.pool.left',       'en', 'Left the talent pool {title}', NULL),
  ('growth.promotion',       'zh', '{title}考核后薪酬晋升获批', NULL),
  ('growth.promotion',       'en', 'Promotion in pay approved after {title}', NULL);

-- strengths, weaknesses, growth track (ORG-05) --------------------------------

INSERT INTO setting (setting, kind, value, default_value, comment)
SELECT s, k, v, v, c FROM (VALUES
  ('profile.strength_at',       'number', '85',
   'A skill rated at or above this is a strength (优势), 0-100; null: none is (AMB-33, ORG-05)'),
  ('profile.weakness_at',       'number', '70',
   'A skill rated at or below this is a weakness (短板), 0-100, unless it is a strength; null: none is (AMB-33, ORG-05)'),
  ('profile.participation_low', 'number', '80',
   'Training participation is low (培训参与度低) when the mean completion of courses is below this percentage, 0-100; null: '
   'never (AMB-33, ORG-05)'),
  ('profile.feedback_cycles',   'integer', '4',
   'Newest cycles whose feedback (360) profile() shows, 1 or more; null: all (ORG-04)')
) AS d (s, k, v, c);
UPDATE setting SET least = 0, most = 100
 WHERE setting IN ('profile.strength_at', 'profile.weakness_at', 'profile.participation_low');
UPDATE setting SET least = 1 WHERE setting = 'profile.feedback_cycles';
INSERT INTO message_text (kind, locale, body) VALUES
  ('track.participation_low', 'zh', '培训参与度低'),
  ('track.participation_low', 'en', 'low training participation');

-- the payslip (PAY-16) --------------------------------------------------------

INSERT INTO message_text (kind, locale, body) VALUES
  ('payslip.base',        'zh', '固定薪资'),
  ('payslip.base',        'en', 'Base pay'),
  ('payslip.allowance',   'zh', '技能津贴'),
  ('payslip.allowance',   'en', 'Skill allowance'),
  ('payslip.loaded',      'zh', '月薪{monthly}元,自{from}起'),
  ('payslip.loaded',      'en', 'Monthly pay of {monthly} yuan from {from}'),
  ('payslip.set',         'zh', '月薪{monthly}元,自{from}起:{reason}'),
  ('payslip.set',         'en', 'Monthly pay of {monthly} yuan from {from}: {reason}'),
  ('payslip.certification', 'zh', '‘{name}’认证,技能津贴每月{monthly}元,自{from}起'),
  ('payslip.certification', 'en', 'Certified "{name}": skill allowance of {monthly} yuan a month from {from}'),
  ('payslip.course',      'zh', '‘{name}’培训,技能津贴每月{monthly}元,自{from}起'),
  ('payslip.course',      'en', 'Training "{name}": skill allowance of {monthly} yuan a month from {from}'),
  ('payslip.prorated',    'zh', '{line}(本月{days}/{month_days}天,计{amount}元)'),
  ('payslip.prorated',    'en', '{line} ({days} of {month_days} days: {amount} yuan)'),
  ('payslip.separator',   'zh', ';'),
  ('payslip.separator',   'en', '; ');
