ALTER ROLE deployer SET lock_timeout = 0;
ALTER ROLE deployer SET lock_timeout = '2s';
-- from the next session on
ALTER TABLE orders ADD COLUMN c text; -- expect: lock-timeout-missing

-- next migration
ALTER TABLE orders ADD COLUMN d text;
SET lock_timeout = 0;
ALTER TABLE orders ADD COLUMN e text; -- expect: lock-timeout-missing
RESET lock_timeout;
ALTER TABLE orders ADD COLUMN h text;
SET lock_timeout TO DEFAULT;
ALTER TABLE orders ADD COLUMN i text;
DISCARD ALL;
ALTER TABLE orders ADD COLUMN j text;

-- next migration
ALTER ROLE deployer IN DATABASE shop RESET ALL;

-- next migration
ALTER TABLE orders ADD COLUMN f text; -- expect: lock-timeout-missing

-- next migration
ALTER DATABASE shop SET lock_timeout TO '1min';

-- next migration
ALTER TABLE orders ADD COLUMN g text; -- expect: lock-timeout-too-long
