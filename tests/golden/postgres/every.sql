-- Every built-in type and the arrays, ranges and multiranges of them; docs/TYPES.md has the forms.
CREATE TABLE every (id int PRIMARY KEY, c0 boolean, c1 smallint, c2 integer, c3 bigint, c4 real,
  c5 double precision, c6 numeric(12,2), c7 numeric(38,10), c8 numeric(39,1), c9 numeric(5,0),
  c10 numeric, c11 money, c12 text, c13 varchar(20), c14 char(5), c15 "char", c16 name, c17 xml,
  c18 bytea, c19 date, c20 time, c21 time(0), c22 timetz, c23 timestamp, c24 timestamp(3),
  c25 timestamptz, c26 interval, c27 uuid, c28 json, c29 jsonb, c30 jsonpath, c31 bit(3),
  c32 bit(9), c33 varbit, c34 inet, c35 cidr, c36 macaddr, c37 macaddr8, c38 pg_lsn, c39 tsvector,
  c40 oid, c41 regclass, c42 regtype, c43 regproc, c44 regnamespace, c45 xid, c46 xid8, c47 cid,
  c48 tid, c49 point, c50 line, c51 lseg, c52 box, c53 path, c54 polygon, c55 circle,
  c56 int4range, c57 int8range, c58 numrange, c59 daterange, c60 tsrange, c61 tstzrange,
  c62 int4multirange, c63 nummultirange, c64 datemultirange, c65 tstzmultirange, c66 refcursor,
  c67 integer[], c68 bigint[], c69 boolean[], c70 text[], c71 varchar(5)[], c72 numeric(10,2)[],
  c73 numeric[], c74 date[], c75 time[], c76 timetz[], c77 timestamp[], c78 timestamptz[],
  c79 interval[], c80 uuid[], c81 bytea[], c82 json[], c83 jsonb[], c84 inet[], c85 point[],
  c86 box[], c87 int4range[], c88 tsrange[], c89 bit(3)[], c90 tsvector[], c91 "char"[],
  c92 name[], c93 oid[], c94 int2vector, c95 integer[], c96 real[], c97 float8[], c98 money[]);
-- RECORD
INSERT INTO every (id, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16,
  c17, c18, c19, c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31, c32, c33, c34, c35,
  c36, c37, c38, c39, c40, c41, c42, c43, c44, c45, c46, c47, c48, c49, c50, c51, c52, c53, c54,
  c55, c56, c57, c58, c59, c60, c61, c62, c63, c64, c65, c66, c67, c68, c69, c70, c71, c72, c73,
  c74, c75, c76, c77, c78, c79, c80, c81, c82, c83, c84, c85, c86, c87, c88, c89, c90, c91, c92,
  c93, c94, c95, c96, c97, c98) VALUES (0, 'true', '-32768', '-2147483648', '-9223372036854775808',
  '1.5', '1.7976931348623157e308', '0.01', '9999999999999999999999999999.9999999999',
  '-99999999999999999999999999999999999999.9', '99999',
  '9999999999999999999999999999999999999999.9999999999999999999999999999999999999999',
  '-92233720368547758.08', '', 'v', 'ab', 'a', 'a_name', '<a b="1">x</a>', '\x', '2000-01-01',
  '00:00:00', '12:30:01', '00:00:00+00', '2000-01-01 00:00:00', '2024-02-29 12:00:00.123',
  '2000-01-01 00:00:00+02', '1 year 2 mons 3 days 04:05:06.789',
  '00112233-4455-6677-8899-aabbccddeeff', '{"b": 1,  "a": [null, 1.0e5]}',
  '{"b": 1, "a": [null, 100000.0]}', '$.a[*] ? (@ > 1)', '101', '101010101', '', '127.0.0.1',
  '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '16/B374D848',
  '''a'':1A,3 ''b'' ''it''''s'':2B ''q\\q'':5C', '0', 'pg_class', 'integer', 'now', 'public', '0',
  '0', '7', '(0,1)', '(1,2)', '{1,-1,0}', '[(0,0),(1,1.5)]', '(2,2),(0,0)', '((0,0),(1,1))',
  '((0,0),(1,1),(2,0))', '<(1,2),3.25>', '[1,5)', '[1,9223372036854775807)', '[1.50,2.50]',
  '[2024-01-01,infinity)', '["2024-01-01 10:00:00","2024-01-01 10:00:00.5"]',
  '["2024-01-01 10:00:00+00",)', '{}', '{[1.0,2.0],(3.5,)}', '{[2024-01-01,2024-01-03)}',
  '{["2024-01-01 10:00:00+00","2024-01-02 00:00:00+00")}', 'a cursor', '{}',
  '{9223372036854775807,-1}', '{t,f,NULL}', '{a,"b c","d\"e","f\\g",NULL,"NULL","",hé}', '{a,b}',
  '{1.50,NaN,NULL,-0.01}', '{9999999999999999999999999999999999999999,Infinity}',
  '{2024-01-01,infinity,"0044-03-15 BC"}', '{24:00:00,10:00:00.25}', '{10:00:00+02}',
  '{"2024-01-01 10:00:00.5",-infinity,"0001-01-01 00:00:00 BC"}', '{"2024-01-01 10:00:00+00"}',
  '{"1 year 2 mons 3 days 04:05:06.789","-1 days +02:03:00","00:00:00","-1 years -2 mons +3 days -04:05:06","1 mon","-00:00:01.5"}',
  '{00112233-4455-6677-8899-aabbccddeeff}', '{"\\x00ff",NULL}', '{"{\"a\": 1}","null",NULL}',
  '{"{\"a\": 1}","null",NULL}', '{10.0.0.0/8,::1/64}', '{"(1,2)","(3,4)"}',
  '{(2,2),(0,0);(3,3),(1,1)}', '{"[1,5)",empty}', '{"[\"2024-01-01 10:00:00\",)"}', '{101,000}',
  '{"''a'':1 ''b''"}', '{a,b}', '{a,b}', '{1,4294967295}', '1 2 3', '[0:1]={5,6}',
  '{1.5,NaN,Infinity,NULL,1e10}', '{0.1,-Infinity,1e300}', '{1.5,-2}');
INSERT INTO every (id, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c17,
  c18, c19, c20, c22, c23, c25, c26, c27, c28, c29, c30, c31, c33, c34, c35, c36, c38, c39, c40,
  c45, c46, c48, c49, c53, c55, c56, c58, c59, c60, c62, c67, c70, c94, c95) VALUES (1, 'false',
  '32767', '2147483647', '9223372036854775807', '-3.4028235e38', '5e-324', '-9999999999.99',
  '-0.0000000001', '0', '-1', '-0.000', '92233720368547758.07', 'hé 😀 مرحبا', '', 'abcde', '',
  'text only', '\x00ff10', '0001-01-01', '23:59:59.999999', '23:59:59.999999-15:59:59',
  '4713-01-01 00:00:00 BC', '4713-01-02 00:00:00+00 BC', '-1 year +2 days -00:00:00.000001',
  '00000000-0000-0000-0000-000000000000', '"x"', '"\u00e9"', 'lax $', '000', '1', '10.0.0.1/8',
  '192.168.1.5/32', '00:00:00:00:00:00', '0/0', '', '4294967295', '4294967295',
  '18446744073709551615', '(4294967295,65535)', '(-1.5,1e+300)', '[(0,0),(1,1),(2,0)]',
  '<(123456789012345,1e+15),0.1>', 'empty', '(NaN,)', '[0044-03-15 BC,2024-01-01)', 'empty',
  '{[1,5),[7,9)}', '{1,NULL,3}', '{{a,b},{c,d}}', '', '[-1:0][2:2]={{1},{NULL}}');
INSERT INTO every (id, c4, c5, c6, c8, c10, c11, c12, c18, c19, c20, c22, c23, c25, c26, c27, c28,
  c29, c33, c34, c35, c38, c39, c49, c56, c58, c67, c70) VALUES (2, '1e-45', 'NaN', '12.3', 'NaN',
  'NaN', '1.5', 'it''s "q" \ 	', '\x5c5c27', '4713-01-01 BC', '24:00:00', '12:00:00+05:30',
  '10000-01-01 00:00:00.000001', '294246-12-31 00:00:00+00', '0',
  'ffffffff-ffff-ffff-ffff-ffffffffffff', 'null', 'null', '101010101010', '::1', '2001:db8::/32',
  'FFFFFFFF/FFFFFFFF', '''x'':16383', '(0.0001,1e-05)', '(,)', '(0,1)', '{{1,2},{3,4}}',
  '{"tab\tand
line"}');
INSERT INTO every (id, c4, c5, c10, c12, c19, c20, c23, c25, c26, c28, c29, c34, c35, c49, c56,
  c67) VALUES (3, 'NaN', 'Infinity', 'Infinity', 'null', '5874897-12-31', '12:30:00.5',
  '294246-12-31 23:59:59.999999', 'infinity', '30 days', '[]', '12345678901234567890.123',
  '2001:db8::ff00:42:8329/64', '::/0', '(Infinity,NaN)', '[3,)', '{{{1},{NULL}}}');
INSERT INTO every (id, c4, c5, c10, c19, c23, c25, c26, c34, c56) VALUES (4, 'Infinity',
  '-Infinity', '-Infinity', 'infinity', 'infinity', '-infinity', '1 mon', '::ffff:1.2.3.4',
  '(,-1)');
INSERT INTO every (id, c4, c5, c10, c19, c23, c26, c34) VALUES (5, '-Infinity', '0.1', '1e-100',
  '-infinity', '-infinity', '2562047788:00:54.775807', '::10.1.2.3');
INSERT INTO every (id, c4, c5, c23, c26, c34) VALUES (6, '0.1', '-0', '1969-12-31 23:59:59.9',
  '-178000000 years', '::');
INSERT INTO every (id, c26, c34) VALUES (7, '2147483647 days', '1::');
INSERT INTO every (id, c34) VALUES (8, '0:0:1::1');
INSERT INTO every (id, c34) VALUES (9, '1:0:0:2:0:0:0:3');
INSERT INTO every (id, c34) VALUES (10, '::2:0');
INSERT INTO every (id) VALUES (11);
