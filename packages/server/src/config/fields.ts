import { z } from 'zod';
import { configSchema } from './schema.ts';

/** Beginning of every environment variable that sets a field. */
export const ENVIRONMENT_PREFIX = 'AGENTAPI_PROXY_';

/** The part of JSON Schema that zod writes for {@link configSchema}. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | undefined;
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly minLength?: number | undefined;
  readonly items?: SchemaNode | undefined;
  readonly properties?: Readonly<Record<string, SchemaNode>> | undefined;
  readonly additionalProperties?: SchemaNode | boolean | undefined;
  readonly anyOf?: readonly SchemaNode[] | undefined;
  readonly env?: string | undefined;
  readonly secret?: boolean | undefined;
  readonly shownDefault?: string | undefined;
  readonly sample?: unknown;
}

const schemaNode: z.ZodType<SchemaNode> = z.lazy(() =>
  z.looseObject({
    type: z.enum(['object', 'array', 'string', 'integer', 'number', 'boolean']).optional(),
    description: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    minLength: z.number().optional(),
    items: schemaNode.optional(),
    properties: z.record(z.string(), schemaNode).optional(),
    additionalProperties: z.union([z.boolean(), schemaNode]).optional(),
    anyOf: z.array(schemaNode).optional(),
    env: z.string().optional(),
    secret: z.boolean().optional(),
    shownDefault: z.string().optional(),
  }),
);

/** The JSON Schema of what a zod schema takes in, with our own keywords `env`, `secret`, `shownDefault` and `sample`. */
export function jsonSchemaOf(schema: z.ZodType): SchemaNode {
  return schemaNode.parse(z.toJSONSchema(schema, { io: 'input' }));
}

/** {@link jsonSchemaOf} the configuration. */
export function annotatedSchema(): SchemaNode {
  return jsonSchemaOf(configSchema);
}

/** How a field's value is written in an environment variable. */
type TextForm = 'number' | 'boolean' | 'text' | 'list' | 'arguments' | 'json';

/** A field that holds a value, as opposed to a group of fields. */
export interface Field {
  readonly path: readonly string[];
  /** Environment variables that set it; the first one that is set wins. */
  readonly variables: readonly string[];
  readonly form: TextForm;
  readonly schema: SchemaNode;
}

function formOf(schema: SchemaNode): TextForm {
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  if (schema.type === 'boolean') return 'boolean';
  if (schema.type === 'array') return schema.items?.type === 'string' ? 'list' : 'json';
  if (schema.type === 'object') return 'json';
  return schema.anyOf?.some((branch) => branch.type === 'array') === true ? 'arguments' : 'text';
}

/** Every field below a group, in the order of the schema. */
export function fieldsOf(schema: SchemaNode, parents: readonly string[] = []): readonly Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]): readonly Field[] => {
    if (name.startsWith('$')) return [];
    const path = [...parents, name];
    if (child.properties !== undefined) return fieldsOf(child, path);
    const ownName = ENVIRONMENT_PREFIX + path.join('_').toUpperCase();
    const variables = child.env === undefined ? [ownName] : [ownName, child.env];
    return [{ path, variables, form: formOf(child), schema: child }];
  });
}

/** The rule for the value at a path of a configuration; `null` where no rule names it. */
export function schemaAt(schema: SchemaNode, path: readonly PropertyKey[]): SchemaNode | null {
  let node: SchemaNode | undefined = schema;
  for (const step of path) {
    if (node === undefined) return null;
    const branch: SchemaNode = node.anyOf?.find((each) => each.type === 'array') ?? node;
    if (typeof step === 'number') {
      node = branch.items;
      continue;
    }
    const rest: SchemaNode | boolean | undefined = branch.additionalProperties;
    node = branch.properties?.[String(step)] ?? (typeof rest === 'object' ? rest : undefined);
  }
  return node ?? null;
}
