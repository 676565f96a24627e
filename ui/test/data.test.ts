import { describe, expect, it } from 'vitest';
import { choicesOf } from '../src/dashboards';
import { widths } from '../src/grid';
import { total } from '../src/home';
import { mapOrder, stacks } from '../src/panels';
import { Meter, perSecond } from '../src/rates';
import { link, parseRoute } from '../src/route';
import { chartOf } from '../src/sql';
import { changedColumns } from '../src/stream';
import { targetOf } from '../src/tables';
import { EventReader } from '../src/tail';

describe('rates', () => {
  it('are differences over time, and unknown where a process began anew', () => {
    expect(perSecond([0, 100, 50, 60], [0, 1000, 2000, 4000])).toEqual([null, 100, null, 5]);
  });

  it('are read over a window', () => {
    const meter = new Meter(2000);
    expect(meter.read(0, 0)).toBeNull();
    expect(meter.read(10, 1000)).toBe(10);
    meter.read(20, 2000);
    meter.read(30, 3000);
    expect(meter.read(80, 4000)).toBe(30);
    expect(meter.read(5, 5000)).toBeNull();
  });

  it('add up over sources where they are known', () => {
    expect(total([[1, null], [2, null]])).toEqual([3, null]);
    expect(total([])).toEqual([]);
  });
});

describe('addresses', () => {
  it('come back as they were made', () => {
    const address = link('stream', ['ops.a/b.ü'], { from: '12-3' });
    const route = parseRoute(address);
    expect(route.page).toBe('stream');
    expect(route.rest).toEqual(['ops.a/b.ü']);
    expect(route.query.get('from')).toBe('12-3');
  });

  it('have a home, and survive what is malformed', () => {
    expect(parseRoute('').page).toBe('home');
    expect(parseRoute('#/%zz').page).toBe('%zz');
  });
});

describe('server-sent events', () => {
  it('are found however their text is cut', () => {
    const text = ': quiet\n\nid: 7-1\ndata: {"a":1}\n\ndata: {"b":2}\n\n';
    for (let cut = 1; cut < text.length; cut++) {
      const events: [string, string | null][] = [];
      const reader = new EventReader((data, id) => events.push([data, id]));
      reader.push(text.slice(0, cut));
      reader.push(text.slice(cut));
      expect(events).toEqual([
        ['{"a":1}', '7-1'],
        ['{"b":2}', null],
      ]);
    }
  });
});

describe('records and results', () => {
  it('mark the cells that an update changed', () => {
    const record = { topic: 't', place: '1-0', op: 'update', committed_at: null, before: { id: 1, a: 'x' }, after: { id: 1, a: 'y', b: null } };
    expect([...changedColumns(record)]).toEqual(['a']);
  });

  it('are charted when they begin with a time and have numbers', () => {
    const result = {
      columns: [{ name: 'day', type: 'DATE' }, { name: 'sum', type: 'DECIMAL(12,2)' }, { name: 'who', type: 'VARCHAR' }],
      rows: [['2026-01-02', '2.50', 'b'], ['2026-01-01', '1.25', 'a']],
      elapsed_ms: 1,
    };
    expect(chartOf(result)?.lines).toEqual([{ label: 'sum', values: [1.25, 2.5] }]);
    expect(chartOf({ ...result, columns: [{ name: 'n', type: 'BIGINT' }] })).toBeNull();
  });

  it('get columns wide enough, and not too wide', () => {
    const [narrow = 0, wide = 0] = widths(['a', 'b'], [['1', 'x'.repeat(1000)]]);
    expect(narrow).toBeLessThan(60);
    expect(wide).toBeLessThan(500);
  });

  it('name the table in the warehouse, quoted where it must be', () => {
    expect(targetOf('ops', 'parking.payment')).toBe('ops_parking.payment');
    expect(targetOf('ops', 'Parking.pay"ment')).toBe('"ops_Parking"."pay""ment"');
  });
});

describe('panels', () => {
  it('stack parts by label, and fill what is missing with nothing', () => {
    const made = stacks([['mon', 'card', '1.5'], ['mon', 'cash', 2], ['tue', 'cash', 4]]);
    expect(made.names).toEqual(['card', 'cash']);
    expect(made.stacks).toEqual([
      { label: 'mon', parts: [1.5, 2], total: 3.5 },
      { label: 'tue', parts: [0, 4], total: 4 },
    ]);
  });

  it('put places in bands, the north first and the west first', () => {
    const made = mapOrder([['10', '1', 'south'], ['20', '3', 'north east'], ['21', '2.5', 'north west']], 2);
    expect(made.map((row) => row[2])).toEqual(['north west', 'north east', 'south']);
  });

  it('offer fixed choices and those of a statement', () => {
    const filter = { name: 'f', title: 'F', value: null, choices: ['1 hour'], result: { columns: [], rows: [['3', 'Harbour'], ['4']], elapsed_ms: 1 } };
    expect(choicesOf(filter)).toEqual([['1 hour', '1 hour'], ['3', 'Harbour'], ['4', '4']]);
  });
});
