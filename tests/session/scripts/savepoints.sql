BEGIN;                                          -- block
LOCK TABLE t IN SHARE MODE;                     -- block, holds SHARE
SAVEPOINT one;                                  -- block, holds SHARE
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;          -- block, holds ACCESS EXCLUSIVE
SET lock_timeout = '1s';                        -- timeout 1000, block, holds ACCESS EXCLUSIVE
SAVEPOINT two;                                  -- timeout 1000, block, holds ACCESS EXCLUSIVE
SET LOCAL lock_timeout = '2s';                  -- timeout 2000, block, holds ACCESS EXCLUSIVE
RELEASE two;                                    -- timeout 2000, block, holds ACCESS EXCLUSIVE
ROLLBACK TO one;                                -- block, holds SHARE
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;          -- block, holds ACCESS EXCLUSIVE
RELEASE SAVEPOINT one;                          -- block, holds ACCESS EXCLUSIVE
COMMIT;
BEGIN;                                          -- block
SAVEPOINT same;                                 -- block
LOCK TABLE t IN SHARE MODE;                     -- block, holds SHARE
SAVEPOINT same;                                 -- block, holds SHARE
LOCK TABLE t IN EXCLUSIVE MODE;                 -- block, holds EXCLUSIVE
ROLLBACK TO same;                               -- block, holds SHARE
RELEASE same;                                   -- block, holds SHARE
SET search_path TO a, public;                   -- path a|public, block, holds SHARE
ROLLBACK TO SAVEPOINT same;                     -- block
SET search_path TO b, public;                   -- path b|public, block
SAVEPOINT "Same";                               -- path b|public, block
SET LOCAL search_path TO a, public;             -- path a|public, block
SAVEPOINT inner_one;                            -- path a|public, block
ROLLBACK TO "Same";                             -- path b|public, block
RELEASE same;                                   -- path b|public, block
END;                                            -- path b|public
BEGIN;                                          -- path b|public, block
SAVEPOINT s;                                    -- path b|public, block
LOCK TABLE t IN SHARE MODE;                     -- path b|public, block, holds SHARE
RELEASE s;                                      -- path b|public, block, holds SHARE
COMMIT AND CHAIN;                               -- path b|public, block
ROLLBACK TO s;                                  -- refused
