// Home: the way of the data, hop by hop, with what flows and how far behind it is.

import type { JSX } from 'preact';
import { Spark, TimeChart } from './chart';
import { ago, bytes, count, duration, milliseconds, short } from './format';
import { Bar, DataTable, Facts, Note, Panel, State } from './parts';
import { perSecond } from './rates';
import { link } from './route';
import { useHistory, useSeen } from './store';
import type { History, SinkStatus, SourceStatus, Status, TableStatus } from './types';

type Rates = Map<string, number | null>;

function SourceHop({ source, rates, history }: { source: SourceStatus; rates: Rates; history: History | null }): JSX.Element {
  const past = history?.sources.find((one) => one.name === source.name);
  const rows = history === null || past === undefined ? [] : perSecond(past.rows, history.at_ms);
  return (
    <div class="flow">
      <a class="hop" href={link('sources')}>
        <strong>{source.name}</strong> <State state={source.state} />
        <span class="quiet">{source.server ?? source.type}</span>
        <span class="figure">{short(rates.get(`source/${source.name}/rows`))} rows/s</span>
        <Spark values={rows} label={`Rows a second of ${source.name} over the last hour`} />
        <span class="quiet">
          lag {milliseconds(source.lag_ms)}, {bytes(source.lag_bytes)}
        </span>
      </a>
      <a class="hop" href={link('stream')}>
        <strong>stream</strong> {source.stream.intake_paused ? <State state="paused" /> : null}
        <span class="quiet">{count(source.stream.last_sequence)} transactions</span>
        <span class="figure">{bytes(rates.get(`source/${source.name}/bytes`))}/s</span>
        <span class="quiet">{bytes(source.stream.size_bytes)} kept</span>
      </a>
    </div>
  );
}

function SinkHop({ sink, rates, history }: { sink: SinkStatus; rates: Rates; history: History | null }): JSX.Element {
  const past = history?.sinks.find((one) => one.name === sink.name);
  const rows = history === null || past === undefined ? [] : perSecond(past.rows, history.at_ms);
  return (
    <a class="hop" href={link('sinks')}>
      <strong>{sink.name}</strong> <State state={sink.state} />
      <span class="quiet">{sink.type}</span>
      <span class="figure">{short(rates.get(`sink/${sink.name}/rows`))} rows/s</span>
      <Spark values={rows} label={`Rows a second into ${sink.name} over the last hour`} />
      <span class="quiet">
        lag {milliseconds(sink.lag_ms)}, visible in {milliseconds(sink.commit_to_visible_ms.p50)}
      </span>
    </a>
  );
}

interface FreshTable {
  source: string;
  table: TableStatus;
}

function Freshness({ status }: { status: Status }): JSX.Element {
  const rows: FreshTable[] = status.sources.flatMap((source) => source.tables.map((table) => ({ source: source.name, table })));
  return (
    <DataTable
      label="Freshness of each table"
      rows={rows}
      id={(row) => `${row.source}.${row.table.name}`}
      empty="No table has been captured yet."
      columns={[
        { name: 'Table', show: (row) => <a href={link('stream', [`${row.source}.${row.table.name}`])}>{`${row.source}.${row.table.name}`}</a>, by: (row) => `${row.source}.${row.table.name}` },
        { name: 'Last change', show: (row) => ago(row.table.last_change), by: (row) => row.table.last_change ?? '' },
        { name: 'Copied', numeric: true, show: (row) => count(row.table.rows_copied), by: (row) => row.table.rows_copied },
        { name: 'Changes', numeric: true, show: (row) => count(changesOf(row.table)), by: (row) => changesOf(row.table) },
      ]}
    />
  );
}

export function changesOf(table: TableStatus): number {
  return table.inserts + table.updates + table.deletes;
}

/** Sums one series over all sources; null where nothing is known. */
export function total(series: (number | null)[][]): (number | null)[] {
  const first = series[0] ?? [];
  return first.map((_, i) => series.reduce<number | null>((sum, one) => (one[i] === null || one[i] === undefined ? sum : (sum ?? 0) + one[i]), null));
}

function LastHour({ history }: { history: History }): JSX.Element {
  const received = total(history.sources.map((source) => perSecond(source.rows, history.at_ms)));
  const written = total(history.sinks.map((sink) => perSecond(sink.rows, history.at_ms)));
  return (
    <Panel title="Rows a second, the last hour">
      <TimeChart
        at={history.at_ms}
        lines={[
          { label: 'received', values: received },
          { label: 'written', values: written },
        ]}
        format={short}
        summary="Rows a second that were received and written over the last hour"
      />
    </Panel>
  );
}

export function Home(): JSX.Element {
  const { status, rates } = useSeen();
  const history = useHistory();
  if (status === null) return <Note>Waiting for the pipeline’s status …</Note>;
  return (
    <>
      <h1>{status.pipeline}</h1>
      <Facts
        facts={[
          ['Pipeline', <State key="state" state={status.state} />],
          ['Running for', duration(status.uptime_ms / 1000)],
          ['Tables', count(status.sources.reduce((sum, source) => sum + source.tables.length, 0))],
          [
            'Memory',
            <span key="memory">
              {bytes(status.memory.resident_bytes)} of {bytes(status.memory.max_bytes)}{' '}
              <Bar part={status.memory.resident_bytes} whole={status.memory.max_bytes} label="Memory in use" />
            </span>,
          ],
        ]}
      />
      <Panel title="Flow">
        <div class="graph">
          <div class="hops">
            {status.sources.map((source) => (
              <SourceHop key={source.name} source={source} rates={rates} history={history} />
            ))}
          </div>
          <div class="hops">
            {status.sinks.map((sink) => (
              <SinkHop key={sink.name} sink={sink} rates={rates} history={history} />
            ))}
          </div>
        </div>
      </Panel>
      {history !== null && history.at_ms.length > 1 && <LastHour history={history} />}
      <Panel title="Freshness">
        <Freshness status={status} />
      </Panel>
    </>
  );
}
