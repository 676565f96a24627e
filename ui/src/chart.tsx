// Lines over time. uPlot draws them; colours come from the style sheet, so that dark mode holds.

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  label: string;
  values: (number | null)[];
}

const lineColours = ['--line-1', '--line-2', '--line-3', '--line-4'];

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function optionsFor(lines: Line[], width: number, height: number, format: (value: number) => string): uPlot.Options {
  const axis: uPlot.Axis = { stroke: colour('--quiet'), grid: { stroke: colour('--rule'), width: 1 }, ticks: { show: false } };
  return {
    width,
    height,
    legend: { show: lines.length > 1 },
    cursor: { y: false },
    scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(low, 0), high > low ? high * 1.05 : low + 1] } },
    axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map(format) }],
    series: [
      {},
      ...lines.map((line, i) => ({
        label: line.label,
        stroke: colour(lineColours[i % lineColours.length] ?? '--line-1'),
        width: 1.5,
        points: { show: false },
        value: (_: uPlot, value: number | null) => (value === null ? '–' : format(value)),
      })),
    ],
  };
}

/** `at` in milliseconds. The summary is what a reader without sight gets. */
export function TimeChart(props: {
  at: number[];
  lines: Line[];
  format: (value: number) => string;
  summary: string;
  height?: number;
}): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { at, lines, format, height = 140 } = props;
  const labels = lines.map((line) => line.label).join('\n');

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(optionsFor(lines, Math.max(element.clientWidth, 100), height, format), [[]], element);
    plot.current = made;
    const watch = new ResizeObserver(() => {
      made.setSize({ width: Math.max(element.clientWidth, 100), height });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
    // A plot is made anew only when its lines are others; values come by setData below.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [labels, height]);

  useEffect(() => {
    plot.current?.setData([at.map((ms) => ms / 1000), ...lines.map((line) => line.values)]);
  }, [at, lines]);

  return <div class="chart" ref={place} role="img" aria-label={props.summary} />;
}

/** A line without axes, beside a number. */
export function Spark({ values, label }: { values: (number | null)[]; label: string }): JSX.Element {
  const known = values.filter((value): value is number => value !== null);
  const top = Math.max(...known, 1e-9);
  const step = 120 / Math.max(values.length - 1, 1);
  const points = values
    .map((value, i) => (value === null ? null : `${(i * step).toFixed(1)},${(27 - (value / top) * 26).toFixed(1)}`))
    .filter((point) => point !== null);
  return (
    <svg class="spark" viewBox="0 0 120 28" preserveAspectRatio="none" role="img" aria-label={label}>
      {points.length > 1 && <polyline points={points.join(' ')} />}
    </svg>
  );
}
