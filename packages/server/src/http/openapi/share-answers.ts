import { STATUS_CODES } from 'node:http';
import { isObject, jsonObjectSchema } from './json.ts';
import type { Json, JsonObject } from './json.ts';

/** Paths whose commonest refusals are references, and what they refer to. */
export interface SharedAnswers {
  readonly paths: JsonObject;
  readonly responses: JsonObject;
}

/** Says the commonest refusal of each status once, because nearly every operation has it. */
export function shareAnswers(paths: JsonObject): SharedAnswers {
  const counts = new Map<string, Map<string, number>>();
  mapResponses(paths, (status, response) => {
    const its = counts.get(status) ?? new Map<string, number>();
    const text = JSON.stringify(response);
    counts.set(status, its.set(text, (its.get(text) ?? 0) + 1));
    return response;
  });
  const shared = new Map<string, { readonly name: string; readonly text: string }>();
  for (const [status, its] of counts) {
    const phrase = STATUS_CODES[Number(status)];
    const [commonest] = [...its].sort(([, a], [, b]) => b - a);
    if (phrase === undefined || Number(status) < 400 || commonest === undefined) continue;
    shared.set(status, { name: phrase.replaceAll(/\W/g, ''), text: commonest[0] });
  }
  return {
    paths: mapResponses(paths, (status, response) => {
      const { name, text } = shared.get(status) ?? {};
      return text === JSON.stringify(response) ? { $ref: `#/components/responses/${name}` } : response;
    }),
    responses: Object.fromEntries(
      [...shared.values()].map(({ name, text }) => [name, jsonObjectSchema.parse(JSON.parse(text))]),
    ),
  };
}

function mapResponses(
  paths: JsonObject,
  change: (status: string, response: JsonObject) => JsonObject,
): JsonObject {
  return mapMembers(paths, (operations) =>
    mapMembers(operations, (operation) => ({
      ...operation,
      responses: mapMembers(operation['responses'], (response, status) => change(status, response)),
    })),
  );
}

/** Applies `change` to the members of an object that are objects. */
function mapMembers(
  value: Json | undefined,
  change: (member: JsonObject, name: string) => JsonObject,
): JsonObject {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, isObject(member) ? change(member, name) : member]),
  );
}
