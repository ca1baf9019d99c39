import type { ComponentChildren } from 'preact';
import { memo } from '../../../memo.ts';
import { occurrences } from './log-text.ts';

/** So many lines are one block, which the browser draws only when it comes near. */
const BLOCK_LINES = 100;

interface LogLinesProps {
  readonly lines: readonly string[];
  /** A text to mark; empty for none. */
  readonly wanted: string;
  /** The line of the present match. */
  readonly current: number | null;
}

/** The lines of a log, with what is looked for marked. */
export function LogLines({ lines, wanted, current }: LogLinesProps) {
  const blocks: ComponentChildren[] = [];
  for (let first = 0; first < lines.length; first += BLOCK_LINES) {
    const isHere = current !== null && current >= first && current < first + BLOCK_LINES;
    blocks.push(
      <Block
        key={first}
        first={first}
        text={lines.slice(first, first + BLOCK_LINES).join('\n')}
        wanted={wanted}
        current={isHere ? current : null}
      />,
    );
  }
  return <>{blocks}</>;
}

interface BlockProps {
  readonly first: number;
  readonly text: string;
  readonly wanted: string;
  readonly current: number | null;
}

const Block = memo(({ first, text, wanted, current }: BlockProps) => (
  <div class="log-block">
    {text.split('\n').map((line, index) => (
      <div
        key={index}
        class="log-line"
        data-line={first + index}
        {...(first + index === current ? { 'data-current': true } : {})}
      >
        {line === '' ? '\u00a0' : marked(line, wanted)}
      </div>
    ))}
  </div>
));

function marked(line: string, wanted: string): ComponentChildren {
  const places = occurrences(line, wanted);
  if (places.length === 0) return line;
  const parts: ComponentChildren[] = [];
  let done = 0;
  for (const [from, to] of places) {
    parts.push(line.slice(done, from), <mark key={from}>{line.slice(from, to)}</mark>);
    done = to;
  }
  parts.push(line.slice(done));
  return parts;
}
