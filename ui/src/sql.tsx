// SQL on the warehouse: an editor, the result as a grid or a chart, what was asked before, export.

import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { postJson, Problem } from './api';
import { TimeChart } from './chart';
import type { Editor } from './editor';
import { cell, count, csv, milliseconds, numberOf, short } from './format';
import { ResultGrid } from './grid';
import { download, Note, Panel } from './parts';
import type { Route } from './route';
import type { QueryResult } from './types';

const rememberedKey = 'millrace.queries';
const remembered = 30;

function recall(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(rememberedKey) ?? '[]');
    return Array.isArray(stored) ? stored.filter((one): one is string => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

function remember(sql: string): string[] {
  const all = [sql, ...recall().filter((one) => one !== sql)].slice(0, remembered);
  localStorage.setItem(rememberedKey, JSON.stringify(all));
  return all;
}

/** {schema: {table: [columns]}} for the editor's completion. */
async function loadNames(): Promise<Record<string, Record<string, string[]>>> {
  const result = await postJson<QueryResult>('/api/v1/query', {
    sql: 'SELECT table_schema, table_name, column_name FROM information_schema.columns ORDER BY ALL',
  });
  const names: Record<string, Record<string, string[]>> = {};
  for (const [schema, table, column] of result.rows) {
    const tables = (names[cell(schema)] ??= {});
    (tables[cell(table)] ??= []).push(cell(column));
  }
  return names;
}

/** The lines of a chart: a first column of times, and the numeric ones after it; null: no chart of that. */
export function chartOf(result: QueryResult): { at: number[]; lines: { label: string; values: (number | null)[] }[] } | null {
  const first = result.columns[0];
  if (first === undefined || !/^(DATE|TIMESTAMP)/i.test(first.type) || result.rows.length < 2) return null;
  const rows = result.rows
    .map((row) => ({ at: Date.parse(cell(row[0])), row }))
    .filter((one) => !Number.isNaN(one.at))
    .sort((a, b) => a.at - b.at);
  const lines = result.columns
    .map((column, i) => ({ label: column.name, i, numeric: /^(DECIMAL|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT)/i.test(column.type) }))
    .filter((column) => column.i > 0 && column.numeric)
    .slice(0, 4)
    .map(({ label, i }) => ({ label, values: rows.map(({ row }) => numberOf(row[i])) }));
  return lines.length === 0 ? null : { at: rows.map((one) => one.at), lines };
}

function Result({ result }: { result: QueryResult }): JSX.Element {
  const [asChart, setAsChart] = useState(false);
  const names = result.columns.map((column) => column.name);
  const chart = chartOf(result);
  return (
    <Panel
      title={`${count(result.rows.length)} rows in ${milliseconds(result.elapsed_ms)}`}
      aside={
        <span class="tools">
          {chart !== null && (
            <button type="button" aria-pressed={asChart} onClick={() => { setAsChart(!asChart); }}>
              Chart
            </button>
          )}
          <button type="button" onClick={() => { download('result.csv', 'text/csv', csv(names, result.rows)); }}>
            CSV
          </button>
          <button type="button" onClick={() => { download('result.json', 'application/json', JSON.stringify(result)); }}>
            JSON
          </button>
        </span>
      }
    >
      {result.truncated === true && <Note tone="warn">There are more rows; these are the first.</Note>}
      {asChart && chart !== null ? (
        <TimeChart at={chart.at} lines={chart.lines} format={short} height={320} summary={`Chart of ${names.join(', ')}`} />
      ) : (
        <ResultGrid columns={names} rows={result.rows} label="Result" />
      )}
    </Panel>
  );
}

/** Fills `editor` once it is loaded; what it is made with at first stays: it is not made anew. */
function useEditor(editor: { current: Editor | null }, start: string, run: () => void): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    let closed = false;
    void import('./editor').then(({ openEditor }) => {
      if (closed || place.current === null) return;
      editor.current = openEditor(place.current, start, () => {
        latest.current();
      });
      loadNames().then((names) => editor.current?.complete(names), () => undefined);
    });
    return () => {
      closed = true;
      editor.current?.close();
      editor.current = null;
    };
  }, [editor, start]);
  return <div class="editor" ref={place} />;
}

export function Sql({ route }: { route: Route }): JSX.Element {
  const [start] = useState(() => route.query.get('q') ?? recall()[0] ?? '');
  const [result, setResult] = useState<QueryResult | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [running, setRunning] = useState(false);
  const [before, setBefore] = useState(recall);
  const editor = useRef<Editor | null>(null);

  const run = useCallback((explain: boolean): void => {
    const text = editor.current?.text().trim() ?? '';
    if (text === '') return;
    setRunning(true);
    setBefore(remember(text));
    postJson<QueryResult>('/api/v1/query', { sql: explain ? `EXPLAIN ${text}` : text })
      .then(
        (answer) => {
          setResult(answer);
          setProblem(null);
        },
        (error: unknown) => {
          setProblem(error instanceof Problem ? error.message : String(error));
        },
      )
      .finally(() => {
        setRunning(false);
      });
  }, []);
  const field = useEditor(editor, start, () => { run(false); });

  return (
    <>
      <h1>SQL</h1>
      <Panel
        title="Query"
        aside={
          <span class="tools">
            <button type="button" class="main" disabled={running} onClick={() => { run(false); }}>
              {running ? 'Running …' : 'Run'}
            </button>
            <button type="button" disabled={running} onClick={() => { run(true); }}>
              Explain
            </button>
            {before.length > 0 && (
              <select
                aria-label="Earlier queries"
                value=""
                onChange={(event) => {
                  editor.current?.set(event.currentTarget.value);
                }}
              >
                <option value="">Earlier queries</option>
                {before.map((text) => (
                  <option key={text} value={text}>
                    {text.slice(0, 80)}
                  </option>
                ))}
              </select>
            )}
          </span>
        }
      >
        {field}
        <p class="quiet">Ctrl+Enter runs it. One statement that reads the warehouse; rows, time and memory are limited.</p>
      </Panel>
      {problem !== null && <Note tone="bad">{problem}</Note>}
      {result !== null && <Result key={result.elapsed_ms} result={result} />}
    </>
  );
}
