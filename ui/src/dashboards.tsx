// Dashboards: their panels, pushed by the server when the warehouse has changed. Filters are in the address.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { getJson, Problem } from './api';
import { cell } from './format';
import { PanelBody } from './panels';
import { Note, Panel } from './parts';
import { link, type Route } from './route';
import { followEvents } from './tail';
import type { Dashboard, DashboardFilter } from './types';

const againMs = 2000;

/** [value, label] of each choice. */
export function choicesOf(filter: DashboardFilter): [string, string][] {
  const fixed = filter.choices.map((choice): [string, string] => [choice, choice]);
  const asked = (filter.result?.rows ?? []).map((row): [string, string] => [cell(row[0]), cell(row[1] ?? row[0])]);
  return [...fixed, ...asked];
}

/** What the address sets; an empty value means "all", which is null for the server. */
function filtersOf(query: URLSearchParams): string {
  const values: Record<string, string | null> = {};
  for (const [name, value] of query) values[name] = value === '' ? null : value;
  return JSON.stringify(values);
}

/** Follows a dashboard, and comes back after the connection was lost. */
function useLive(name: string, filters: string): { dashboard: Dashboard | null; problem: string | null } {
  const [dashboard, setDashboard] = useState<Dashboard | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    const path = `/api/v1/dashboards/${encodeURIComponent(name)}/live?filters=${encodeURIComponent(filters)}`;
    const run = (): void => {
      followEvents(
        path,
        (data) => {
          setDashboard(JSON.parse(data) as Dashboard);
          setProblem(null);
        },
        stop.signal,
      )
        .catch((error: unknown) => {
          if (!stop.signal.aborted) setProblem(error instanceof Problem ? error.message : String(error));
        })
        .finally(() => {
          if (!stop.signal.aborted) again = setTimeout(run, againMs);
        });
    };
    run();
    return () => {
      clearTimeout(again);
      stop.abort();
    };
  }, [name, filters]);
  return { dashboard, problem };
}

function Filters({ dashboard, route }: { dashboard: Dashboard; route: Route }): JSX.Element {
  return (
    <form class="tools filters">
      {dashboard.filters.map((filter) => (
        <label key={filter.name}>
          {filter.title}{' '}
          <select
            value={filter.value ?? ''}
            onChange={(event) => {
              location.hash = link('dashboards', route.rest, { ...Object.fromEntries(route.query), [filter.name]: event.currentTarget.value });
            }}
          >
            <option value="">all</option>
            {choicesOf(filter).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      ))}
    </form>
  );
}

function Live({ name, route }: { name: string; route: Route }): JSX.Element {
  const { dashboard, problem } = useLive(name, filtersOf(route.query));
  return (
    <>
      <h1>{dashboard?.title ?? name}</h1>
      {problem !== null && <Note tone="bad">{problem}</Note>}
      {dashboard === null && problem === null && <Note>Loading …</Note>}
      {dashboard !== null && <Filters dashboard={dashboard} route={route} />}
      <div class="panels">
        {dashboard?.panels.map((panel) => (
          <div key={panel.title} style={{ gridColumn: `span ${panel.width}` }}>
            <Panel title={panel.title}>
              <PanelBody panel={panel} />
            </Panel>
          </div>
        ))}
      </div>
    </>
  );
}

function List(): JSX.Element {
  const [all, setAll] = useState<{ name: string; title: string }[] | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    getJson<{ dashboards: { name: string; title: string }[] }>('/api/v1/dashboards', stop.signal).then(
      (answer) => {
        setAll(answer.dashboards);
        const only = answer.dashboards[0];
        if (answer.dashboards.length === 1 && only !== undefined) location.replace(link('dashboards', [only.name]));
      },
      () => {
        setAll([]);
      },
    );
    return () => {
      stop.abort();
    };
  }, []);
  return (
    <>
      <h1>Dashboards</h1>
      {all === null && <Note>Loading …</Note>}
      {all?.length === 0 && <Note>The configuration has no dashboards: console.dashboards lists their files.</Note>}
      <ul>
        {all?.map((one) => (
          <li key={one.name}>
            <a href={link('dashboards', [one.name])}>{one.title}</a>
          </li>
        ))}
      </ul>
    </>
  );
}

export function Dashboards({ route }: { route: Route }): JSX.Element {
  const name = route.rest[0];
  return name === undefined ? <List /> : <Live key={name} name={name} route={route} />;
}
