// Server-sent events by fetch, because an EventSource cannot carry a token.

import { ask } from './api';
import type { StreamRecord } from './types';

/** Takes events apart as their text arrives in pieces; comments are left out. */
export class EventReader {
  private rest = '';

  constructor(private readonly onEvent: (data: string, id: string | null) => void) {}

  push(text: string): void {
    this.rest += text;
    let end: number;
    while ((end = this.rest.indexOf('\n\n')) >= 0) {
      const block = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + 2);
      let data = '';
      let id: string | null = null;
      for (const line of block.split('\n')) {
        if (line.startsWith('data:')) data += (data === '' ? '' : '\n') + line.slice(5).trimStart();
        else if (line.startsWith('id:')) id = line.slice(3).trim();
      }
      if (data !== '') this.onEvent(data, id);
    }
  }
}

/** Follows a topic until the signal ends it; rejects when the console is lost. */
export async function follow(
  topic: string,
  from: string,
  onRecord: (record: StreamRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = `/api/v1/topics/${encodeURIComponent(topic)}/tail?from=${from}`;
  await followEvents(path, (data) => { onRecord(JSON.parse(data) as StreamRecord); }, signal);
}

export async function followEvents(path: string, onData: (data: string) => void, signal: AbortSignal): Promise<void> {
  const response = await ask(path, { signal });
  const body = response.body;
  if (body === null) return;
  const reader = new EventReader((data) => {
    onData(data);
  });
  const decoder = new TextDecoder();
  const source = body.getReader();
  for (;;) {
    const { done, value } = await source.read();
    if (done) return;
    reader.push(decoder.decode(value, { stream: true }));
  }
}
