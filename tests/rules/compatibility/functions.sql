CREATE FUNCTION cost(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION price(a int, b int DEFAULT 0) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION total(a int) RETURNS int LANGUAGE sql AS 'SELECT a';

-- next migration
CREATE FUNCTION cost(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION cost(a text, b int DEFAULT 0) RETURNS int LANGUAGE sql AS 'SELECT b';
CREATE OR REPLACE FUNCTION total(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 1';

-- next migration
CREATE OR REPLACE FUNCTION total(a int, b int DEFAULT 0) RETURNS int LANGUAGE sql AS 'SELECT a'; -- expect: ambiguous-overload
CREATE FUNCTION price(a int) RETURNS int LANGUAGE sql AS 'SELECT a'; -- expect: ambiguous-overload

-- next migration
CREATE FUNCTION tax(a int) RETURNS int LANGUAGE sql AS 'SELECT a';

-- next migration
BEGIN;
CREATE FUNCTION tax(a int, b int DEFAULT 0) RETURNS int LANGUAGE sql AS 'SELECT a';
DROP FUNCTION tax(int);
COMMIT;
