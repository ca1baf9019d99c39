import { AGENTAPI_VERSION } from '../version.ts';
import { AGENTAPI_DOCUMENT } from './openapi-document.gen.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** The API's description in the given version of OpenAPI (AA-035). */
export function openApiDocument(version: '3.0' | '3.1'): JsonObject {
  const { info, ...rest } = AGENTAPI_DOCUMENT;
  const document = { info: { ...asObject(info), version: AGENTAPI_VERSION }, ...rest };
  return version === '3.0' ? document : { ...asObject(upgrade(document)), openapi: '3.1.0' };
}

/** The named schema with its references as URLs of this server; `null` for an unknown name. */
export function schemaDocument(name: string): JsonValue {
  const schemas = asObject(asObject(openApiDocument('3.1')['components'])['schemas']);
  return Object.hasOwn(schemas, name) ? rewriteReferences(schemas[name] ?? null) : null;
}

/** OpenAPI 3.1 says with JSON Schema's own words what 3.0 has words of its own for. */
function upgrade(value: JsonValue): JsonValue {
  return mapObjects(value, ({ nullable, example, type, ...rest }) => ({
    ...rest,
    ...(type === undefined
      ? {}
      : { type: nullable === true && typeof type === 'string' ? [type, 'null'] : type }),
    ...(example === undefined ? {} : { examples: [example] }),
  }));
}

function rewriteReferences(value: JsonValue): JsonValue {
  return mapObjects(value, ({ $ref, ...rest }) =>
    typeof $ref === 'string'
      ? { ...rest, $ref: $ref.replace(/^#\/components\/schemas\/(.+)$/u, '/schemas/$1.json') }
      : rest,
  );
}

/** Applies `change` to every object, the innermost first. */
function mapObjects(value: JsonValue, change: (object: JsonObject) => JsonObject): JsonValue {
  if (isArray(value)) return value.map((item) => mapObjects(item, change));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, mapObjects(member, change)] as const);
  return change(Object.fromEntries(members));
}

/** The object itself; empty for any other value. */
export function asObject(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !isArray(value) ? value : {};
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
