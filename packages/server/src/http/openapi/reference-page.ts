import { createHash } from 'node:crypto';
import { isObject, SCHEMAS } from './json.ts';
import type { Json, JsonObject } from './json.ts';
import { REFERENCE_STYLE } from './reference-style.ts';

/** A page, and the content security policy under which it works: no script, nothing from elsewhere. */
export interface Page {
  readonly html: string;
  readonly policy: string;
}

const METHOD_ORDER = ['get', 'post', 'put', 'delete'];

/** A page that shows an OpenAPI document to people. */
export function referencePage(document: JsonObject): Page {
  const info = objectOf(document['info']);
  const operations = operationsOf(document);
  const groups = listOf(document['tags']).map((tag) => ({
    name: textOf(objectOf(tag)['name']),
    description: textOf(objectOf(tag)['description']),
    its: operations.filter(({ operation }) =>
      listOf(operation['tags']).includes(textOf(objectOf(tag)['name'])),
    ),
  }));
  const schemas = objectOf(objectOf(document['components'])['schemas']);
  const style = createHash('sha256').update(REFERENCE_STYLE).digest('base64');
  return {
    policy: `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(textOf(info['title']))} API</title>
<style>${REFERENCE_STYLE}</style>
</head>
<body>
<nav aria-label="Operations">
<p class="title"><a href="#top">${escape(textOf(info['title']))}</a> <small>${escape(textOf(info['version']))}</small></p>
${groups.map(({ name, its }) => `<h2>${escape(name)}</h2>\n<ul>${its.map(navEntry).join('')}</ul>`).join('\n')}
<h2><a href="#schemas">Schemas</a></h2>
</nav>
<main id="top">
<h1>${escape(textOf(info['title']))} API</h1>
${paragraphs(textOf(info['description']))}
<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI ${escape(textOf(document['openapi']))}).</p>
${groups.map((group) => groupHtml(group, schemas)).join('\n')}
<section id="schemas"><h2>Schemas</h2>
${Object.entries(schemas)
  .map(([name, schema]) => schemaHtml(name, objectOf(schema)))
  .join('\n')}
</section>
</main>
</body>
</html>
`,
  };
}

interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: JsonObject;
}

function operationsOf(document: JsonObject): readonly Described[] {
  return Object.entries(objectOf(document['paths'])).flatMap(([path, operations]) =>
    Object.entries(objectOf(operations))
      .map(([method, operation]) => ({ method, path, operation: objectOf(operation) }))
      .sort((a, b) => METHOD_ORDER.indexOf(a.method) - METHOD_ORDER.indexOf(b.method)),
  );
}

function navEntry({ method, path, operation }: Described): string {
  const id = escape(textOf(operation['operationId']));
  return `<li><a href="#${id}">${methodHtml(method)} <span>${pathHtml(path)}</span></a></li>`;
}

interface Group {
  readonly name: string;
  readonly description: string;
  readonly its: readonly Described[];
}

function groupHtml({ name, description, its }: Group, schemas: JsonObject): string {
  return `<section><h2>${escape(name)}</h2>${paragraphs(description)}${its.map((one) => operationHtml(one, schemas)).join('\n')}</section>`;
}

function operationHtml({ method, path, operation }: Described, schemas: JsonObject): string {
  const parameters = listOf(operation['parameters']).map(objectOf);
  const body = objectOf(operation['requestBody']);
  const answers = Object.entries(objectOf(operation['responses']));
  const successes = answers.filter(([status]) => status < '3');
  const refusals = answers.filter(([status]) => status >= '3');
  return `<article id="${escape(textOf(operation['operationId']))}">
<h3>${methodHtml(method)} <code>${pathHtml(path)}</code></h3>
<p class="summary">${escape(textOf(operation['summary']))}</p>
${paragraphs(textOf(operation['description']))}
${parameters.length === 0 ? '' : `<h4>Parameters</h4><dl>${parameters.map(parameterHtml).join('')}</dl>`}
${Object.keys(body).length === 0 ? '' : `<h4>Body${body['required'] === true ? '' : ' <small>optional</small>'}</h4>${contentHtml(body, schemas)}`}
<h4>Answer</h4>
${successes.map(([status, answer]) => `<p><b>${escape(status)}</b></p>${contentHtml(objectOf(answer), schemas)}`).join('')}
<details><summary>Refusals</summary><ul>${refusals.map(refusalHtml).join('')}</ul></details>
</article>`;
}

function parameterHtml(parameter: JsonObject): string {
  const isNeeded = parameter['required'] === true;
  return `<dt><code>${escape(textOf(parameter['name']))}</code> <small>${typeHtml(objectOf(parameter['schema']))}, ${escape(textOf(parameter['in']))}${isNeeded ? '' : ', optional'}</small></dt><dd>${inline(textOf(parameter['description']))}</dd>`;
}

function refusalHtml([status, answer]: readonly [string, Json]): string {
  const { $ref, description } = objectOf(answer);
  const text = typeof $ref === 'string' ? ($ref.split('/').at(-1) ?? '') : textOf(description);
  return `<li><b>${escape(status)}</b> ${inline(text.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' '))}</li>`;
}

function contentHtml(holder: JsonObject, schemas: JsonObject): string {
  return Object.entries(objectOf(holder['content']))
    .map(([type, media]) => {
      const schema = objectOf(objectOf(media)['schema']);
      const kind = type === 'application/json' ? '' : `<small>${escape(type)}</small> `;
      return `<p>${kind}${typeHtml(schema)}</p>${membersHtml(resolved(schema, schemas))}`;
    })
    .join('');
}

/** The named schema that is meant, where a name is all there is, or the only thing besides `null`. */
function resolved(schema: JsonObject, schemas: JsonObject): JsonObject {
  const named = [schema, ...listOf(schema['anyOf']).map(objectOf)].find((one) => '$ref' in one);
  return named === undefined ? schema : objectOf(schemas[textOf(named['$ref']).slice(SCHEMAS.length)]);
}

function schemaHtml(name: string, schema: JsonObject): string {
  return `<article id="schema-${escape(name)}"><h3><code>${escape(name)}</code></h3><p>${inline(textOf(schema['description']))}</p><p>${typeHtml(schema)}</p>${membersHtml(schema)}</article>`;
}

function membersHtml(schema: JsonObject): string {
  const needed = listOf(schema['required']);
  const members = Object.entries(objectOf(schema['properties']));
  if (members.length === 0) return '';
  const rows = members.map(([name, value]) => {
    const member = objectOf(value);
    const optional = needed.includes(name) ? '' : ', optional';
    return `<dt><code>${escape(name)}</code> <small>${typeHtml(member)}${optional}</small></dt><dd>${inline(textOf(member['description']))}${membersHtml(itemOf(member))}</dd>`;
  });
  return `<dl>${rows.join('')}</dl>`;
}

function itemOf(schema: JsonObject): JsonObject {
  return schema['type'] === 'array' ? objectOf(schema['items']) : schema;
}

/** What a schema allows, in a few words. */
function typeHtml(schema: JsonObject): string {
  const { $ref, type, items, additionalProperties } = schema;
  if (typeof $ref === 'string') {
    const name = escape($ref.slice(SCHEMAS.length));
    return `<a href="#schema-${name}">${name}</a>`;
  }
  const choices = listOf(schema['enum']);
  if (choices.length > 0)
    return choices.map((choice) => `<code>${escape(JSON.stringify(choice))}</code>`).join(' or ');
  if (schema['const'] !== undefined) return `<code>${escape(JSON.stringify(schema['const']))}</code>`;
  const forms = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])];
  if (forms.length > 0) return forms.map((form) => typeHtml(objectOf(form))).join(' or ');
  if (type === 'array') return `list of ${typeHtml(objectOf(items))}`;
  if (type === 'object' && isObject(additionalProperties)) return `map to ${typeHtml(additionalProperties)}`;
  const names = Array.isArray(type) ? type.map((name: Json) => textOf(name)).join(' or ') : textOf(type);
  const format = textOf(schema['format']);
  return escape(format === '' ? names || 'any' : `${names} (${format})`);
}

function methodHtml(method: string): string {
  return `<b class="method ${escape(method)}">${escape(method.toUpperCase())}</b>`;
}

/** Long paths may break behind slashes. */
function pathHtml(path: string): string {
  return escape(path).replaceAll('/', '/<wbr>');
}

function paragraphs(text: string): string {
  return text === ''
    ? ''
    : text
        .split('\n\n')
        .map((part) => `<p>${inline(part)}</p>`)
        .join('\n');
}

/** The one thing of Markdown that descriptions use. */
function inline(text: string): string {
  return escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
