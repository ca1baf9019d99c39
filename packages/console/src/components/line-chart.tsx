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

/** The drawing is stretched to its frame; lines keep their width. */
const [WIDTH, HEIGHT] = [240, 48];
/** Room for the width of a line at the edges. */
const EDGE = 2;

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

/** Path of a line; where there is no figure it has a gap. */
export function linePath(values: readonly (number | null)[], most: number): string {
  const step = values.length < 2 ? 0 : WIDTH / (values.length - 1);
  const parts: string[] = [];
  let isDrawing = false;
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const share = most === 0 ? 0 : value / most;
    const y = HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE);
    parts.push(`${isDrawing ? 'L' : 'M'}${(index * step).toFixed(1)} ${y.toFixed(1)}`);
    isDrawing = true;
  }
  return parts.join('');
}
