// Stream: topics; the records of one, page by page or as they come.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { getJson, Problem } from './api';
import { cell, count, csv, moment } from './format';
import { DataTable, download, Note, Panel } from './parts';
import { link, type Route } from './route';
import { follow } from './tail';
import type { Cell, RecordPage, Row, StreamRecord, Topic } from './types';

const keptMax = 1000;
const drawMs = 200;

function Topics(): JSX.Element {
  const [topics, setTopics] = useState<Topic[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    getJson<{ topics: Topic[] }>('/api/v1/topics', stop.signal).then(
      (answer) => { setTopics(answer.topics); },
      (error: unknown) => { if (error instanceof Problem) setProblem(error.message); },
    );
    return () => { stop.abort(); };
  }, []);
  if (problem !== null) return <Note tone="bad">{problem}</Note>;
  return (
    <Panel title="Topics" aside={<a href={link('stream', ['*'], { from: 'tail' })}>Follow all</a>}>
      <DataTable
        label="Topics"
        rows={topics ?? []}
        id={(topic) => topic.name}
        empty={topics === null ? 'Loading …' : 'No table has been captured yet.'}
        columns={[
          { name: 'Topic', show: (topic) => <a href={link('stream', [topic.name])}>{topic.name}</a>, by: (topic) => topic.name },
          { name: 'First transaction kept', show: (topic) => topic.first ?? '–' },
          { name: 'Last transaction', show: (topic) => topic.last ?? '–' },
          { name: 'Follow', show: (topic) => <a href={link('stream', [topic.name], { from: 'tail' })}>tail</a> },
        ]}
      />
    </Panel>
  );
}

/** The columns whose value differs between the two images of an update. */
export function changedColumns(record: StreamRecord): Set<string> {
  const { before, after } = record;
  if (before === null || after === null || record.op !== 'update') return new Set();
  return new Set(Object.keys(after).filter((name) => name in before && cell(before[name]) !== cell(after[name])));
}

function Image({ row, changed }: { row: Row | null; changed: Set<string> }): JSX.Element {
  if (row === null) return <span class="quiet">–</span>;
  return (
    <span class="image">
      {Object.entries(row).map(([name, value]) => (
        <span key={name} class={changed.has(name) ? 'changed' : ''}>
          <span class="quiet">{name}</span> {value === null ? <em>null</em> : cell(value).slice(0, 200)}
        </span>
      ))}
    </span>
  );
}

function Records({ records, empty }: { records: StreamRecord[]; empty: string }): JSX.Element {
  return (
    <DataTable
      label="Records"
      rows={records}
      id={(record) => `${record.topic ?? ''}/${record.place ?? ''}/${record.op}`}
      empty={empty}
      columns={[
        { name: 'Place', show: (record) => <code>{record.place ?? '–'}</code> },
        { name: 'Committed', show: (record) => moment(record.committed_at) },
        { name: 'Operation', show: (record) => <span class={`op ${record.op}`}>{record.op.replace('_', ' ')}</span> },
        { name: 'Topic', show: (record) => record.topic ?? '–' },
        { name: 'Before', show: (record) => <Image row={record.before} changed={changedColumns(record)} /> },
        {
          name: 'After',
          show: (record) => (record.text === undefined ? <Image row={record.after} changed={changedColumns(record)} /> : `${record.name ?? ''} ${record.text}`),
        },
      ]}
    />
  );
}

function asCsv(records: StreamRecord[]): string {
  const names = [...new Set(records.flatMap((record) => Object.keys(record.after ?? record.before ?? {})))];
  const rows: Cell[][] = records.map((record) => {
    const image = record.after ?? record.before ?? {};
    return [record.place, record.committed_at, record.op, ...names.map((name) => image[name] ?? null)];
  });
  return csv(['place', 'committed_at', 'op', ...names], rows);
}

function Export({ topic, records }: { topic: string; records: StreamRecord[] }): JSX.Element {
  return (
    <>
      <button type="button" onClick={() => { download(`${topic}.csv`, 'text/csv', asCsv(records)); }}>
        CSV
      </button>
      <button
        type="button"
        onClick={() => { download(`${topic}.jsonl`, 'application/jsonl', records.map((one) => JSON.stringify(one) + '\n').join('')); }}
      >
        JSONL
      </button>
    </>
  );
}

function Pages({ topic, from }: { topic: string; from: string }): JSX.Element {
  const [page, setPage] = useState<RecordPage | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    setPage(null);
    setProblem(null);
    getJson<RecordPage>(`/api/v1/topics/${encodeURIComponent(topic)}/records?from=${encodeURIComponent(from)}&limit=100`, stop.signal).then(
      setPage,
      (error: unknown) => { if (error instanceof Problem) setProblem(error.message); },
    );
    return () => { stop.abort(); };
  }, [topic, from]);
  return (
    <Panel
      title={page === null ? 'Records' : `${count(page.records.length)} records`}
      aside={
        <span class="tools">
          <form
            onSubmit={(event) => {
              event.preventDefault();
              const place = new FormData(event.currentTarget).get('place');
              location.hash = link('stream', [topic], { from: typeof place === 'string' && place !== '' ? place : 'earliest' });
            }}
          >
            <input name="place" aria-label="Go to a place: a transaction's number, or number-index" placeholder="Place, as 1234-5" pattern="\d+(-\d+)?|earliest|latest" />
          </form>
          <a href={link('stream', [topic], { from: 'tail' })}>Follow</a>
          {page !== null && <a href={link('stream', [topic], { from: page.next })}>Next page</a>}
          {page !== null && <Export topic={topic} records={page.records} />}
        </span>
      }
    >
      {problem !== null ? <Note tone="bad">{problem}</Note> : <Records records={page?.records ?? []} empty={page === null ? 'Loading …' : 'No records from here on, on this page.'} />}
    </Panel>
  );
}

/** Gathers what comes and draws it a few times a second, however fast it comes. */
function useTail(topic: string, paused: boolean): { records: StreamRecord[]; seen: number; problem: string | null } {
  const [drawn, setDrawn] = useState<{ records: StreamRecord[]; seen: number }>({ records: [], seen: 0 });
  const [problem, setProblem] = useState<string | null>(null);
  const gathered = useRef<{ records: StreamRecord[]; seen: number }>({ records: [], seen: 0 });
  const isPaused = useRef(paused);
  isPaused.current = paused;
  useEffect(() => {
    const stop = new AbortController();
    gathered.current = { records: [], seen: 0 };
    const draw = setInterval(() => {
      if (!isPaused.current) setDrawn({ records: gathered.current.records.slice(-keptMax).reverse(), seen: gathered.current.seen });
    }, drawMs);
    const take = (record: StreamRecord): void => {
      const kept = gathered.current;
      kept.seen++;
      kept.records.push(record);
      if (kept.records.length > 2 * keptMax) kept.records.splice(0, keptMax);
    };
    follow(topic, 'latest', take, stop.signal).catch((error: unknown) => {
      if (error instanceof Problem) setProblem(error.message);
    });
    return () => {
      clearInterval(draw);
      stop.abort();
    };
  }, [topic]);
  return { ...drawn, problem };
}

function Tail({ topic }: { topic: string }): JSX.Element {
  const [paused, setPaused] = useState(false);
  const { records, seen, problem } = useTail(topic, paused);
  return (
    <Panel
      title={`${count(seen)} records since it was opened`}
      aside={
        <span class="tools">
          <button type="button" aria-pressed={paused} onClick={() => { setPaused(!paused); }}>
            {paused ? 'Go on' : 'Pause'}
          </button>
          <Export topic={topic === '*' ? 'all' : topic} records={records} />
        </span>
      }
    >
      {problem !== null && <Note tone="bad">{problem}</Note>}
      <Records records={records.slice(0, 200)} empty="Waiting for a change …" />
    </Panel>
  );
}

export function Stream({ route }: { route: Route }): JSX.Element {
  const topic = route.rest[0];
  const from = route.query.get('from') ?? 'earliest';
  if (topic === undefined) {
    return (
      <>
        <h1>Stream</h1>
        <Topics />
      </>
    );
  }
  return (
    <>
      <h1>
        <a href={link('stream')}>Stream</a> / {topic === '*' ? 'all topics' : topic}
      </h1>
      {from === 'tail' ? <Tail topic={topic} /> : <Pages topic={topic} from={from} />}
    </>
  );
}
