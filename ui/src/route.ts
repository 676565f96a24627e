// The address after "#": a page, what it shows, and its settings, so that every view can be linked.
// "#/stream/ops.parking.payment?from=latest" is page "stream", rest ["ops.parking.payment"].

import { useEffect, useState } from 'preact/hooks';

export interface Route {
  page: string;
  rest: string[];
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page = '', ...rest] = path.split('/').map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { page: page === '' ? 'home' : page, rest, query: new URLSearchParams(query) };
}

export function link(page: string, rest: string[] = [], query: Record<string, string> = {}): string {
  const path = [page, ...rest.map(encodeURIComponent)].join('/');
  const search = new URLSearchParams(query).toString();
  return `#/${path}${search === '' ? '' : `?${search}`}`;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = (): void => {
      setRoute(parseRoute(location.hash));
    };
    window.addEventListener('hashchange', follow);
    return () => {
      window.removeEventListener('hashchange', follow);
    };
  }, []);
  return route;
}
