import { z } from 'zod';
import { StoreError } from './store-error.ts';

/*
 * How values look in columns. What comes out of the database is checked like any other input: the file may
 * have been changed by hand or by another version.
 */

/** Not `z.record`, which leaves out a member `__proto__`. */
export const textMap = z.custom<Readonly<Record<string, string>>>(
  (value) => isMap(value) && Object.values(value).every((member) => typeof member === 'string'),
);
export const textList = z.array(z.string());

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Milliseconds since 1970 as a time. */
export function timeOf(milliseconds: number): Date {
  return new Date(milliseconds);
}

export function timeOrNull(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}

export function millisecondsOrNull(time: Date | null): number | null {
  return time === null ? null : time.getTime();
}

/** PostgreSQL takes no NUL in a text; in our sentences and names it has no meaning. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\u{fffd}');
}

export function storableOrNull(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : storable(text);
}

/**
 * Reads a JSON text.
 * @param name - the column, for the error.
 * @throws StoreError `corrupt`
 */
export function parseColumn<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  name: string,
): z.output<Schema> {
  return checkColumn(schema, parseJson(text, name), name);
}

/**
 * Checks a plain value.
 * @throws StoreError `corrupt`
 */
export function checkColumn<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  name: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new StoreError('corrupt', `The store holds an unreadable value in ${name}`);
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The cause would quote the text.
    throw new StoreError('corrupt', `The store holds an unreadable value in ${name}`);
  }
}
