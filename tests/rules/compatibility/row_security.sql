CREATE TABLE letters (id bigint PRIMARY KEY, owner text);
CREATE TABLE parcels (id bigint PRIMARY KEY, owner text);
CREATE TABLE stamps (id bigint PRIMARY KEY, owner text);
CREATE POLICY own ON stamps USING (owner = current_user);

-- next migration
ALTER TABLE letters ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; -- expect: row-security-enabled
ALTER TABLE stamps ENABLE ROW LEVEL SECURITY;
ALTER TABLE cards ENABLE ROW LEVEL SECURITY;
ALTER TABLE parcels DISABLE ROW LEVEL SECURITY;
CREATE TABLE postmen (id bigint PRIMARY KEY);
ALTER TABLE postmen ENABLE ROW LEVEL SECURITY;

-- next migration
-- it is enabled already
ALTER TABLE letters ENABLE ROW LEVEL SECURITY;
ALTER TABLE unknown ENABLE ROW LEVEL SECURITY; -- expect: row-security-enabled

-- next migration
BEGIN;
ALTER TABLE parcels ENABLE ROW LEVEL SECURITY; -- expect: row-security-enabled
CREATE POLICY own ON parcels AS RESTRICTIVE USING (owner = current_user);
COMMIT;

-- next migration
-- it is switched off again
BEGIN;
ALTER TABLE parcels DISABLE ROW LEVEL SECURITY;
ALTER TABLE parcels ENABLE ROW LEVEL SECURITY;
ALTER TABLE parcels DISABLE ROW LEVEL SECURITY;
COMMIT;

-- next migration
CREATE TABLE crates (id bigint PRIMARY KEY, owner text);

-- next migration
ALTER TABLE crates ENABLE ROW LEVEL SECURITY; -- expect: row-security-enabled
CREATE POLICY own ON crates USING (owner = current_user);

-- next migration
CREATE TABLE sacks (id bigint PRIMARY KEY, owner text);

-- next migration
BEGIN;
ALTER TABLE sacks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON sacks FOR SELECT USING (owner = current_user);
COMMIT;

-- next migration
-- the last policy is dropped
DROP POLICY own ON sacks; -- expect: row-security-enabled

-- next migration
CREATE POLICY own ON sacks USING (owner = current_user);
CREATE POLICY other ON sacks USING (owner = 'x');

-- next migration
DROP POLICY IF EXISTS own ON sacks;
CREATE POLICY own ON sacks USING (true);
DROP POLICY IF EXISTS missing ON sacks;

-- next migration
DROP POLICY own ON sacks;

-- next migration
DROP POLICY IF EXISTS other ON sacks;
ALTER TABLE sacks DISABLE ROW LEVEL SECURITY;

-- next migration
DROP POLICY IF EXISTS own ON stamps; -- expect: row-security-enabled
DROP POLICY IF EXISTS own ON stamps;

-- next migration
BEGIN;
DROP POLICY own ON crates;
DROP TABLE crates; -- expect: drop-table
COMMIT;
