// About: versions, and where to read on.

import type { JSX } from 'preact';
import { duration } from './format';
import { Facts, Panel } from './parts';
import { useSeen } from './store';

export function About(): JSX.Element {
  const { status } = useSeen();
  return (
    <>
      <h1>About</h1>
      <Panel title="millrace">
        <Facts
          facts={[
            ['Version', status?.version ?? '–'],
            ['Pipeline', status?.pipeline ?? '–'],
            ['Running for', status === null ? '–' : duration(status.uptime_ms / 1000)],
            ...(status?.sources ?? []).map((source): [string, string] => [source.name, source.server ?? source.type]),
          ]}
        />
      </Panel>
      <Panel title="For programs">
        <ul>
          <li>
            <a href="/api/v1/openapi.json">OpenAPI description</a> of everything that these pages use
          </li>
          <li>
            <a href="/metrics">Metrics</a> for Prometheus
          </li>
        </ul>
      </Panel>
    </>
  );
}
