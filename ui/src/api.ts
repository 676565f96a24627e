// Requests to the console, with its token where it wants one. Errors are problem documents.

const tokenKey = 'millrace.token';

export class Problem extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export function setToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
}

function headers(more: Record<string, string> = {}): Record<string, string> {
  const token = sessionStorage.getItem(tokenKey);
  return token === null ? more : { ...more, Authorization: `Bearer ${token}` };
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as { detail?: string };
    return new Problem(response.status, body.detail ?? response.statusText);
  } catch {
    return new Problem(response.status, response.statusText);
  }
}

/** A response that is not an error; status 0 stands for a console that does not answer. */
export async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...options, headers: headers(options.headers as Record<string, string>) });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, 'The console does not answer.');
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, signal === undefined ? {} : { signal });
  return (await response.json()) as T;
}

export async function postJson<T>(path: string, body: unknown): Promise<T> {
  const response = await ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}
