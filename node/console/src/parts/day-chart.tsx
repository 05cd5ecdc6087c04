import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useRef, type ReactNode } from 'react';
import uPlot from 'uplot';
import { useWords } from '../words/use-words.js';
import styles from './parts.module.css';

interface DayBar {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly here: number;
  readonly elsewhere: number;
}

interface DayChartProps {
  readonly label: string;
  readonly days: readonly DayBar[];
  /** What the two parts of a bar are. */
  readonly here: string;
  readonly elsewhere: string;
}

const height = 190;

/** Two numbers a day as stacked bars; the same as a table, for who does not see bars. */
export function DayChart({ days, elsewhere, here, label }: DayChartProps): ReactNode {
  const { number, t } = useWords();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const scheme = useComputedColorScheme('light');
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current === null || width === 0) return;
    const plot = new uPlot(optionsOf(width, days), seriesOf(days), place.current);
    return () => { plot.destroy(); };
  }, [days, width, scheme]);
  const sum = days.reduce((total, day) => total + day.here + day.elsewhere, 0);
  return (
    <div ref={ref}>
      <div aria-label={`${label}: ${t('overview.lastDays', { n: number(sum) })}`} className={styles['chart']} ref={place} role="img" />
      <ul className={styles['legend']}>
        <li><span className={`${styles['swatch'] ?? ''} ${styles['here'] ?? ''}`} />{here}</li>
        <li><span className={`${styles['swatch'] ?? ''} ${styles['elsewhere'] ?? ''}`} />{elsewhere}</li>
        <li>{t('overview.lastDays', { n: number(sum) })}</li>
      </ul>
      <details className={styles['disclosure']}>
        <summary>{t('overview.asTable')}</summary>
        <div aria-label={label} className={styles['tableRegion']} role="group" tabIndex={0}>
          <table className={styles['table']}>
            <thead>
              <tr><th scope="col">{t('overview.day')}</th><th scope="col">{here}</th><th scope="col">{elsewhere}</th></tr>
            </thead>
            <tbody>
              {days.toReversed().filter((day) => day.here + day.elsewhere > 0).map((day) => <tr key={day.day}><td>{day.day}</td><td>{number(day.here)}</td><td>{number(day.elsewhere)}</td></tr>)}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  );
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The whole bar is drawn first, this centre's part over it. */
function seriesOf(days: readonly DayBar[]): uPlot.AlignedData {
  return [days.map((_day, index) => index), days.map((day) => day.here + day.elsewhere), days.map((day) => day.here)].map((values) => Float64Array.from(values)) as unknown as uPlot.AlignedData;
}

function optionsOf(width: number, days: readonly DayBar[]): uPlot.Options {
  const bars = uPlot.paths.bars?.({ size: [0.7, 26] });
  const series = (fill: string): uPlot.Series => ({ fill, stroke: fill, width: 0, points: { show: false }, ...(bars === undefined ? {} : { paths: bars }) });
  const axis: uPlot.Axis = { font: `11px ${color('--mantine-font-family')}`, stroke: color('--mantine-color-dimmed'), ticks: { show: false } };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 8, 0, 0],
    scales: { x: { time: false, range: (_plot, low, high) => [low - 0.6, high + 0.6] }, y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.1)] } },
    series: [{}, series(color('--series-elsewhere')), series(color('--series-here'))],
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 56, incrs: [1, 2, 5, 7, 10], values: (_plot, marks) => marks.map((mark) => days[mark]?.day.slice(5) ?? '') },
      { ...axis, grid: { stroke: color('--line'), width: 1 }, size: 52, values: (_plot, marks) => marks.map((mark) => mark.toLocaleString('en-US')), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 10_000_000] },
    ],
  };
}
