import { HEIGHT, linePath, WIDTH } from './line-path.ts';
import './line-chart.css';

/** One line of a chart. */
export interface ChartLine {
  /** Shown beside the figures, and said in the description of the chart. */
  readonly look: 'main' | 'second';
  /** `null` where there is no figure. */
  readonly values: readonly (number | null)[];
}

interface LineChartProps {
  /** Everything the chart says, in words. */
  readonly label: string;
  readonly lines: readonly ChartLine[];
}

/** Figures over time, from zero upwards, oldest at the left. */
export function LineChart({ label, lines }: LineChartProps) {
  const most = Math.max(...lines.flatMap(({ values }) => values.map((value) => value ?? 0)), 0);
  return (
    <svg
      class="line-chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <line class="line-chart-base" x1={0} x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} />
      {lines.map(({ look, values }) => (
        <path key={look} class="line-chart-line" data-look={look} d={linePath(values, most)} />
      ))}
    </svg>
  );
}
