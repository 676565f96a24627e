// One poll of the status serves every page: it stops while nobody looks and backs off while the
// console is away.

import { useEffect, useState } from 'preact/hooks';
import { getJson, Problem } from './api';
import { Meter } from './rates';
import type { History, Status } from './types';

const pollMs = 1000;
const awayMsMax = 10_000;

export interface Seen {
  status: Status | null;
  problem: Problem | null;
  /** Rates a second by "source/NAME/rows", "source/NAME/bytes", "sink/NAME/rows", "sink/NAME/commits". */
  rates: Map<string, number | null>;
}

let seen: Seen = { status: null, problem: null, rates: new Map() };
const listeners = new Set<(seen: Seen) => void>();
const meters = new Map<string, Meter>();
let timer: ReturnType<typeof setTimeout> | undefined;
let failures = 0;

function read(rates: Map<string, number | null>, key: string, value: number, atMs: number): void {
  let meter = meters.get(key);
  if (meter === undefined) {
    meter = new Meter();
    meters.set(key, meter);
  }
  rates.set(key, meter.read(value, atMs));
}

function ratesOf(status: Status, atMs: number): Map<string, number | null> {
  const rates = new Map<string, number | null>();
  for (const source of status.sources) {
    read(rates, `source/${source.name}/rows`, source.rows_total, atMs);
    read(rates, `source/${source.name}/bytes`, source.stream.written_bytes, atMs);
  }
  for (const sink of status.sinks) {
    read(rates, `sink/${sink.name}/rows`, sink.rows_total, atMs);
    read(rates, `sink/${sink.name}/commits`, sink.commits_total, atMs);
  }
  return rates;
}

async function poll(): Promise<void> {
  try {
    const status = await getJson<Status>('/api/v1/status');
    failures = 0;
    seen = { status, problem: null, rates: ratesOf(status, performance.now()) };
  } catch (error) {
    failures++;
    seen = { ...seen, problem: error instanceof Problem ? error : new Problem(0, String(error)) };
  }
  for (const listener of listeners) listener(seen);
  schedule();
}

function schedule(): void {
  clearTimeout(timer);
  if (listeners.size === 0 || document.hidden) return;
  timer = setTimeout(() => void poll(), Math.min(pollMs * 2 ** failures, awayMsMax));
}

document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  if (!document.hidden && listeners.size > 0) void poll();
});

/** Asks at once, for instance after the token was given. */
export function pollNow(): void {
  failures = 0;
  clearTimeout(timer);
  void poll();
}

export function useSeen(): Seen {
  const [value, setValue] = useState(seen);
  useEffect(() => {
    listeners.add(setValue);
    if (listeners.size === 1) void poll();
    return () => {
      listeners.delete(setValue);
      if (listeners.size === 0) clearTimeout(timer);
    };
  }, []);
  return value;
}

/** The last hour, asked again now and then. */
export function useHistory(): History | null {
  const [history, setHistory] = useState<History | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    const load = (): void => {
      if (document.hidden) return;
      getJson<History>('/api/v1/history', stop.signal).then(setHistory, () => undefined);
    };
    load();
    const every = setInterval(load, 5000);
    return () => {
      stop.abort();
      clearInterval(every);
    };
  }, []);
  return history;
}
