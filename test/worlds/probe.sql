-- How those who ask ask: everything is undone, and what comes of it is text, errors included.
CREATE SCHEMA probe;
GRANT USAGE ON SCHEMA probe TO PUBLIC;

-- an application says first for whom it asks
CREATE FUNCTION probe.begin() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('probe.acts_for', true) <> '' THEN PERFORM hr.act_as(current_setting('probe.acts_for')); END IF;
END $$;

-- one statement after the other, each with what the ones before it have done; all of it is undone
CREATE FUNCTION probe.ask(VARIADIC statements text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  statement text; line text; answer text[] := '{}';
  state text; message text; detail text; hint text; context text; s text; t text; c text; n text;
BEGIN
  BEGIN
    PERFORM probe.begin();
    FOREACH statement IN ARRAY statements LOOP
      BEGIN
        IF statement ~ '^(INSERT|UPDATE|DELETE)' THEN
          EXECUTE statement;
          answer := answer || 'done'::text;
        ELSE
          FOR line IN EXECUTE CASE WHEN statement ~ '^EXPLAIN' THEN statement ELSE format('SELECT t::text FROM (%s) t', statement) END LOOP
            answer := answer || coalesce(line, '-');
          END LOOP;
          answer := answer || 'done'::text;
        END IF;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
          context = PG_EXCEPTION_CONTEXT, s = SCHEMA_NAME, t = TABLE_NAME, c = COLUMN_NAME, n = CONSTRAINT_NAME;
        answer := answer || concat_ws(' | ', 'ERROR ' || state, message, detail, hint, s, t, c, n, context);
      END;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'UNDO0';
  EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
  END;
  RETURN QUERY SELECT unnest(answer);
END $$;
