DO $$ BEGIN SET LOCAL lock_timeout = '1s'; END $$;
DO $$ BEGIN SET lock_timeout = '1s'; END $$;    -- timeout 1000
DO $$ BEGIN SET lock_timeout = '2s'; ROLLBACK; SET search_path TO a; COMMIT; SET search_path TO b; ROLLBACK; END $$; -- timeout 1000, path a
DO $$ BEGIN PERFORM set_config('lock_timeout', '3s', true); COMMIT AND CHAIN; END $$; -- timeout 1000, path a
DO $$ BEGIN IF false THEN SET lock_timeout = '4s'; END IF; END $$; -- timeout 1000, path a
RESET search_path;                              -- timeout 1000
BEGIN;                                          -- timeout 1000, block
DO $$ BEGIN SET LOCAL lock_timeout = '1min'; END $$; -- timeout 60000, block
ROLLBACK;                                       -- timeout 1000
PREPARE slow AS SELECT set_config('lock_timeout', '5s', false); -- timeout 1000
BEGIN;                                          -- timeout 1000, block
PREPARE slower AS SELECT set_config('lock_timeout', '6s', false); -- timeout 1000, block
EXECUTE slow;                                   -- timeout 5000, block
ROLLBACK;                                       -- timeout 1000
EXECUTE slower;                                 -- timeout 6000
DISCARD PLANS;                                  -- timeout 6000
EXECUTE slow;                                   -- timeout 5000
PREPARE slow AS SELECT 1;                       -- refused
