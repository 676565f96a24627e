-- The live parking business, source `ops`: MySQL 8.0+ and MariaDB 10.6+.
-- May be run again: nothing is dropped and rows that exist are kept.
-- One statement ends at a `;` at a line's end, and nowhere else.
-- All times are UTC. Names compare by bytes, so every side sorts alike.
-- No foreign keys: a cascade changes rows without a row in the binlog.

CREATE DATABASE IF NOT EXISTS parking CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
USE parking;

CREATE TABLE IF NOT EXISTS vehicle_type (
  id          TINYINT UNSIGNED NOT NULL,
  code        VARCHAR(16)      NOT NULL,
  name        VARCHAR(60)      NOT NULL,
  size_class  ENUM('small','medium','large') NOT NULL,
  is_electric BOOLEAN          NOT NULL DEFAULT FALSE,
  PRIMARY KEY (id),
  UNIQUE KEY vehicle_type_code (code)
);

CREATE TABLE IF NOT EXISTS payment_method (
  id          SMALLINT UNSIGNED NOT NULL,
  code        VARCHAR(16)       NOT NULL,
  name        VARCHAR(60)       NOT NULL,
  is_cashless BOOLEAN           NOT NULL,
  fee_percent DECIMAL(5,2)      NOT NULL DEFAULT 0.00,
  PRIMARY KEY (id),
  UNIQUE KEY payment_method_code (code)
);

CREATE TABLE IF NOT EXISTS location (
  id         INT UNSIGNED NOT NULL AUTO_INCREMENT,
  code       CHAR(4)      NOT NULL,
  name       VARCHAR(80)  NOT NULL,
  city       VARCHAR(60)  NOT NULL,
  capacity   INT UNSIGNED NOT NULL,
  latitude   DECIMAL(9,6) NOT NULL,
  longitude  DECIMAL(9,6) NOT NULL,
  opened_on  DATE         NOT NULL,
  is_open    BOOLEAN      NOT NULL DEFAULT TRUE,
  attributes JSON         NULL,
  updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY location_code (code)
);

CREATE TABLE IF NOT EXISTS gate (
  id           INT UNSIGNED NOT NULL,
  location_id  INT UNSIGNED NOT NULL,
  code         CHAR(2)      NOT NULL,
  direction    ENUM('in','out') NOT NULL,
  is_active    BOOLEAN      NOT NULL DEFAULT TRUE,
  installed_on DATE         NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY gate_place (location_id, code)
);

CREATE TABLE IF NOT EXISTS tariff (
  id              INT UNSIGNED     NOT NULL,
  location_id     INT UNSIGNED     NOT NULL,
  vehicle_type_id TINYINT UNSIGNED NOT NULL,
  first_hour      DECIMAL(12,2)    NOT NULL,
  next_hour       DECIMAL(12,2)    NOT NULL,
  daily_max       DECIMAL(12,2)    NOT NULL,
  valid_from      DATE             NOT NULL,
  valid_until     DATE             NULL,
  PRIMARY KEY (id),
  UNIQUE KEY tariff_of (location_id, vehicle_type_id, valid_from)
);

CREATE TABLE IF NOT EXISTS member (
  id              BIGINT           NOT NULL AUTO_INCREMENT,
  member_no       CHAR(8)          NOT NULL,
  full_name       VARCHAR(80)      NOT NULL,
  phone           VARCHAR(20)      NULL,
  plate           VARCHAR(16)      NOT NULL,
  vehicle_type_id TINYINT UNSIGNED NOT NULL,
  tier            ENUM('basic','plus','business') NOT NULL DEFAULT 'basic',
  balance         DECIMAL(12,2)    NOT NULL DEFAULT 0.00,
  valid_until     DATE             NULL,
  created_at      DATETIME         NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY member_number (member_no)
);

-- One row a visit: inserted at entry, updated at exit (exit_* set, status `closed`).
-- `cancelled` is a correction; a deleted row was an entry made in error.
CREATE TABLE IF NOT EXISTS parking_session (
  id              BIGINT           NOT NULL AUTO_INCREMENT,
  location_id     INT UNSIGNED     NOT NULL,
  entry_gate_id   INT UNSIGNED     NOT NULL,
  exit_gate_id    INT UNSIGNED     NULL,
  vehicle_type_id TINYINT UNSIGNED NOT NULL,
  member_id       BIGINT           NULL,
  plate           VARCHAR(16)      NOT NULL,
  entry_at        DATETIME(3)      NOT NULL,
  exit_at         DATETIME(3)      NULL,
  status          ENUM('open','closed','cancelled') NOT NULL DEFAULT 'open',
  lost_ticket     BOOLEAN          NOT NULL DEFAULT FALSE,
  updated_at      TIMESTAMP(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  KEY parking_session_open (location_id, status)
);

-- Written in the transaction that closes its session. Only `captured` counts as revenue.
CREATE TABLE IF NOT EXISTS payment (
  id                BIGINT            NOT NULL AUTO_INCREMENT,
  session_id        BIGINT            NOT NULL,
  payment_method_id SMALLINT UNSIGNED NOT NULL,
  amount            DECIMAL(12,2)     NOT NULL,
  discount          DECIMAL(12,2)     NOT NULL DEFAULT 0.00,
  tax               DECIMAL(12,2)     NOT NULL DEFAULT 0.00,
  status            ENUM('captured','refunded','voided') NOT NULL DEFAULT 'captured',
  reference         VARCHAR(40)       NULL,
  paid_at           DATETIME(3)       NOT NULL,
  PRIMARY KEY (id),
  KEY payment_session (session_id)
);

-- Reference data: the same ids and codes as in postgres.sql.

INSERT IGNORE INTO vehicle_type (id, code, name, size_class, is_electric) VALUES
  (1, 'motorcycle', 'Motorcycle',    'small',  FALSE),
  (2, 'car',        'Car',           'medium', FALSE),
  (3, 'suv',        'SUV or van',    'medium', FALSE),
  (4, 'ev',         'Electric car',  'medium', TRUE),
  (5, 'truck',      'Truck',         'large',  FALSE),
  (6, 'bus',        'Bus',           'large',  FALSE);

INSERT IGNORE INTO payment_method (id, code, name, is_cashless, fee_percent) VALUES
  (1, 'cash',    'Cash',                FALSE, 0.00),
  (2, 'card',    'Debit or credit card', TRUE, 1.20),
  (3, 'ewallet', 'E-wallet',            TRUE,  0.70),
  (4, 'qr',      'QR code',             TRUE,  0.40),
  (5, 'member',  'Membership balance',  TRUE,  0.00);

INSERT IGNORE INTO location (id, code, name, city, capacity, latitude, longitude, opened_on, attributes) VALUES
  (1,  'CTR1', 'Central Station',   'Northport', 420, 52.378900,  4.900300, '2011-04-01', '{"floors": 4, "covered": true}'),
  (2,  'MKT1', 'Market Hall',       'Northport', 180, 52.372700,  4.893600, '2014-09-15', '{"floors": 2, "covered": true}'),
  (3,  'AIR1', 'Airport P1',        'Northport', 960, 52.310500,  4.768300, '2008-06-30', '{"floors": 6, "covered": true, "shuttle": true}'),
  (4,  'AIR2', 'Airport P2',        'Northport', 740, 52.308600,  4.763900, '2016-03-21', '{"floors": 1, "covered": false, "shuttle": true}'),
  (5,  'UNI1', 'University Campus', 'Eastfield', 300, 52.090700,  5.121400, '2012-01-09', '{"floors": 3, "covered": true}'),
  (6,  'HOS1', 'Hospital',          'Eastfield', 260, 52.085900,  5.179900, '2010-11-02', '{"floors": 2, "covered": true, "note": "free for 30 minutes"}'),
  (7,  'STA1', 'Stadium',           'Eastfield', 820, 52.078100,  5.146900, '2018-08-11', '{"floors": 1, "covered": false}'),
  (8,  'HAR1', 'Harbour',           'Southbay',  150, 51.922500,  4.479200, '2019-05-04', NULL),
  (9,  'OLD1', 'Old Town – Café',   'Southbay',   90, 51.917200,  4.484000, '2013-07-19', '{"floors": 1, "covered": false, "height_cm": 190}'),
  (10, 'OFF1', 'Office Park',       'Southbay',  380, 51.906900,  4.488700, '2015-02-27', '{"floors": 3, "covered": true, "chargers": 24}'),
  (11, 'MAL1', 'Shopping Mall',     'Westhill',  640, 52.160100,  4.497000, '2017-10-28', '{"floors": 5, "covered": true, "chargers": 40}'),
  (12, 'BEA1', 'Beach',             'Westhill',  210, 52.115200,  4.280900, '2020-06-13', '{"floors": 1, "covered": false, "season": ["may", "sep"]}');

-- Gates 10*location+1 and +2 lead in, +3 and +4 lead out.
INSERT IGNORE INTO gate (id, location_id, code, direction, installed_on)
  SELECT 10 * l.id + g.n, l.id, g.code, g.direction, l.opened_on
  FROM location l
  CROSS JOIN (SELECT 1 AS n, 'E1' AS code, 'in' AS direction UNION ALL SELECT 2, 'E2', 'in'
              UNION ALL SELECT 3, 'X1', 'out' UNION ALL SELECT 4, 'X2', 'out') g;

-- Tariff 10*location+vehicle type: airports cost more, large vehicles too.
INSERT IGNORE INTO tariff (id, location_id, vehicle_type_id, first_hour, next_hour, daily_max, valid_from)
  SELECT 10 * l.id + v.id, l.id, v.id,
         CASE v.size_class WHEN 'small' THEN 1.00 WHEN 'medium' THEN 2.50 ELSE 6.00 END * IF(l.id IN (3, 4), 2, 1),
         CASE v.size_class WHEN 'small' THEN 0.50 WHEN 'medium' THEN 1.75 ELSE 4.50 END * IF(l.id IN (3, 4), 2, 1),
         CASE v.size_class WHEN 'small' THEN 6.00 WHEN 'medium' THEN 18.00 ELSE 48.00 END * IF(l.id IN (3, 4), 2, 1),
         '2024-01-01'
  FROM location l CROSS JOIN vehicle_type v;

INSERT IGNORE INTO member (id, member_no, full_name, phone, plate, vehicle_type_id, tier, balance, valid_until, created_at)
  WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 400)
  SELECT i, CONCAT('M', LPAD(i, 7, '0')), CONCAT('Member ', i),
         IF(i % 7 = 0, NULL, CONCAT('+3161', LPAD(i * 7919 % 10000000, 7, '0'))),
         CONCAT('MB-', LPAD(i, 3, '0'), '-', CHAR(65 + i % 26 USING ascii)),
         1 + i % 6, ELT(1 + i % 3, 'basic', 'plus', 'business'), 10.00 + i % 90,
         IF(i % 11 = 0, NULL, DATE_ADD('2030-01-01', INTERVAL i DAY)),
         DATE_ADD('2023-01-01', INTERVAL i * 97 MINUTE)
  FROM n;
