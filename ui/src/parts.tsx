// The small pieces that all pages are made of.

import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';

type Tone = 'good' | 'warn' | 'bad' | 'calm';

const tones: Record<string, Tone> = {
  streaming: 'good',
  running: 'good',
  finished: 'good',
  ready: 'good',
  copying: 'warn',
  connecting: 'warn',
  draining: 'warn',
  paused: 'warn',
  backoff: 'warn',
  stopped: 'bad',
  failed: 'bad',
  quarantined: 'bad',
  gap: 'bad',
};

/** A state in words, with a colour that only repeats what the word says. */
export function State({ state }: { state: string }): JSX.Element {
  return <span class={`state ${tones[state] ?? 'calm'}`}>{state.replaceAll('_', ' ')}</span>;
}

export function Panel(props: { title: string; aside?: ComponentChildren; children: ComponentChildren }): JSX.Element {
  return (
    <section class="panel">
      <header>
        <h2>{props.title}</h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

export function Facts({ facts }: { facts: [string, ComponentChildren][] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Note({ tone = 'calm', children }: { tone?: Tone; children: ComponentChildren }): JSX.Element {
  return (
    <p class={`note ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {children}
    </p>
  );
}

export function Bar({ part, whole, label }: { part: number; whole: number; label: string }): JSX.Element {
  return <progress max={whole > 0 ? whole : 1} value={Math.min(part, whole > 0 ? whole : 1)} aria-label={label} />;
}

export interface Column<T> {
  name: string;
  /** What is shown, and what rows are sorted by unless `by` says otherwise. */
  show: (row: T) => ComponentChildren;
  by?: (row: T) => string | number;
  numeric?: boolean;
}

/** A table whose headings sort it. */
export function DataTable<T>(props: {
  label: string;
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string;
  empty: string;
}): JSX.Element {
  const [order, setOrder] = useState<{ column: number; down: boolean } | null>(null);
  const by = order === null ? undefined : props.columns[order.column]?.by;
  const rows = by === undefined ? props.rows : [...props.rows].sort((a, b) => compare(by(a), by(b)) * (order?.down === true ? -1 : 1));

  if (props.rows.length === 0) return <Note>{props.empty}</Note>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.label}>
      <table>
        <thead>
          <tr>
            {props.columns.map((column, i) => (
              <th key={column.name} class={column.numeric === true ? 'number' : ''} aria-sort={sortOf(order, i)}>
                {column.by === undefined ? (
                  column.name
                ) : (
                  <button
                    type="button"
                    onClick={() => {
                      setOrder({ column: i, down: order?.column === i ? !order.down : column.numeric === true });
                    }}
                  >
                    {column.name}
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={props.id(row)}>
              {props.columns.map((column) => (
                <td key={column.name} class={column.numeric === true ? 'number' : ''}>
                  {column.show(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en');
}

function sortOf(order: { column: number; down: boolean } | null, column: number): 'none' | 'ascending' | 'descending' {
  if (order?.column !== column) return 'none';
  return order.down ? 'descending' : 'ascending';
}

/** Saves text as a file of the browser's. */
export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 10_000);
}
