import { PASSED_ALWAYS } from './environment-names.ts';
import { annotatedSchema, type Field, fieldsOf, type SchemaNode } from './fields.ts';

const TABLE_START = '<!-- generated table: start -->';
const TABLE_END = '<!-- generated table: end -->';

/** The JSON Schema of the configuration file, as published in `config.schema.json`. */
export function configSchemaDocument(): string {
  const schema = annotatedSchema();
  const variables = new Map(fieldsOf(schema).map((field) => [field.path.join('.'), field.variables]));
  const document = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of agentapi-proxy',
    ...published(schema, [], variables),
  };
  return `${formatted(document, 0, 0)}\n`;
}

/** Line width of the repository's formatter, which checks this file too. */
const LINE_WIDTH = 110;

/** JSON as the formatter wants it: lists without objects on one line where they fit. */
function formatted(value: unknown, depth: number, column: number): string {
  const indent = '  '.repeat(depth + 1);
  const close = '  '.repeat(depth);
  if (Array.isArray(value)) {
    const flat = JSON.stringify(value).replaceAll('","', '", "');
    if (!flat.includes('{') && column + flat.length < LINE_WIDTH) return flat;
    const items = value.map((item) => indent + formatted(item, depth + 1, indent.length));
    return `[\n${items.join(',\n')}\n${close}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => {
    const start = `${indent}${JSON.stringify(name)}: `;
    return start + formatted(member, depth + 1, start.length);
  });
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${close}}`;
}

/** The node without our own keywords, and with the environment variables in its description. */
function published(
  node: SchemaNode,
  path: readonly string[],
  variables: ReadonlyMap<string, readonly string[]>,
): Record<string, unknown> {
  const { env: _env, secret: _secret, shownDefault: _shown, sample, description, properties, ...rest } = node;
  const names = variables.get(path.join('.'));
  const text = [description, names === undefined ? undefined : `Environment: ${names.join(' or ')}.`];
  const { items, additionalProperties: others } = node;
  return {
    ...(description === undefined
      ? {}
      : { description: text.filter((part) => part !== undefined).join(' ') }),
    ...rest,
    ...(sample === undefined ? {} : { examples: [sample] }),
    ...(items === undefined ? {} : { items: published(items, [...path, '[]'], variables) }),
    ...(typeof others === 'object'
      ? { additionalProperties: published(others, [...path, '*'], variables) }
      : {}),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, child]) => [
              name,
              published(child, [...path, name], variables),
            ]),
          ),
        }),
  };
}

/** The table of all fields in `docs/configuration.md`, between its markers. */
export function configTable(): string {
  const fields = fieldsOf(annotatedSchema());
  const rows = fields.flatMap((field) => [rowOf(field), ...rowsBelow(field)]);
  const words = (list: readonly unknown[]): string => list.map((word) => `\`${String(word)}\``).join(', ');
  return [
    TABLE_START,
    '',
    '| field | environment variable | default | meaning |',
    '|---|---|---|---|',
    ...rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`),
    '',
    ...fields.flatMap(({ path, schema: { default: value } }) =>
      Array.isArray(value) && isLong(value) ? [`Default of \`${path.join('.')}\`: ${words(value)}.`, ''] : [],
    ),
    `Sessions always get these variables of the server, where it has them: ${words(PASSED_ALWAYS)}.`,
    '',
    TABLE_END,
  ].join('\n');
}

function rowOf(field: Field): readonly string[] {
  const { schema } = field;
  const variables = field.variables.map((name) => `\`${name}\``).join(', ');
  return [`\`${field.path.join('.')}\``, variables, defaultOf(schema), meaningOf(schema)];
}

/** The members of entries: they have no variable of their own. */
function rowsBelow(field: Field): readonly (readonly string[])[] {
  const { items, additionalProperties } = field.schema;
  const entry = items ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
  const prefix = field.path.join('.') + (items === undefined ? '.NAME' : '[]');
  return Object.entries(entry?.properties ?? {}).map(([name, schema]) => [
    `\`${prefix}.${name}\``,
    '',
    defaultOf(schema),
    meaningOf(schema),
  ]);
}

function meaningOf(schema: SchemaNode): string {
  const words = schema.enum?.map((word) => `\`${String(word)}\``).join(', ');
  return [schema.description, words === undefined ? undefined : `One of ${words}.`]
    .filter((part) => part !== undefined)
    .join(' ');
}

/** Longer lists would make the column too wide; they are written out in the text below the table. */
const WIDEST_DEFAULT = 40;

function defaultOf(schema: SchemaNode): string {
  if (schema.shownDefault !== undefined) return schema.shownDefault;
  const { default: value } = schema;
  if (value === undefined || value === '') return '';
  return isLong(value) ? 'see below' : `\`${shown(value)}\``;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isLong(value: unknown): boolean {
  return shown(value).length > WIDEST_DEFAULT;
}

/** The page with the table in place of the one between its markers. */
export function withTable(page: string): string {
  const start = page.indexOf(TABLE_START);
  const end = page.indexOf(TABLE_END);
  if (start === -1 || end < start)
    throw new Error(`the page lacks the markers ${TABLE_START} and ${TABLE_END}`);
  return page.slice(0, start) + configTable() + page.slice(end + TABLE_END.length);
}
