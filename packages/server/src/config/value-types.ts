import { isIP } from 'node:net';
import { split } from 'shlex';
import { z } from 'zod';
import { ENVIRONMENT_NAME, ENVIRONMENT_PATTERN, matchesPattern, RESERVED } from './environment-names.ts';

/** Node's timers hold 31 bits of milliseconds; a longer wait would fire at once. */
const LONGEST_WAIT_SECONDS = 2_000_000;

/** A wait of at least `min` seconds; fractions are fine. */
export function seconds(min: number): z.ZodNumber {
  return z.number().min(min).max(LONGEST_WAIT_SECONDS);
}

/** A whole number of things, at least `min`. */
export function count(min: number, max = 1_000_000): z.ZodInt {
  return z.int().min(min).max(max);
}

/** A size in bytes, at least `min`. */
export function bytes(min: number): z.ZodInt {
  return z
    .int()
    .min(min)
    .max(2 ** 40);
}

/** Turns the 0 that stands for "no limit" into `Infinity`, so that comparing needs no special case. */
export function noLimitWhenZero(limit: number): number {
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
}

/**
 * Arguments of a program: a list, or one string split as a POSIX shell does, quoted parts kept together
 * and nothing expanded (PX-090). A quote that is never closed is an error (PX-091).
 */
export const argumentList = z
  .union([z.string(), z.array(z.string())])
  .transform((value, context): readonly string[] => {
    try {
      const list = typeof value === 'string' ? split(value) : value;
      if (!list.some((argument) => argument.includes('\0'))) return list;
      context.addIssue({ code: 'custom', message: 'expected arguments without NUL characters' });
    } catch {
      context.addIssue({
        code: 'custom',
        message: 'expected arguments as a shell would read them, found a quote or backslash without its end',
      });
    }
    return z.NEVER;
  });

const environmentName = z
  .string()
  .regex(ENVIRONMENT_NAME, 'expected a variable name of letters, digits and _, not beginning with a digit')
  .refine((name) => !matchesPattern(name, RESERVED), 'names beginning with AGENTAPI_PROXY_ are reserved');

const environmentValue = z
  .string()
  .refine((value) => !value.includes('\0'), 'expected a value without NUL characters');

/** Variables that the operator sets in sessions. */
export const environmentMap = z.record(environmentName, environmentValue);

/** Names of variables, or beginnings of names followed by `*`. */
export const environmentPatterns = z.array(
  z.string().regex(ENVIRONMENT_PATTERN, 'expected a variable name, or the beginning of names followed by *'),
);

/** The name of a request header (RFC 9110 token). */
export const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected the name of a header, such as X-API-Key');

/** A web origin as browsers send it, or `*`. */
export const origin = z
  .string()
  .refine(
    (text) => text === '*' || (URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text),
    'expected an origin without a path, such as https://agents.example.com, or *',
  );

/** A host as it stands in a `Host` header, without the port, or `*`. */
export const hostName = z
  .string()
  .refine(
    (text) =>
      text === '*' ||
      isIP(text.replace(/^\[(.*)\]$/, '$1')) !== 0 ||
      /^[A-Za-z0-9_]([A-Za-z0-9_.-]*)$/.test(text),
    'expected a host name or address without a port, or *',
  );

/** An IP address, or a range such as `10.0.0.0/8`. */
export const addressRange = z.string().refine((text) => {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}, 'expected an IP address or a range such as 10.0.0.0/8');

/** An address of a web server without credentials, query and fragment. */
export const httpUrl = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  return (
    url !== null && /^https?:$/.test(url.protocol) && !/[?#]/.test(text) && url.username + url.password === ''
  );
}, 'expected an address such as https://github.example.com, without user name, query and fragment');
