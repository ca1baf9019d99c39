import type { ComponentChildren } from 'preact';
import { Icon } from '../../components/icon.tsx';
import { LineChart, type ChartLine } from '../../components/line-chart.tsx';
import { METRICS } from '../../texts/administration.ts';

interface TileLine {
  /** Needed when there are two. */
  readonly name?: string;
  /** Oldest first; `null` where there is no figure. */
  readonly values: readonly (number | null)[];
  readonly text: (value: number) => string;
}

interface MetricTileProps {
  readonly title: string;
  readonly lines: readonly TileLine[];
  readonly note?: ComponentChildren;
  /** The note says that something is wrong. */
  readonly isWrong?: boolean;
}

const LOOKS: readonly ChartLine['look'][] = ['main', 'second'];

/** A figure, how it was in the last minutes, and a word about it. */
export function MetricTile({ title, lines, note, isWrong = false }: MetricTileProps) {
  const looks = lines.map((line, index) => ({ ...line, look: LOOKS[index] ?? 'main' }));
  return (
    <article class="metric-tile">
      <h2>{title}</h2>
      <div class="metric-figures">
        {looks.map(({ name, values, text, look }) => {
          const now = values.at(-1) ?? null;
          return (
            <span key={look} class="metric-figure">
              {name !== undefined && (
                <span class="metric-name muted" data-look={look}>
                  {name}
                </span>
              )}
              <strong>{now === null ? METRICS.noFigure : text(now)}</strong>
            </span>
          );
        })}
      </div>
      <LineChart
        label={looks.map((line) => described(line.name ?? title, line)).join('; ')}
        lines={looks.map(({ look, values }) => ({ look, values }))}
      />
      {note !== undefined && (
        <div class="metric-note" data-wrong={isWrong}>
          {isWrong && <Icon name="alert" />}
          {note}
        </div>
      )}
    </article>
  );
}

function described(name: string, { values, text }: TileLine): string {
  const known = values.filter((value) => value !== null);
  const now = values.at(-1) ?? null;
  if (known.length === 0) return METRICS.chart(name, METRICS.noFigure, METRICS.noFigure, METRICS.noFigure);
  return METRICS.chart(
    name,
    now === null ? METRICS.noFigure : text(now),
    text(Math.min(...known)),
    text(Math.max(...known)),
  );
}
