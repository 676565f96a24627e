// The answers of the REST API that the pages use (docs/API.md); what a newer server adds is ignored.

export interface Snapshot {
  state: string;
  tables?: number;
  tables_finished?: number;
  rows: number;
  rows_estimate: number;
  percent?: number;
  rows_per_second?: number;
  seconds_left?: number | null;
}

export interface TableStatus {
  name: string;
  captured: boolean;
  reason: string | null;
  snapshot: Snapshot;
  rows_copied: number;
  inserts: number;
  updates: number;
  deletes: number;
  truncates: number;
  last_change: string | null;
}

export interface StreamStatus {
  first_sequence: number;
  last_sequence: number;
  released_sequence: number;
  size_bytes: number;
  segments: number;
  written_bytes: number;
  intake_paused: boolean;
}

export interface SourceStatus {
  name: string;
  type: string;
  state: string;
  server: string | null;
  position: string | null;
  epoch: string | null;
  lag_ms: number | null;
  lag_bytes: number | null;
  rows_total: number;
  transactions_total: number;
  clock_skew_us: number;
  error: string | null;
  error_code: string | null;
  snapshot: Snapshot;
  stream: StreamStatus;
  tables: TableStatus[];
}

export interface SinkStatus {
  name: string;
  type: string;
  state: string;
  position: string;
  lag_ms: number | null;
  rows_total: number;
  commits_total: number;
  errors: number;
  checkpoints_total: number;
  checkpoint_us_last: number;
  commit_us_last: number;
  wal_bytes: number;
  commit_to_visible_ms: { p50: number | null; p95: number | null; p99: number | null; p99_9: number | null; count: number };
}

export interface Status {
  pipeline: string;
  version: string;
  state: string;
  uptime_ms: number;
  memory: { resident_bytes: number; max_bytes: number };
  sources: SourceStatus[];
  sinks: SinkStatus[];
}

export interface SourceHistory {
  name: string;
  rows: number[];
  bytes: number[];
  lag_ms: (number | null)[];
  lag_bytes: (number | null)[];
}

export interface SinkHistory {
  name: string;
  rows: number[];
  commits: number[];
  lag_ms: (number | null)[];
}

export interface History {
  interval_ms: number;
  at_ms: number[];
  resident_bytes: number[];
  sources: SourceHistory[];
  sinks: SinkHistory[];
}

export interface Topic {
  name: string;
  first: string | null;
  last: string | null;
}

export type Cell = string | number | boolean | null | Cell[] | { [key: string]: Cell };
export type Row = Record<string, Cell>;

export interface StreamRecord {
  topic: string | null;
  place: string | null;
  op: string;
  committed_at: string | null;
  before: Row | null;
  after: Row | null;
  name?: string;
  text?: string;
}

export interface RecordPage {
  records: StreamRecord[];
  next: string;
}

export interface QueryResult {
  columns: { name: string; type: string }[];
  rows: Cell[][];
  elapsed_ms: number;
  truncated?: boolean;
}

export interface DashboardFilter {
  name: string;
  title: string;
  value: string | null;
  choices: string[];
  result?: QueryResult;
}

export interface DashboardPanel {
  title: string;
  type: 'number' | 'line' | 'bar' | 'stacked' | 'heat' | 'table' | 'map';
  unit: string | null;
  width: number;
  result?: QueryResult;
  problem?: string;
}

export interface Dashboard {
  name: string;
  title: string;
  filters: DashboardFilter[];
  panels: DashboardPanel[];
}
