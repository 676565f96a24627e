// Sources: where each server is followed, how far behind, what its copy is at.

import type { JSX } from 'preact';
import { TimeChart } from './chart';
import { bytes, count, duration, milliseconds, short } from './format';
import { Bar, Facts, Note, Panel, State } from './parts';
import { useHistory, useSeen } from './store';
import type { History, SourceStatus } from './types';

function Copy({ source }: { source: SourceStatus }): JSX.Element | null {
  const copy = source.snapshot;
  if (copy.state !== 'copying') return null;
  return (
    <Note tone="warn">
      Copying what the tables hold: {count(copy.tables_finished)} of {count(copy.tables)} tables, {count(copy.rows)} rows,{' '}
      {short(copy.rows_per_second)} rows/s, {duration(copy.seconds_left)} left.{' '}
      <Bar part={copy.percent ?? 0} whole={100} label="Progress of the copy" />
    </Note>
  );
}

function Lag({ source, history }: { source: SourceStatus; history: History }): JSX.Element | null {
  const past = history.sources.find((one) => one.name === source.name);
  if (past === undefined || history.at_ms.length < 2) return null;
  return (
    <TimeChart
      at={history.at_ms}
      lines={[{ label: 'lag', values: past.lag_ms }]}
      format={(value) => milliseconds(value)}
      summary={`Lag of ${source.name} over the last hour; now ${milliseconds(source.lag_ms)}`}
      height={110}
    />
  );
}

function Source({ source, history }: { source: SourceStatus; history: History | null }): JSX.Element {
  return (
    <Panel title={source.name} aside={<State state={source.state} />}>
      {source.error !== null && (
        <Note tone="bad">
          {source.error_code}: {source.error}
        </Note>
      )}
      <Copy source={source} />
      <Facts
        facts={[
          ['Server', source.server ?? source.type],
          ['Position', <code key="position">{source.position ?? '–'}</code>],
          ['Lag', `${milliseconds(source.lag_ms)}, ${bytes(source.lag_bytes)}`],
          ['Received', `${count(source.rows_total)} rows in ${count(source.transactions_total)} transactions`],
          ['Stream', `${count(source.stream.first_sequence)} to ${count(source.stream.last_sequence)}, ${bytes(source.stream.size_bytes)} in ${count(source.stream.segments)} segments`],
          ['Committed everywhere', count(source.stream.released_sequence)],
          ['Clock', `${milliseconds(source.clock_skew_us / 1000)} from ours`],
        ]}
      />
      {history !== null && <Lag source={source} history={history} />}
    </Panel>
  );
}

export function Sources(): JSX.Element {
  const { status } = useSeen();
  const history = useHistory();
  return (
    <>
      <h1>Sources</h1>
      {status?.sources.map((source) => <Source key={source.name} source={source} history={history} />)}
      {status?.sources.length === 0 && <Note>This pipeline has no source.</Note>}
    </>
  );
}
