SET Lock_Timeout TO '1min';                     -- timeout 60000
SELECT set_config('LOCK_TIMEOUT', '7', false);  -- timeout 7
SELECT set_config('lock_timeout', '8', true);   -- timeout 7
BEGIN;                                          -- timeout 7, block
SELECT set_config('lock_timeout', '8', true);   -- timeout 8, block
SELECT set_config('lock_timeout', '9', false);  -- timeout 9, block
SELECT set_config('lock_timeout', '8', true);   -- timeout 8, block
COMMIT;                                         -- timeout 9
SET lock_timeout = DEFAULT;
SET search_path = '';                           -- path
SET search_path = "$user", public;
SET search_path TO a, pg_catalog, "A b";        -- path a|A b
SET SCHEMA 'b';                                 -- path b
SELECT pg_catalog.set_config('search_path', 'public, "A b",b', false);  -- path public|A b|b
SELECT pg_catalog.set_config('search_path', '', false);  -- path
RESET search_path;
SET TIME ZONE 'Asia/Tokyo';                     -- zone Asia/Tokyo
BEGIN;                                          -- zone Asia/Tokyo, block
SET LOCAL timezone = 'UTC';                     -- zone UTC, block
COMMIT;                                         -- zone Asia/Tokyo
SET TIME ZONE LOCAL;
SET TimeZone TO 'UTC';                          -- zone UTC
RESET TIME ZONE;
SET ROLE pg_monitor;                            -- role pg_monitor
SET lock_timeout = 1;                           -- timeout 1, role pg_monitor
RESET ALL;                                      -- role pg_monitor
BEGIN;                                          -- role pg_monitor, block
RESET ROLE;                                     -- block
ROLLBACK;                                       -- role pg_monitor
DISCARD PLANS;                                  -- role pg_monitor
DISCARD ALL;
SET lock_timeout = 1;                           -- timeout 1
BEGIN;                                          -- timeout 1, block
DISCARD ALL;                                    -- refused
