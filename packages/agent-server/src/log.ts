/** Line-oriented `key=value` log of one agent server (agentapi section 1.4). */
export interface Log {
  /** Dropped unless the log was asked for it. */
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/**
 * A log that hands every line, line feed included, to `write`. Fields must never hold secrets.
 * @param isVerbose whether it has debug lines.
 */
export function createLog(write: (line: string) => void, isVerbose = false): Log {
  const line = (level: string, message: string, fields: LogFields = {}): void => {
    const pairs = Object.entries({ time: new Date().toISOString(), level, msg: message, ...fields });
    write(`${pairs.map(([key, value]) => `${key}=${valueText(value)}`).join(' ')}\n`);
  };
  return {
    debug: (message, fields) => {
      if (isVerbose) line('DEBUG', message, fields);
    },
    info: (message, fields) => line('INFO', message, fields),
    warn: (message, fields) => line('WARN', message, fields),
    error: (message, fields) => line('ERROR', message, fields),
  };
}

function valueText(value: string | number | boolean | null): string {
  const text = String(value);
  return /^[\w.:/+-]+$/u.test(text) ? text : JSON.stringify(text);
}
