import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { controlReportSchema } from '@agentapi-proxy/agent-server/control';
import type { ControlReport, ServeCommand } from '@agentapi-proxy/agent-server/control';

/** A report holds at most 40 screen rows; a longer line is not a report. */
const MAX_LINE_CHARS = 1024 * 1024;

/** The supervisor's end of the channel to one agent server. */
export class ControlChannel {
  /** Resolves when the other end is closed and everything it sent has been read. */
  readonly ended: Promise<void>;
  readonly #stream: Duplex;

  /** @param onReport - called in order; lines that are no report are dropped. */
  constructor(stream: Duplex, onReport: (report: ControlReport) => void) {
    this.#stream = stream;
    const decoder = new StringDecoder('utf8');
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_CHARS) stream.destroy();
      for (const line of lines) {
        const report = parseReport(line);
        if (report !== null) onReport(report);
      }
    });
    // The agent server may die at any time; its exit tells the rest.
    stream.on('error', () => stream.destroy());
    this.ended = new Promise((resolve) => {
      stream.once('end', resolve);
      stream.once('close', resolve);
    });
  }

  send(command: ServeCommand): void {
    if (this.#stream.writable) this.#stream.write(`${JSON.stringify(command)}\n`);
  }

  close(): void {
    this.#stream.destroy();
  }
}

function parseReport(line: string): ControlReport | null {
  try {
    const parsed = controlReportSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
