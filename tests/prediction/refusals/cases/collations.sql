-- a collation of libc that is not deterministic
-- refused: nondeterministic collations not supported with this provider
CREATE COLLATION same (provider = libc, locale = 'C', deterministic = false);

-- a collation without a provider that is not deterministic
-- refused: nondeterministic collations not supported with this provider
CREATE COLLATION same (locale = 'C', deterministic = false);

-- a deterministic collation
-- accepted
CREATE COLLATION plain (provider = libc, locale = 'C', deterministic = true);
