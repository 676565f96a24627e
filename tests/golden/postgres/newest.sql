-- OPTIONS 'proto_version', '4', 'streaming', 'parallel', 'messages', 'true', 'origin', 'any'
-- PUBLICATION FOR ALL TABLES WITH (publish_generated_columns = stored)
CREATE TABLE made (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED, v int GENERATED ALWAYS AS (id * 3), z int);
CREATE TABLE many (id int PRIMARY KEY);
-- RECORD
INSERT INTO made (id, z) VALUES (1, 10);
UPDATE made SET z = 11;
BEGIN;
INSERT INTO many SELECT i FROM generate_series(1, 900) AS i;
INSERT INTO made (id, z) VALUES (2, 20);
SELECT pg_logical_emit_message(true, 'golden', 'within');
COMMIT;
DELETE FROM made WHERE id = 1;
