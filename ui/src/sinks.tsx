// Sinks: commits, how long they take, how soon a change can be queried.

import type { JSX } from 'preact';
import { TimeChart } from './chart';
import { bytes, count, milliseconds, short } from './format';
import { DataTable, Facts, Note, Panel, State } from './parts';
import { perSecond } from './rates';
import { useHistory, useSeen } from './store';
import type { History, SinkStatus } from './types';

function Latency({ sink }: { sink: SinkStatus }): JSX.Element {
  const { p50, p95, p99, p99_9: p999, count: measured } = sink.commit_to_visible_ms;
  return (
    <DataTable
      label="From the source's commit to the target's"
      rows={[{ p50, p95, p99, p999, measured }]}
      id={() => 'latency'}
      empty=""
      columns={[
        { name: 'Commit to visible', show: () => `${count(measured)} transactions` },
        { name: 'p50', numeric: true, show: (row) => milliseconds(row.p50) },
        { name: 'p95', numeric: true, show: (row) => milliseconds(row.p95) },
        { name: 'p99', numeric: true, show: (row) => milliseconds(row.p99) },
        { name: 'p99.9', numeric: true, show: (row) => milliseconds(row.p999) },
      ]}
    />
  );
}

function Past({ sink, history }: { sink: SinkStatus; history: History }): JSX.Element | null {
  const past = history.sinks.find((one) => one.name === sink.name);
  if (past === undefined || history.at_ms.length < 2) return null;
  return (
    <TimeChart
      at={history.at_ms}
      lines={[
        { label: 'rows/s', values: perSecond(past.rows, history.at_ms) },
        { label: 'commits/s', values: perSecond(past.commits, history.at_ms) },
      ]}
      format={short}
      summary={`Rows and commits a second of ${sink.name} over the last hour`}
    />
  );
}

function Sink({ sink, history }: { sink: SinkStatus; history: History | null }): JSX.Element {
  return (
    <Panel title={sink.name} aside={<State state={sink.state} />}>
      {sink.errors > 0 && <Note tone="warn">{count(sink.errors)} commits failed and were done again; the log says why.</Note>}
      <Facts
        facts={[
          ['Type', sink.type],
          ['Lag', milliseconds(sink.lag_ms)],
          ['Rows', count(sink.rows_total)],
          ['Commits', count(sink.commits_total)],
          ['Rows a commit', sink.commits_total > 0 ? short(sink.rows_total / sink.commits_total) : '–'],
          ['Last commit took', milliseconds(sink.commit_us_last / 1000)],
          ['Checkpoints', `${count(sink.checkpoints_total)}, the last took ${milliseconds(sink.checkpoint_us_last / 1000)}`],
          ['Write-ahead log', bytes(sink.wal_bytes)],
          ['Position', <code key="position">{sink.position}</code>],
        ]}
      />
      <Latency sink={sink} />
      {history !== null && <Past sink={sink} history={history} />}
    </Panel>
  );
}

export function Sinks(): JSX.Element {
  const { status } = useSeen();
  const history = useHistory();
  return (
    <>
      <h1>Sinks</h1>
      {status?.sinks.map((sink) => <Sink key={sink.name} sink={sink} history={history} />)}
      {status?.sinks.length === 0 && <Note>This pipeline has no sink.</Note>}
    </>
  );
}
