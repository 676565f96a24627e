-- History and customers of the parking business, source `crm`: PostgreSQL 14 to 18,
-- in the schema public of a database `parking` that exists already.
-- May be run again: nothing is dropped and rows that exist are kept.
-- One statement ends at a `;` at a line's end, and nowhere else.

CREATE TABLE IF NOT EXISTS vehicle_type (
  id          smallint    PRIMARY KEY,
  code        varchar(16) NOT NULL UNIQUE,
  name        text        NOT NULL,
  is_electric boolean     NOT NULL DEFAULT false
);

CREATE TABLE IF NOT EXISTS payment_method (
  id          smallint     PRIMARY KEY,
  code        varchar(16)  NOT NULL UNIQUE,
  name        text         NOT NULL,
  is_cashless boolean      NOT NULL,
  fee_percent numeric(5,2) NOT NULL DEFAULT 0.00
);

CREATE TABLE IF NOT EXISTS location (
  id        int          PRIMARY KEY,
  code      varchar(4)   NOT NULL UNIQUE,
  name      text         NOT NULL,
  city      varchar(60)  NOT NULL,
  capacity  int          NOT NULL,
  latitude  numeric(9,6) NOT NULL,
  longitude numeric(9,6) NOT NULL,
  opened_on date         NOT NULL,
  is_open   boolean      NOT NULL DEFAULT true
);

CREATE TABLE IF NOT EXISTS membership (
  id            bigint        PRIMARY KEY,
  member_no     varchar(8)    NOT NULL UNIQUE,
  plan          varchar(16)   NOT NULL,
  monthly_price numeric(12,2) NOT NULL,
  starts_on     date          NOT NULL,
  ends_on       date,
  auto_renew    boolean       NOT NULL DEFAULT true,
  created_at    timestamptz   NOT NULL,
  note          text
);

-- One row a past visit; exit_at is null for those that never left before the history ended.
-- business_day and entry_local are the location's local time (UTC+1, no summer time here).
CREATE TABLE IF NOT EXISTS parking_history (
  id              bigint      PRIMARY KEY,
  location_id     int         NOT NULL,
  entry_gate      varchar(2)  NOT NULL,
  exit_gate       varchar(2),
  vehicle_type_id smallint    NOT NULL,
  membership_id   bigint,
  plate           text        NOT NULL,
  entry_at        timestamptz NOT NULL,
  exit_at         timestamptz,
  entry_local     timestamp   NOT NULL,
  business_day    date        NOT NULL,
  status          varchar(10) NOT NULL,
  lost_ticket     boolean     NOT NULL DEFAULT false
);

-- At most one row a closed visit; status is captured, refunded or voided.
CREATE TABLE IF NOT EXISTS payment_history (
  id                bigint        PRIMARY KEY,
  session_id        bigint        NOT NULL,
  payment_method_id smallint      NOT NULL,
  amount            numeric(12,2) NOT NULL,
  discount          numeric(12,2) NOT NULL DEFAULT 0.00,
  tax               numeric(12,2) NOT NULL DEFAULT 0.00,
  status            varchar(10)   NOT NULL,
  reference         text,
  paid_at           timestamptz   NOT NULL
);

-- Reference data: the same ids and codes as in mysql.sql.

INSERT INTO vehicle_type (id, code, name, is_electric) VALUES
  (1, 'motorcycle', 'Motorcycle',   false),
  (2, 'car',        'Car',          false),
  (3, 'suv',        'SUV or van',   false),
  (4, 'ev',         'Electric car', true),
  (5, 'truck',      'Truck',        false),
  (6, 'bus',        'Bus',          false)
ON CONFLICT DO NOTHING;

INSERT INTO payment_method (id, code, name, is_cashless, fee_percent) VALUES
  (1, 'cash',    'Cash',                 false, 0.00),
  (2, 'card',    'Debit or credit card', true,  1.20),
  (3, 'ewallet', 'E-wallet',             true,  0.70),
  (4, 'qr',      'QR code',              true,  0.40),
  (5, 'member',  'Membership balance',   true,  0.00)
ON CONFLICT DO NOTHING;

INSERT INTO location (id, code, name, city, capacity, latitude, longitude, opened_on) VALUES
  (1,  'CTR1', 'Central Station',   'Northport', 420, 52.378900, 4.900300, '2011-04-01'),
  (2,  'MKT1', 'Market Hall',       'Northport', 180, 52.372700, 4.893600, '2014-09-15'),
  (3,  'AIR1', 'Airport P1',        'Northport', 960, 52.310500, 4.768300, '2008-06-30'),
  (4,  'AIR2', 'Airport P2',        'Northport', 740, 52.308600, 4.763900, '2016-03-21'),
  (5,  'UNI1', 'University Campus', 'Eastfield', 300, 52.090700, 5.121400, '2012-01-09'),
  (6,  'HOS1', 'Hospital',          'Eastfield', 260, 52.085900, 5.179900, '2010-11-02'),
  (7,  'STA1', 'Stadium',           'Eastfield', 820, 52.078100, 5.146900, '2018-08-11'),
  (8,  'HAR1', 'Harbour',           'Southbay',  150, 51.922500, 4.479200, '2019-05-04'),
  (9,  'OLD1', 'Old Town – Café',   'Southbay',   90, 51.917200, 4.484000, '2013-07-19'),
  (10, 'OFF1', 'Office Park',       'Southbay',  380, 51.906900, 4.488700, '2015-02-27'),
  (11, 'MAL1', 'Shopping Mall',     'Westhill',  640, 52.160100, 4.497000, '2017-10-28'),
  (12, 'BEA1', 'Beach',             'Westhill',  210, 52.115200, 4.280900, '2020-06-13')
ON CONFLICT DO NOTHING;

INSERT INTO membership (id, member_no, plan, monthly_price, starts_on, ends_on, auto_renew, created_at, note)
  SELECT i, 'M' || lpad(i::text, 7, '0'),
         (ARRAY['basic', 'plus', 'business'])[1 + i % 3], (ARRAY[19.00, 39.00, 129.00])[1 + i % 3],
         date '2023-01-01' + i % 365, CASE WHEN i % 4 = 0 THEN date '2030-01-01' + i END, i % 4 <> 0,
         timestamptz '2023-01-01 00:00:00+00' + i * interval '97 minutes',
         CASE WHEN i % 10 = 0 THEN 'invoice, yearly' END
  FROM generate_series(1, 400) AS i
ON CONFLICT DO NOTHING;
