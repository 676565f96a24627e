// Numbers, sizes and times for people. Everything that is unknown is a dash.

import type { Cell } from './types';

const dash = '–';
const grouped = new Intl.NumberFormat('en-US');
const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? dash : grouped.format(value);
}

/** 12, 1,234, 12.3k, 4.56M: at most four figures. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return dash;
  if (value < 10 && value !== Math.round(value)) return value.toFixed(1);
  if (value < 10_000) return grouped.format(Math.round(value));
  const units = ['k', 'M', 'G', 'T'];
  let scaled = value;
  let unit = '';
  for (const next of units) {
    if (scaled < 1000) break;
    scaled /= 1000;
    unit = next;
  }
  return `${scaled.toPrecision(3)}${unit}`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return dash;
  let scaled = value;
  let step = 0;
  while (scaled >= 1024 && step < steps.length - 1) {
    scaled /= 1024;
    step++;
  }
  const digits = step === 0 || scaled >= 100 ? 0 : 1;
  return `${scaled.toFixed(digits)} ${steps[step] ?? ''}`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return dash;
  if (value < 10 && value !== Math.round(value)) return `${value.toFixed(1)} ms`;
  if (value < 10_000) return `${grouped.format(Math.round(value))} ms`;
  return duration(value / 1000);
}

/** Seconds as "42 s", "3 min 5 s", "2 h 10 min", "4 d 1 h". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return dash;
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

/** A moment as the local time of day, with the date when it is not today's. */
export function moment(iso: string | null | undefined, now: Date = new Date()): string {
  if (iso === null || iso === undefined) return dash;
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const time = at.toLocaleTimeString('en-GB');
  return at.toDateString() === now.toDateString() ? time : `${at.toLocaleDateString('en-CA')} ${time}`;
}

/** How long ago: "just now", "12 s ago". */
export function ago(iso: string | null | undefined, now: number = Date.now()): string {
  if (iso === null || iso === undefined) return dash;
  const seconds = (now - new Date(iso).getTime()) / 1000;
  return seconds < 2 ? 'just now' : `${duration(seconds)} ago`;
}

/** A cell as a number, decimals in texts included; null for anything else. */
export function numberOf(value: Cell | undefined): number | null {
  if (value === null || value === undefined || typeof value === 'object') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** A cell of a result or a record as one line of text. */
export function cell(value: Cell | undefined): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function csvField(value: Cell | undefined): string {
  const text = cell(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180, with a heading. */
export function csv(columns: string[], rows: Cell[][]): string {
  return [columns, ...rows].map((row) => row.map(csvField).join(',')).join('\r\n') + '\r\n';
}
