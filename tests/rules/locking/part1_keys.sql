ALTER TABLE orders ADD UNIQUE (code); -- expect: unique-builds-index
ALTER TABLE orders ADD CONSTRAINT u UNIQUE USING INDEX orders_code_idx;
ALTER TABLE orders ADD COLUMN a text UNIQUE; -- expect: unique-builds-index
ALTER TABLE orders ADD PRIMARY KEY (id); -- expect: primary-key-builds-index
ALTER TABLE orders ADD CONSTRAINT pk PRIMARY KEY USING INDEX unknown_idx; -- expect: primary-key-scans-nullable
ALTER TABLE bookings ADD EXCLUDE USING gist (during WITH &&); -- expect: exclusion-builds-index

-- next migration
CREATE TABLE parcels (id bigint NOT NULL, code text, weight bigint);
ALTER TABLE parcels ADD UNIQUE (code);
ALTER TABLE parcels ADD PRIMARY KEY (id);
CREATE TABLE boxes (id bigint NOT NULL, code text, size bigint);
CREATE TABLE chests (id bigint, code text);
CREATE TABLE bags (id bigint PRIMARY KEY, during tstzrange);
ALTER TABLE bags ADD EXCLUDE USING gist (during WITH &&);
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- next migration
CREATE UNIQUE INDEX CONCURRENTLY boxes_id ON boxes (id);
CREATE UNIQUE INDEX CONCURRENTLY boxes_code ON boxes (code);
CREATE UNIQUE INDEX CONCURRENTLY chests_id ON chests (id, code);
ALTER TABLE boxes ADD CONSTRAINT boxes_pkey PRIMARY KEY USING INDEX boxes_id;
ALTER TABLE chests ADD CONSTRAINT chests_pkey PRIMARY KEY USING INDEX chests_id; -- expect: primary-key-scans-nullable
ALTER TABLE boxes ADD UNIQUE USING INDEX boxes_code;
ALTER TABLE events ADD PRIMARY KEY (id, day); -- expect: primary-key-builds-index
ALTER TABLE ONLY events ADD CONSTRAINT events_key UNIQUE (day, id);

-- NOT NULL
ALTER TABLE boxes ALTER COLUMN id SET NOT NULL;
ALTER TABLE boxes ALTER COLUMN size SET NOT NULL; -- expect: set-not-null-scans
ALTER TABLE parcels ADD CONSTRAINT known CHECK (weight > 0 AND weight IS NOT NULL) NOT VALID;
ALTER TABLE parcels ADD CONSTRAINT positive CHECK (length(code) > 0); -- expect: check-validates
ALTER TABLE parcels ALTER COLUMN code SET NOT NULL; -- expect: set-not-null-scans

-- next migration
ALTER TABLE parcels ALTER COLUMN weight SET NOT NULL; -- expect: set-not-null-scans
ALTER TABLE parcels ALTER COLUMN weight DROP NOT NULL;
ALTER TABLE parcels VALIDATE CONSTRAINT known;
ALTER TABLE parcels ALTER COLUMN weight SET NOT NULL;

-- next migration
ALTER TABLE unknown ADD CONSTRAINT known CHECK (a IS NOT NULL) NOT VALID;
ALTER TABLE unknown VALIDATE CONSTRAINT known;
ALTER TABLE unknown ALTER COLUMN a SET NOT NULL, ALTER COLUMN b SET NOT NULL; -- expect: set-not-null-scans
