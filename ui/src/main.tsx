// The frame around the pages: navigation, the state of the connection, the token.

import { render, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { About } from './about';
import { setToken } from './api';
import { Dashboards } from './dashboards';
import { Home } from './home';
import { Note } from './parts';
import { link, useRoute, type Route } from './route';
import { Sinks } from './sinks';
import { Sources } from './sources';
import { Sql } from './sql';
import { pollNow, useSeen } from './store';
import { Stream } from './stream';
import './style.css';
import { Tables } from './tables';

const pages: { id: string; name: string; show: (route: Route) => JSX.Element }[] = [
  { id: 'home', name: 'Home', show: () => <Home /> },
  { id: 'dashboards', name: 'Dashboards', show: (route) => <Dashboards route={route} /> },
  { id: 'sources', name: 'Sources', show: () => <Sources /> },
  { id: 'tables', name: 'Tables', show: () => <Tables /> },
  { id: 'stream', name: 'Stream', show: (route) => <Stream route={route} /> },
  { id: 'sinks', name: 'Sinks', show: () => <Sinks /> },
  { id: 'sql', name: 'SQL', show: (route) => <Sql key={route.query.get('q')} route={route} /> },
  { id: 'about', name: 'About', show: () => <About /> },
];

function Token(): JSX.Element {
  return (
    <form
      class="token"
      onSubmit={(event) => {
        event.preventDefault();
        const token = new FormData(event.currentTarget).get('token');
        if (typeof token === 'string') setToken(token);
        pollNow();
      }}
    >
      <h1>millrace</h1>
      <label>
        Token of this console
        <input name="token" type="password" autocomplete="current-password" required />
      </label>
      <button type="submit" class="main">
        Open
      </button>
    </form>
  );
}

function App(): JSX.Element {
  const route = useRoute();
  const { problem } = useSeen();
  const main = useRef<HTMLElement>(null);
  const page = pages.find((one) => one.id === route.page);

  useEffect(() => {
    document.title = `${page?.name ?? 'Not found'} · millrace`;
  }, [page]);
  if (problem?.status === 401) return <Token />;
  return (
    <>
      <a
        class="skip"
        href={location.hash}
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <nav aria-label="Pages">
        <span class="mark">millrace</span>
        {pages.map((one) => (
          <a key={one.id} href={link(one.id)} aria-current={one.id === route.page ? 'page' : undefined}>
            {one.name}
          </a>
        ))}
      </nav>
      <main ref={main} tabIndex={-1}>
        {problem !== null && <Note tone="bad">{problem.message} What is shown is the last that was known.</Note>}
        {page === undefined ? <Note>There is no page of that name.</Note> : page.show(route)}
      </main>
    </>
  );
}

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
