// What each type of a dashboard's panel makes of its statement's result (docs/DASHBOARDS.md).

import type { JSX } from 'preact';
import { TimeChart } from './chart';
import { cell, moment, numberOf, short } from './format';
import { DataTable, Note } from './parts';
import type { Cell, DashboardPanel, QueryResult } from './types';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

function amount(value: Cell | undefined, unit: string | null): string {
  const number = numberOf(value);
  return number === null ? '–' : `${grouped.format(number)}${unit === null ? '' : ` ${unit}`}`;
}

function NumberPanel({ result, unit }: { result: QueryResult; unit: string | null }): JSX.Element {
  const now = result.rows[0]?.[0];
  const then = numberOf(result.rows[0]?.[1]);
  const difference = then === null ? null : (numberOf(now) ?? 0) - then;
  return (
    <>
      <p class="big">{amount(now, unit)}</p>
      {difference !== null && (
        <p class="quiet">
          {difference > 0 ? '▲' : difference < 0 ? '▼' : '='} {amount(Math.abs(difference), unit)} against {amount(then, unit)}{' '}
          {(result.columns[1]?.name ?? '').replaceAll('_', ' ')}
        </p>
      )}
    </>
  );
}

function LinePanel({ result, title }: { result: QueryResult; title: string }): JSX.Element {
  const at = result.rows.map((row) => Date.parse(cell(row[0])));
  const lines = result.columns.slice(1).map((column, i) => ({
    label: column.name,
    values: result.rows.map((row) => numberOf(row[i + 1])),
  }));
  return <TimeChart at={at} lines={lines} format={short} summary={title} height={220} />;
}

function BarPanel({ result, unit }: { result: QueryResult; unit: string | null }): JSX.Element {
  const top = Math.max(...result.rows.map((row) => numberOf(row[1]) ?? 0), 1e-9);
  return (
    <dl class="bars">
      {result.rows.map((row) => (
        <div key={cell(row[0])}>
          <dt>{cell(row[0])}</dt>
          <dd>
            <span class="track">
              <span class="bar" style={{ width: `${(100 * Math.max(numberOf(row[1]) ?? 0, 0)) / top}%` }} />
            </span>
            <span>{amount(row[1], unit)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

export interface Stack {
  label: string;
  parts: number[];
  total: number;
}

/** Rows of (label, part, number) as one stack a label, its parts in the order of `names`. */
export function stacks(rows: Cell[][]): { names: string[]; stacks: Stack[] } {
  const names = [...new Set(rows.map((row) => cell(row[1])))];
  const byLabel = new Map<string, number[]>();
  for (const row of rows) {
    let parts = byLabel.get(cell(row[0]));
    if (parts === undefined) {
      parts = names.map(() => 0);
      byLabel.set(cell(row[0]), parts);
    }
    const part = names.indexOf(cell(row[1]));
    parts[part] = (parts[part] ?? 0) + (numberOf(row[2]) ?? 0);
  }
  return {
    names,
    stacks: [...byLabel].map(([label, parts]) => ({ label, parts, total: parts.reduce((sum, part) => sum + part, 0) })),
  };
}

function StackedPanel({ result, unit }: { result: QueryResult; unit: string | null }): JSX.Element {
  const { names, stacks: all } = stacks(result.rows);
  const top = Math.max(...all.map((stack) => stack.total), 1e-9);
  return (
    <>
      <div class="stacks" role="img" aria-label={`${names.join(', ')}; at most ${amount(top, unit)}`}>
        {all.map((stack) => (
          <div key={stack.label} title={`${stack.label}: ${amount(stack.total, unit)}`}>
            {stack.parts.map((part, i) => (
              <span key={names[i]} class={`part part-${i % 6}`} style={{ height: `${(160 * part) / top}px` }} />
            ))}
          </div>
        ))}
      </div>
      <p class="quiet ends">
        <span>{all[0]?.label.slice(0, 10)}</span>
        <span>at most {amount(top, unit)}</span>
        <span>{all.at(-1)?.label.slice(0, 10)}</span>
      </p>
      <p class="legend">
        {names.map((name, i) => (
          <span key={name}>
            <span class={`key part-${i % 6}`} /> {name}
          </span>
        ))}
      </p>
    </>
  );
}

function HeatPanel({ result }: { result: QueryResult }): JSX.Element {
  const columns = [...new Set(result.rows.map((row) => cell(row[0])))].sort();
  const rows = [...new Set(result.rows.map((row) => cell(row[1])))].sort();
  const values = new Map(result.rows.map((row) => [`${cell(row[0])}\n${cell(row[1])}`, numberOf(row[2]) ?? 0]));
  const top = Math.max(...values.values(), 1e-9);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Heat map">
      <table class="heat">
        <thead>
          <tr>
            <td />
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row}>
              <th scope="row">{row}</th>
              {columns.map((column) => {
                const value = values.get(`${column}\n${row}`) ?? 0;
                return (
                  <td key={column} title={`${row}, ${column}: ${grouped.format(value)}`}>
                    <span class="heat-cell" style={{ opacity: value / top }} />
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Rows in the order of a map that is read as a page: bands from north to south, in each from west to east. */
export function mapOrder(rows: Cell[][], perBand: number): Cell[][] {
  const southward = [...rows].sort((a, b) => (numberOf(b[0]) ?? 0) - (numberOf(a[0]) ?? 0));
  const bands: Cell[][] = [];
  for (let at = 0; at < southward.length; at += perBand) {
    bands.push(...southward.slice(at, at + perBand).sort((a, b) => (numberOf(a[1]) ?? 0) - (numberOf(b[1]) ?? 0)));
  }
  return bands;
}

function MapPanel({ result, unit }: { result: QueryResult; unit: string | null }): JSX.Element {
  const names = result.columns.map((column) => column.name);
  return (
    <ul class="map">
      {mapOrder(result.rows, 4).map((row) => {
        const full = numberOf(row[4]);
        const value = numberOf(row[3]) ?? 0;
        const share = full === null || full <= 0 ? null : value / full;
        return (
          <li key={cell(row[2])}>
            <strong>{cell(row[2])}</strong>
            <span>
              {amount(value, unit)} {full === null ? names[3] : `of ${grouped.format(full)}`}
            </span>
            {share !== null && <progress max={1} value={Math.min(share, 1)} aria-label={`${cell(row[2])}: ${Math.round(share * 100)} % full`} />}
          </li>
        );
      })}
    </ul>
  );
}

function TablePanel({ result, title }: { result: QueryResult; title: string }): JSX.Element {
  return (
    <DataTable
      label={title}
      rows={result.rows.map((row, i) => ({ row, i }))}
      id={({ row, i }) => `${cell(row[0])}/${i}`}
      empty="No rows."
      columns={result.columns.map((column, c) => ({
        name: column.name.replaceAll('_', ' '),
        numeric: /^(DECIMAL|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT)/i.test(column.type),
        show: ({ row }: { row: Cell[] }) => (column.type.startsWith('TIMESTAMP') ? moment(row[c] === null ? null : cell(row[c])) : cell(row[c])),
      }))}
    />
  );
}

export function PanelBody({ panel }: { panel: DashboardPanel }): JSX.Element {
  const { result, unit, title } = panel;
  if (result === undefined) return <Note tone="bad">{panel.problem ?? 'No answer.'}</Note>;
  if (result.rows.length === 0) return <Note>Nothing yet.</Note>;
  switch (panel.type) {
    case 'number':
      return <NumberPanel result={result} unit={unit} />;
    case 'line':
      return <LinePanel result={result} title={title} />;
    case 'bar':
      return <BarPanel result={result} unit={unit} />;
    case 'stacked':
      return <StackedPanel result={result} unit={unit} />;
    case 'heat':
      return <HeatPanel result={result} />;
    case 'map':
      return <MapPanel result={result} unit={unit} />;
    case 'table':
      return <TablePanel result={result} title={title} />;
  }
}
