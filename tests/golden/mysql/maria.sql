-- MariaDB only: a sequence's rows are no table's, JSON is text.
CREATE SEQUENCE counter;
SELECT NEXTVAL(counter);
CREATE TABLE texts_as_json (id int NOT NULL PRIMARY KEY, j JSON);
INSERT INTO texts_as_json VALUES (1, '{"a":1}');
-- Types that only MariaDB has.
CREATE TABLE addresses (id int NOT NULL PRIMARY KEY, i4 inet4, i6 inet6, u uuid, j longtext CHECK (json_valid(j)));
INSERT INTO addresses VALUES
  (1, '1.2.3.4', '2001:db8::1', 'f47ac10b-58cc-1372-8567-0e02b2c3d479', '{"a": 1}'),
  (2, '0.0.0.0', '::', '00000000-0000-0000-0000-000000000000', '[]'),
  (3, '255.0.0.0', '::ffff:1.2.3.0', 'f47ac10b-58cc-4372-8567-0e02b2c3d400', 'null'),
  (4, NULL, NULL, NULL, NULL);
UPDATE addresses SET i4 = '9.8.7.0' WHERE id = 1;
