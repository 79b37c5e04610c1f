-- RENAME and SET SCHEMA of everything.

-- case: table
ALTER TABLE orders RENAME TO sales_orders;
-- case: table if there
ALTER TABLE IF EXISTS nothing RENAME TO something;
-- case: table to a name that is taken
-- refused
ALTER TABLE orders RENAME TO customers;
-- case: column
ALTER TABLE orders RENAME COLUMN note TO remark;
-- case: column without the word
ALTER TABLE orders RENAME note TO remark;
-- case: column that views read
ALTER TABLE orders RENAME COLUMN total TO sum;
-- case: column to a name that is taken
-- refused
ALTER TABLE orders RENAME COLUMN note TO total;
-- case: key column
ALTER TABLE customers RENAME COLUMN id TO number;
-- case: foreign table
ALTER FOREIGN TABLE far_orders RENAME TO far;
-- case: foreign table's column
ALTER FOREIGN TABLE far_orders RENAME COLUMN note TO remark;
-- case: sequence
ALTER SEQUENCE tickets RENAME TO numbers;
-- case: type
ALTER TYPE mood RENAME TO feeling;
-- case: composite type's attribute
-- refused
ALTER TYPE address RENAME ATTRIBUTE city TO town;
-- case: composite type's attribute, cascade
ALTER TYPE address RENAME ATTRIBUTE city TO town CASCADE;
-- case: domain
ALTER DOMAIN amount RENAME TO sum;
-- case: domain's constraint
ALTER DOMAIN amount RENAME CONSTRAINT amount_check TO positive;
-- case: schema
ALTER SCHEMA archive RENAME TO old;
-- case: function
ALTER FUNCTION touch() RENAME TO poke;
-- case: trigger
ALTER TRIGGER notices_touch ON notices RENAME TO poke;
-- case: rule
ALTER RULE notices_keep ON notices RENAME TO kept;
-- case: policy
ALTER POLICY notices_read ON notices RENAME TO reading;
-- case: publication
ALTER PUBLICATION news RENAME TO gazette;
-- case: schema of a table
ALTER TABLE returns SET SCHEMA archive;
-- case: schema of a free table
ALTER TABLE loose SET SCHEMA archive;
-- case: schema of a table with a serial
ALTER TABLE invoices SET SCHEMA archive;
-- case: schema of a table to where it is
ALTER TABLE loose SET SCHEMA public;
-- case: schema of a sequence
ALTER SEQUENCE tickets SET SCHEMA archive;
-- case: schema of an owned sequence
-- refused
ALTER SEQUENCE invoices_id_seq SET SCHEMA archive;
-- case: schema of a type
ALTER TYPE mood SET SCHEMA archive;
-- case: schema of a domain
ALTER DOMAIN amount SET SCHEMA archive;
-- case: schema of a function
ALTER FUNCTION touch() SET SCHEMA archive;
-- case: schema of a foreign table
ALTER FOREIGN TABLE far_orders SET SCHEMA archive;
