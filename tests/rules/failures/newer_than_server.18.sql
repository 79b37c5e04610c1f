CREATE TABLE item (id bigint PRIMARY KEY, note text, double bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);
ALTER TABLE item ADD CONSTRAINT note_set NOT NULL note NOT VALID;
ALTER TABLE item ADD UNIQUE NULLS NOT DISTINCT (note);
UPDATE item SET note = '' RETURNING old.note, uuidv7();
COPY item TO STDOUT WITH (FORMAT json); -- expect: newer-than-server
