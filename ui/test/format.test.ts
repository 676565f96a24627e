import { describe, expect, it } from 'vitest';
import { ago, bytes, csv, duration, milliseconds, short } from '../src/format';

describe('numbers for people', () => {
  it.each([
    [null, '–'],
    [0, '0'],
    [0.25, '0.3'],
    [9_999, '9,999'],
    [12_345, '12.3k'],
    [4_560_000, '4.56M'],
  ])('short(%s) is %s', (value, text) => {
    expect(short(value)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [256 * 1024 * 1024, '256 MiB'],
  ])('bytes(%s) is %s', (value, text) => {
    expect(bytes(value)).toBe(text);
  });

  it.each([
    [0, '0 s'],
    [65, '1 min 5 s'],
    [3600, '1 h'],
    [90_000, '1 d 1 h'],
  ])('duration(%s) is %s', (value, text) => {
    expect(duration(value)).toBe(text);
  });

  it('says what is unknown as a dash, and what is caught up as 0 ms', () => {
    expect(milliseconds(null)).toBe('–');
    expect(milliseconds(0)).toBe('0 ms');
  });

  it('says how long ago', () => {
    const now = Date.parse('2026-01-01T00:01:00Z');
    expect(ago('2026-01-01T00:00:59.5Z', now)).toBe('just now');
    expect(ago('2026-01-01T00:00:00Z', now)).toBe('1 min ago');
  });
});

describe('csv', () => {
  it('quotes what needs it and leaves null empty', () => {
    expect(csv(['a', 'b'], [['x,"y"', null], [1, 'line\nbreak']])).toBe('a,b\r\n"x,""y""",\r\n1,"line\nbreak"\r\n');
  });
});
