SET session_replication_role = replica; -- expect: disable-triggers
INSERT INTO orders (id) VALUES (1);
RESET session_replication_role;

-- next migration
SET session_replication_role = origin;
BEGIN;
SET LOCAL session_replication_role = 'replica'; -- expect: disable-triggers
COMMIT;
SELECT set_config('session_replication_role', 'replica', false); -- expect: disable-triggers

-- next migration
CREATE TABLE countries (code text PRIMARY KEY);
SET session_replication_role = replica;
INSERT INTO countries (code) VALUES ('FI');
RESET session_replication_role;
