-- a collation of libc that is not deterministic
-- refused: nondeterministic collations not supported with this provider
CREATE COLLATION same (provider = libc, locale = 'C', deterministic = false);

-- a collation without a provider that is not deterministic
-- refused: nondeterministic collations not supported with this provider
CREATE COLLATION same (locale = 'C', deterministic = false);

-- a deterministic collation
-- accepted
CREATE COLLATION plain (provider = libc, locale = 'C', deterministic = true);

-- a collation that a column has
CREATE COLLATION plain (provider = libc, locale = 'C');
CREATE TABLE notes (title text COLLATE plain);
-- refused: cannot drop collation plain because other objects depend on it
DROP COLLATION plain;

-- a collation that no column has any more
CREATE COLLATION plain (provider = libc, locale = 'C');
CREATE TABLE notes (title text COLLATE plain);
ALTER TABLE notes ALTER COLUMN title TYPE text COLLATE "C";
-- accepted
DROP COLLATION plain;
