-- Each query is what one call sends to the server.
SET LOCAL lock_timeout = '1s';
-- next query
SET LOCAL lock_timeout = '1s';                  -- timeout 1000, block
SELECT 1;
-- next query
SET lock_timeout = '1s';                        -- timeout 1000, block
ROLLBACK;
SET search_path TO a;                           -- path a
-- next query
SET LOCAL lock_timeout = '1s';                  -- timeout 1000, path a, block
SET search_path TO b;                           -- timeout 1000, path b, block
BEGIN;                                          -- timeout 1000, path b, block
SET lock_timeout = '2s';                        -- timeout 2000, path b, block
-- next query
SELECT 1;                                       -- timeout 2000, path b, block
-- next query
ROLLBACK;                                       -- path a
SET LOCAL lock_timeout = '1s';                  -- timeout 1000, path a, block
SET search_path TO public;
-- next query
BEGIN;                                          -- block
SET LOCAL lock_timeout = '1s';                  -- timeout 1000, block
COMMIT;
SET LOCAL lock_timeout = '2s';                  -- timeout 2000, block
COMMIT;
SET LOCAL lock_timeout = '3s';
-- next query
SELECT 1;                                       -- block
SAVEPOINT s;                                    -- refused
-- next query
SELECT 1;                                       -- block
COMMIT AND CHAIN;                               -- refused
