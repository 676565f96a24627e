// Tables: is it captured, is its copy complete, what changed and when.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ago, count } from './format';
import { Bar, DataTable, Panel, State } from './parts';
import { link } from './route';
import { useSeen } from './store';
import type { TableStatus } from './types';

interface TableRow {
  name: string;
  target: string;
  table: TableStatus;
}

function Copy({ table }: { table: TableStatus }): JSX.Element {
  const { state, rows, rows_estimate: estimate } = table.snapshot;
  return (
    <>
      <State state={state} />
      {state === 'copying' && estimate > 0 && <Bar part={rows} whole={estimate} label={`Copy of ${table.name}`} />}
    </>
  );
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Where a table's rows are in the warehouse: table "parking.payment" of "ops" is ops_parking.payment. */
export function targetOf(source: string, table: string): string {
  const at = table.indexOf('.');
  return `${quoted(`${source}_${table.slice(0, at)}`)}.${quoted(table.slice(at + 1))}`;
}

export function Tables(): JSX.Element {
  const { status } = useSeen();
  const [filter, setFilter] = useState('');
  const all: TableRow[] =
    status?.sources.flatMap((source) =>
      source.tables.map((table) => ({ name: `${source.name}.${table.name}`, target: targetOf(source.name, table.name), table })),
    ) ?? [];
  const shown = all.filter((row) => row.name.includes(filter.trim()));
  return (
    <>
      <h1>Tables</h1>
      <Panel
        title={`${count(shown.length)} of ${count(all.length)}`}
        aside={
          <input
            type="search"
            aria-label="Filter by name"
            placeholder="Filter by name"
            value={filter}
            onInput={(event) => {
              setFilter(event.currentTarget.value);
            }}
          />
        }
      >
        <DataTable
          label="Tables"
          rows={shown}
          id={(row) => row.name}
          empty={all.length === 0 ? 'No table has been captured yet.' : 'No table has that in its name.'}
          columns={[
            { name: 'Table', show: (row) => <a href={link('stream', [row.name])}>{row.name}</a>, by: (row) => row.name },
            {
              name: 'Captured',
              show: (row) => (row.table.captured ? 'yes' : (row.table.reason ?? 'no')),
              by: (row) => Number(row.table.captured),
            },
            { name: 'Copy', show: (row) => <Copy table={row.table} />, by: (row) => row.table.snapshot.state },
            { name: 'Copied', numeric: true, show: (row) => count(row.table.rows_copied), by: (row) => row.table.rows_copied },
            { name: 'Inserts', numeric: true, show: (row) => count(row.table.inserts), by: (row) => row.table.inserts },
            { name: 'Updates', numeric: true, show: (row) => count(row.table.updates), by: (row) => row.table.updates },
            { name: 'Deletes', numeric: true, show: (row) => count(row.table.deletes), by: (row) => row.table.deletes },
            { name: 'Last change', show: (row) => ago(row.table.last_change), by: (row) => row.table.last_change ?? '' },
            {
              name: 'In the warehouse',
              show: (row) => <a href={link('sql', [], { q: `SELECT * FROM ${row.target} LIMIT 100` })}>{row.target}</a>,
              by: (row) => row.target,
            },
          ]}
        />
      </Panel>
    </>
  );
}
