SET LOCAL lock_timeout = '1s';                  -- timeout 1000, block
BEGIN;                                          -- timeout 1000, block
SET search_path TO a;                           -- timeout 1000, path a, block
COMMIT;                                         -- path a
SET LOCAL lock_timeout = '1s';                  -- path a
BEGIN;                                          -- path a, block
SET LOCAL lock_timeout = '2s';                  -- timeout 2000, path a, block
