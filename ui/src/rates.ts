// From counters to rates. A counter that went down belongs to a new process: no rate is known there.

export function perSecond(counts: number[], atMs: number[]): (number | null)[] {
  return counts.map((value, i) => {
    const before = counts[i - 1];
    const then = atMs[i - 1];
    const now = atMs[i];
    if (before === undefined || then === undefined || now === undefined || now <= then || value < before) return null;
    return ((value - before) * 1000) / (now - then);
  });
}

interface Reading {
  atMs: number;
  value: number;
}

/** A rate over the last few readings of one counter, so that it does not flicker. */
export class Meter {
  private readings: Reading[] = [];

  constructor(private readonly windowMs: number = 5000) {}

  read(value: number, atMs: number): number | null {
    const last = this.readings.at(-1);
    if (last !== undefined && value < last.value) this.readings = [];
    this.readings.push({ atMs, value });
    while (this.readings.length > 2 && atMs - (this.readings[1]?.atMs ?? atMs) >= this.windowMs) this.readings.shift();
    const first = this.readings[0];
    if (first === undefined || first.atMs >= atMs) return null;
    return ((value - first.value) * 1000) / (atMs - first.atMs);
  }
}
