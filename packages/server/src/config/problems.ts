import type { z } from 'zod';
import { closestName } from './closest-name.ts';
import { type SchemaNode, schemaAt } from './fields.ts';

/** `agents.claude.args[0]`; names that are no plain words stand in quotes. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const name = String(step);
      if (!/^[\w$-]+$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}

/** What a field accepts, in words: `a whole number from 0 to 65535`. */
export function expectation(schema: SchemaNode | null): string {
  if (schema === null) return 'another value';
  if (schema.enum !== undefined)
    return `one of ${schema.enum.map((word) => JSON.stringify(word)).join(', ')}`;
  const range =
    schema.minimum === undefined || schema.maximum === undefined
      ? ''
      : ` from ${schema.minimum} to ${schema.maximum}`;
  switch (schema.type) {
    case 'integer':
      return `a whole number${range}`;
    case 'number':
      return `a number${range}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return schema.minLength === undefined ? 'a string' : 'a string that is not empty';
    case 'array':
      return schema.items?.type === 'string' ? 'a list of strings' : 'a list';
    case 'object':
      return 'an object';
    case undefined:
      return schema.anyOf?.some((branch) => branch.type === 'array') === true
        ? 'a string or a list of strings'
        : 'a string';
  }
}

/** Whether the found value may be shown: it stands where a number or a word of a few is expected, so it is no secret. */
function mayShow(schema: SchemaNode | null): boolean {
  if (schema === null || schema.secret === true) return false;
  return schema.enum !== undefined || ['integer', 'number', 'boolean'].includes(schema.type ?? '');
}

function kindOf(value: unknown, show: boolean): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      if (value === '') return 'an empty string';
      return show && value.length <= 40 ? `the string ${JSON.stringify(value)}` : 'a string';
    case 'number':
      return show ? `the number ${value}` : 'a number';
    case 'boolean':
      return show ? String(value) : 'a boolean';
    default:
      return 'an object';
  }
}

/** The value of a raw document at a path; `undefined` where there is none. */
function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

function example(schema: SchemaNode | null): string {
  const shown = schema?.sample ?? schema?.default;
  if (shown === undefined || shown === '') return '';
  if (typeof shown === 'object' && schema?.sample === undefined) return '';
  return `; example: ${JSON.stringify(shown)}`;
}

/** One sentence about one issue, and the place it is about. */
export interface IssueText {
  readonly path: readonly PropertyKey[];
  /** Set when the sentence is about a member's name, which stands in the object at `path`. */
  readonly member: string | null;
  readonly text: string;
}

/** Says for every issue which field it is about, what was found (never a secret) and what would be right. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  document: unknown,
  root: SchemaNode,
): readonly IssueText[] {
  return issues.flatMap((issue): readonly IssueText[] => {
    const { path } = issue;
    const schema = schemaAt(root, path);
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(schema?.properties ?? {});
      return issue.keys.map((member) => ({ path, member, text: unknownField([...path, member], known) }));
    }
    const name = fieldName(path);
    if (issue.code === 'invalid_key') {
      const [reason] = issue.issues;
      const parent = path.slice(0, -1);
      return [
        {
          path: parent,
          member: String(path.at(-1)),
          text: `${name}: ${reason?.message ?? 'not a usable name'}`,
        },
      ];
    }
    if (issue.code === 'custom' || issue.code === 'invalid_format') {
      return [{ path, member: null, text: `${name}: ${issue.message}` }];
    }
    const found = valueAt(document, path);
    if (found === undefined) {
      const missing = `${name}: is missing, expected ${expectation(schema)}${example(schema)}`;
      return [{ path: path.slice(0, -1), member: null, text: missing }];
    }
    const what = kindOf(found, mayShow(schema) && !hasSecretParent(root, path));
    const subject = path.length === 0 ? 'the document' : name;
    return [
      {
        path,
        member: null,
        text: `${subject}: expected ${expectation(schema)}, found ${what}${example(schema)}`,
      },
    ];
  });
}

function hasSecretParent(root: SchemaNode, path: readonly PropertyKey[]): boolean {
  return path.some((_, index) => schemaAt(root, path.slice(0, index + 1))?.secret === true);
}

function unknownField(path: readonly PropertyKey[], known: readonly string[]): string {
  const near = closestName(String(path.at(-1)), known);
  const hint = near === null ? `known here: ${known.join(', ')}` : `did you mean ${JSON.stringify(near)}?`;
  return `unknown field ${JSON.stringify(fieldName(path))}; ${hint}`;
}
