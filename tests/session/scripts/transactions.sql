SET LOCAL lock_timeout = '1s';
SET lock_timeout = '1s';                        -- timeout 1000
BEGIN;                                          -- timeout 1000, block
SET lock_timeout = '2s';                        -- timeout 2000, block
ROLLBACK;                                       -- timeout 1000
BEGIN;                                          -- timeout 1000, block
SET lock_timeout = '2s';                        -- timeout 2000, block
SET LOCAL lock_timeout = '3s';                  -- timeout 3000, block
BEGIN;                                          -- timeout 3000, block
COMMIT;                                         -- timeout 2000
COMMIT;                                         -- timeout 2000
BEGIN;                                          -- timeout 2000, block
SET LOCAL lock_timeout TO DEFAULT;              -- block
SET lock_timeout = 5;                           -- timeout 5, block
END;                                            -- timeout 5
START TRANSACTION;                              -- timeout 5, block
SET LOCAL lock_timeout = '3s';                  -- timeout 3000, block
RESET lock_timeout;                             -- block
ABORT;                                          -- timeout 5
BEGIN;                                          -- timeout 5, block
SET LOCAL lock_timeout = '3s';                  -- timeout 3000, block
SET SESSION search_path TO a;                   -- timeout 3000, path a, block
COMMIT AND CHAIN;                               -- timeout 5, path a, block
SET search_path TO b, "A b";                    -- timeout 5, path b|A b, block
SET LOCAL lock_timeout = '4s';                  -- timeout 4000, path b|A b, block
ROLLBACK AND CHAIN;                             -- timeout 5, path a, block
RESET ALL;                                      -- block
PREPARE TRANSACTION 'one';
ROLLBACK PREPARED 'one';
BEGIN;                                          -- block
SET lock_timeout = '1s';                        -- timeout 1000, block
SET LOCAL search_path TO a;                     -- timeout 1000, path a, block
PREPARE TRANSACTION 'two';                      -- timeout 1000
COMMIT PREPARED 'two';                          -- timeout 1000
DISCARD ALL;
COMMIT AND CHAIN;                               -- refused
ROLLBACK AND CHAIN;                             -- refused
SAVEPOINT s;                                    -- refused
ROLLBACK TO s;                                  -- refused
RELEASE s;                                      -- refused
LOCK TABLE t;                                   -- refused
SET lock_timeout = 'soon';                      -- refused
SET statement_timeout = -1;                     -- refused
