import { isDeepStrictEqual } from 'node:util';
import { isObject, SCHEMAS } from './json.ts';
import type { Json, JsonObject } from './json.ts';

/** What the generator of schemas calls the form of a schema before it is parsed. */
const INPUT_SUFFIX = 'Input';

/** Formats that say all that the generator's pattern beside them says. */
const TELLING_FORMATS: ReadonlySet<Json | undefined> = new Set(['date-time', 'uuid']);

/** Paths of a document, and the schemas that they refer to. */
export interface Described {
  readonly paths: JsonObject;
  readonly schemas: JsonObject;
}

/**
 * Leaves out schemas that no path refers to, gives those that exist in one form only their plain name, and takes
 * away what the generator adds without saying more.
 */
export function cleanSchemas({ paths, schemas }: Described): Described {
  const used = reachable(paths, schemas);
  const plain = (name: string): string => {
    if (!name.endsWith(INPUT_SUFFIX)) return name;
    const short = name.slice(0, -INPUT_SUFFIX.length);
    return used.has(short) ? name : short;
  };
  const clean = (object: JsonObject): JsonObject => {
    const { $ref } = object;
    if (typeof $ref !== 'string' || !$ref.startsWith(SCHEMAS)) return withoutNoise(object);
    return { ...object, $ref: SCHEMAS + plain($ref.slice(SCHEMAS.length)) };
  };
  const kept = Object.entries(schemas).filter(([name]) => used.has(name));
  return {
    paths: mapObject(paths, clean),
    schemas: mapObject(Object.fromEntries(kept.map(([name, schema]) => [plain(name), schema])), clean),
  };
}

/** Names of the schemas that are referred to, by other schemas, too. */
function reachable(paths: JsonObject, schemas: JsonObject): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (value: Json): void => {
    mapValue(value, (object) => {
      const { $ref } = object;
      const name = typeof $ref === 'string' && $ref.startsWith(SCHEMAS) ? $ref.slice(SCHEMAS.length) : null;
      if (name !== null && !found.has(name)) {
        found.add(name);
        visit(schemas[name] ?? null);
      }
      return object;
    });
  };
  visit(paths);
  return found;
}

/** Leaves out what is true of every value anyway, or said by the format already. */
function withoutNoise(schema: JsonObject): JsonObject {
  const isNoise = (name: string, value: Json): boolean => {
    switch (name) {
      case 'pattern':
        return TELLING_FORMATS.has(schema['format']);
      case 'minimum':
        return value === Number.MIN_SAFE_INTEGER;
      case 'maximum':
        return value === Number.MAX_SAFE_INTEGER;
      case 'additionalProperties':
        return isDeepStrictEqual(value, {});
      case 'propertyNames':
        return isDeepStrictEqual(value, { type: 'string' });
      default:
        return false;
    }
  };
  return Object.fromEntries(Object.entries(schema).filter(([name, value]) => !isNoise(name, value)));
}

/** Applies `change` to an object and every object in it, the innermost first. */
function mapObject(object: JsonObject, change: (object: JsonObject) => JsonObject): JsonObject {
  return change(
    Object.fromEntries(Object.entries(object).map(([name, value]) => [name, mapValue(value, change)])),
  );
}

function mapValue(value: Json, change: (object: JsonObject) => JsonObject): Json {
  if (isObject(value)) return mapObject(value, change);
  return Array.isArray(value) ? value.map((item: Json) => mapValue(item, change)) : value;
}
