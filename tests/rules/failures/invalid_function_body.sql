CREATE TABLE item (id bigint, note text);
CREATE FUNCTION first() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    total bigint;
BEGIN
    SELEC count(*) INTO total FROM item; -- expect: invalid-function-body
    RETURN total;
END $$;
CREATE FUNCTION second() RETURNS bigint LANGUAGE sql AS $$ SELECT id FRM item i $$; -- expect: invalid-function-body
CREATE FUNCTION third() RETURNS trigger LANGUAGE plpgsql AS ' -- expect: invalid-function-body
BEGIN
    IF NEW.id > 0
        NEW.note := ''a'';
    END IF;
    RETURN NEW;
END';
DO $$
BEGIN
    FOR i IN 1..3 LOOP
        INSERT INTO item VALUES (i);
    END IF; -- expect: invalid-function-body
END $$;
DO $$
BEGIN
    DELETE FROM item WHERE WHERE id = 1; -- expect: invalid-function-body
END $$;

-- next migration
CREATE FUNCTION valid() RETURNS bigint LANGUAGE plpgsql AS $$
<<whole>>
DECLARE
    total bigint NOT NULL DEFAULT 0;
    part record;
BEGIN
    FOR part IN SELECT id FROM item LOOP
        total := total + CASE WHEN part.id > 1 THEN 1 ELSE 2 END;
        EXIT WHEN total > 10;
    END LOOP;
    BEGIN
        EXECUTE 'SELECT 1' INTO STRICT total USING part.id;
    EXCEPTION WHEN no_data_found OR too_many_rows THEN
        RAISE NOTICE 'none';
    END;
    RETURN total;
END whole $$;
CREATE FUNCTION standard() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM item; END;
CREATE FUNCTION other() RETURNS text LANGUAGE plpython3u AS 'return 1 if x else';

-- next migration
SET check_function_bodies = off;
CREATE FUNCTION unchecked() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN SELEC 1; END $$;

-- next migration
CREATE FUNCTION notes() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    FOR part IN SELECT note FROM item LOOP -- expect: invalid-function-body
        RETURN NEXT part.note;
    END LOOP;
END $$;
CREATE PROCEDURE tidy() LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM item;
    RETURN 1; -- expect: invalid-function-body
END $$;
DO $$
BEGIN
    SELECT count(*) INTO total FROM item; -- expect: invalid-function-body
END $$;
DO $$
DECLARE total bigint;
BEGIN
    SELECT count(*) INTO total FROM item;
    RAISE NOTICE '% of % items', total; -- expect: invalid-function-body
EXCEPTION WHEN division_by_zero THEN
    NULL;
END $$;
