// A result as a grid that holds 100,000 rows: only the rows in view are in the page.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { cell } from './format';
import type { Cell } from './types';

const rowPx = 26;
const spare = 12;
const sampled = 200;
const charPx = 7.4;

/** Column widths in pixels, by the heading and the first rows. */
export function widths(columns: string[], rows: Cell[][]): number[] {
  return columns.map((name, i) => {
    let longest = name.length + 2;
    for (const row of rows.slice(0, sampled)) longest = Math.max(longest, cell(row[i]).length);
    return Math.round(Math.min(Math.max(longest, 4), 60) * charPx + 20);
  });
}

export function ResultGrid({ columns, rows, label }: { columns: string[]; rows: Cell[][]; label: string }): JSX.Element {
  const view = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(400);
  const template = widths(columns, rows).map((px) => `minmax(${px}px, auto)`).join(' ');
  const from = Math.max(Math.floor(top / rowPx) - spare, 0);
  const to = Math.min(from + Math.ceil(height / rowPx) + 2 * spare, rows.length);

  useEffect(() => {
    const element = view.current;
    if (element === null) return;
    const watch = new ResizeObserver(() => {
      setHeight(element.clientHeight);
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
    };
  }, []);

  return (
    <div
      class="grid"
      ref={view}
      tabIndex={0}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      onScroll={(event) => {
        setTop(event.currentTarget.scrollTop);
      }}
    >
      <div class="grid-row grid-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        {columns.map((name, i) => (
          <span role="columnheader" key={i}>
            {name}
          </span>
        ))}
      </div>
      <div role="rowgroup" style={{ height: `${rows.length * rowPx}px`, position: 'relative' }}>
        <div role="presentation" style={{ transform: `translateY(${from * rowPx}px)` }}>
          {rows.slice(from, to).map((row, i) => (
            <div class="grid-row" role="row" key={from + i} aria-rowindex={from + i + 2} style={{ gridTemplateColumns: template }}>
              {columns.map((_, c) => (
                <span role="cell" key={c} class={typeof row[c] === 'number' ? 'number' : row[c] === null ? 'null' : ''}>
                  {row[c] === null ? 'null' : cell(row[c])}
                </span>
              ))}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
