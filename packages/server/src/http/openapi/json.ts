import { z } from 'zod';

/** A JSON value that nothing is known of. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
/** A JSON object that nothing is known of, such as a schema. */
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Where an OpenAPI document keeps its schemas. */
export const SCHEMAS = '#/components/schemas/';

/** Any JSON object. */
export const jsonObjectSchema: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** Whether a JSON value is an object, and no list. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
