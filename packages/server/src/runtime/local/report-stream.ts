import { request } from 'node:http';
import { createParser } from 'eventsource-parser';
import { controlReportSchema, REPORTS_PATH, TOKEN_HEADER } from '@agentapi-proxy/agent-server/control';
import type { ControlReport } from '@agentapi-proxy/agent-server/control';

/** A report holds at most 40 screen rows; more is no report. */
const MAX_EVENT_CHARS = 1024 * 1024;

/**
 * Listens to the reports of an agent server until it ends or `signal` aborts.
 * @returns `false` when this agent server has no such stream, being of an older version.
 */
export function followReports(
  port: number,
  token: string,
  onReport: (report: ControlReport) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: ({ event, data }) => {
      const report = event === 'report' ? parseReport(data) : null;
      if (report !== null) onReport(report);
    },
  });
  return new Promise((resolve) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: REPORTS_PATH,
        headers: { [TOKEN_HEADER]: token },
        // No shared agent: a kept connection could reach into the next program on this port.
        agent: false,
        signal,
      },
      (response) => {
        const known = response.statusCode === 200;
        response.setEncoding('utf8').once('close', () => resolve(known));
        // A stream that is cut off is over like any other.
        response.on('error', () => undefined);
        if (known) response.on('data', (chunk: string) => parser.feed(chunk));
        else response.resume();
      },
    );
    sent.once('error', () => resolve(true));
    sent.end();
  });
}

function parseReport(data: string): ControlReport | null {
  try {
    const parsed = controlReportSchema.safeParse(JSON.parse(data));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
