-- refused: RETURN cannot have a parameter in a procedure
CREATE PROCEDURE f() LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;

-- refused: RETURN cannot have a parameter in function returning void
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;

-- refused: missing expression at or near ";"
CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN; END $$;

-- refused: RETURN cannot have a parameter in function with OUT parameters
CREATE FUNCTION f(OUT a integer) LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;

-- refused: RETURN cannot have a parameter in function returning set
CREATE FUNCTION f() RETURNS SETOF integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;

-- refused: cannot use RETURN NEXT in a non-SETOF function
CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN NEXT 1; END $$;

-- refused: cannot use RETURN QUERY in a non-SETOF function
CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT 1; END $$;

-- accepted
CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;

-- refused: duplicate declaration at or near "a"
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ DECLARE a integer; a text; BEGIN NULL; END $$;

-- refused: EXIT cannot be used outside a loop, unless it has a label
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXIT; END $$;

-- refused: CONTINUE cannot be used outside a loop
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CONTINUE; END $$;

-- refused: there is no label "outer_loop" attached to any block or loop enclosing this statement
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN LOOP EXIT outer_loop; END LOOP; END $$;

-- refused: end label "b" differs from block's label "a"
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN <<a>> LOOP EXIT a; END LOOP b; END $$;

-- refused: end label "b" specified for unlabeled block
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN LOOP EXIT; END LOOP b; END $$;

-- refused: "a" is not a known variable
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN a := 1; END $$;

-- refused: "a" is not a known variable
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SELECT 1 INTO a; END $$;

-- refused: loop variable of loop over rows must be a record variable or list of scalar variables
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN FOR r IN SELECT 1 LOOP NULL; END LOOP; END $$;

-- accepted
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..3 LOOP NULL; END LOOP; END $$;

-- refused: variable "a" is declared CONSTANT
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ DECLARE a CONSTANT integer := 1; BEGIN a := 2; END $$;

-- refused: unrecognized exception condition "duplicate_row"
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN NULL; EXCEPTION WHEN duplicate_row THEN NULL; END $$;

-- refused: too few parameters specified for RAISE
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% %', 1; END $$;

-- refused: too many parameters specified for RAISE
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', 1, 2; END $$;

-- refused: unrecognized exception condition "no_such_thing"
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE no_such_thing; END $$;

-- refused: unrecognized RAISE statement option at or near "hintt"
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a' USING hintt = 'b'; END $$;

-- accepted
CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE plpgsql AS $$ DECLARE a integer; BEGIN RETURN a; END $$;

-- accepted
CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE plpgsql AS $$ DECLARE b integer; BEGIN DECLARE b text; BEGIN NULL; END; RETURN a; END $$;

-- refused: "c" is not a known variable
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN OPEN c FOR SELECT 1; END $$;

-- refused: missing expression at or near ";"
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN; END $$;

-- accepted
CREATE FUNCTION f() RETURNS TABLE (a integer) LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT 1; RETURN; END $$;

-- refused: RETURN cannot have a parameter in function returning set
CREATE FUNCTION f() RETURNS TABLE (a integer) LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;

-- refused: variable "a" must have a default value, since it's declared NOT NULL
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ DECLARE a integer NOT NULL; BEGIN NULL; END $$;

-- refused: RETURN cannot have a parameter in function returning void
DO $$ BEGIN RETURN 1; END $$;

-- refused: "a" is not a known variable
DO $$ BEGIN a := 1; END $$;

-- refused: loop variable of loop over rows must be a record variable or list of scalar variables
DO $$ BEGIN FOR r IN SELECT 1 AS a LOOP RAISE NOTICE '%', r.a; END LOOP; END $$;

-- refused: loop variable of loop over rows must be a record variable or list of scalar variables
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN FOR r IN EXECUTE 'SELECT 1' LOOP NULL; END LOOP; END $$;

-- refused: loop variable of FOREACH must be a known variable or list of variables
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN FOREACH r IN ARRAY ARRAY[1] LOOP NULL; END LOOP; END $$;

-- refused: block label "b" cannot be used in CONTINUE
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ <<b>> BEGIN LOOP CONTINUE b; END LOOP; END $$;

-- accepted
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ <<b>> BEGIN EXIT b; END $$;

-- refused: "new.a" is not a known variable
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN NEW.a := 1; END $$;

-- refused: "r.a" is not a known variable
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN r.a := 1; END $$;

-- accepted
CREATE FUNCTION f(a integer) RETURNS void LANGUAGE plpgsql AS $$ BEGIN f.a := 1; $1 := 2; END $$;

-- accepted
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN NULL; EXCEPTION WHEN SQLSTATE '23505' OR unique_violation OR others THEN NULL; END $$;

-- accepted
CREATE FUNCTION f() RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE n int; BEGIN SELECT 1 INTO STRICT n; RETURN found; END $$;

-- accepted
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM nosuch; END $$;

-- accepted
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RAISE NOTICE '100%% of %', TG_TABLE_NAME; RETURN NEW; END $$;

-- accepted
CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE item record; BEGIN FOR item IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP RAISE NOTICE '%', tg_tag; END LOOP; END $$;

-- accepted
CREATE FUNCTION f(VARIADIC items int[], OUT total int) LANGUAGE plpgsql AS $$ DECLARE item int; "Sum" int := 0; BEGIN FOREACH item IN ARRAY items LOOP "Sum" := "Sum" + item; END LOOP; total := "Sum"; RETURN; END $$;

-- accepted
CREATE FUNCTION f() RETURNS TABLE (a int, b text) LANGUAGE plpgsql AS $$ DECLARE c CURSOR FOR SELECT 1 AS x, 'a' AS y; BEGIN FOR line IN c LOOP a := line.x; b := line.y; RETURN NEXT; END LOOP; END $$;

-- accepted
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ DECLARE a int; b text; BEGIN FOR a, b IN EXECUTE 'SELECT 1, 2' LOOP CONTINUE WHEN a > 1; END LOOP; SELECT 1, 'x' INTO STRICT a, b; RETURN a; END $$;

-- refused: "b" is not a known variable
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ DECLARE a int; BEGIN SELECT 1, 'x' INTO a, b; RETURN a; END $$;

-- accepted
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ DECLARE a int[]; BEGIN a[1] := 1; RETURN a[1]; EXCEPTION WHEN others THEN RAISE NOTICE '% %', SQLSTATE, SQLERRM USING HINT = 'a', DETAIL = concat('b', 'c'); RETURN 0; END $$;

-- refused: syntax error at or near "||"
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not ' || 'found'; END $$;

-- accepted
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE division_by_zero USING MESSAGE = 'a'; RAISE SQLSTATE '22012'; RAISE; END $$;

-- refused: RETURN cannot have a parameter in function with OUT parameters
CREATE PROCEDURE f(INOUT total int) LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;

-- accepted
CREATE FUNCTION f() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN RETURN NEXT 1; RETURN QUERY SELECT 2; END $$;

-- accepted
CREATE FUNCTION f(state text) RETURNS void LANGUAGE plpgsql AS $$ DECLARE amount numeric(8, 2) NOT NULL = 1; BEGIN IF state = 'a' THEN amount = amount * 2; END IF; END $$;

-- accepted
DO $$ <<whole>> DECLARE n int := 1; BEGIN WHILE n < 3 LOOP DECLARE n int := 2; BEGIN whole.n := whole.n + n; EXIT whole WHEN n > 9; END; END LOOP; END whole $$;

-- accepted
CREATE FUNCTION f() RETURNS SETOF record LANGUAGE plpgsql AS $$ DECLARE n int; r record; c CURSOR FOR SELECT 1; d CURSOR (q int) FOR SELECT q; BEGIN FOR n IN REVERSE n..n BY 2 LOOP NULL; END LOOP; FOR r IN c LOOP NULL; END LOOP; FOR r IN d(1) LOOP NULL; END LOOP; FOR r IN EXECUTE 'SELECT 1' USING n LOOP NULL; END LOOP; FOR r IN EXPLAIN SELECT 1 LOOP NULL; END LOOP; FOR r IN SHOW work_mem LOOP NULL; END LOOP; FOR r IN (SELECT 1) LOOP NULL; END LOOP; RETURN QUERY EXECUTE 'SELECT 1'; RETURN QUERY EXPLAIN SELECT 1; RETURN QUERY SHOW work_mem; RETURN QUERY (SELECT 1); END $$;
