import { asObject, type JsonObject, type JsonValue } from './openapi.ts';

/** A page that shows an OpenAPI document; it loads nothing from anywhere. */
export function docsPage(document: JsonObject): string {
  const info = asObject(document['info']);
  const operations = Object.entries(asObject(document['paths'])).flatMap(([path, methods]) =>
    Object.entries(asObject(methods)).map(([method, operation]) =>
      operationHtml(path, method, asObject(operation)),
    ),
  );
  const schemas = Object.entries(asObject(asObject(document['components'])['schemas'])).map(
    ([name, schema]) =>
      `<details id="${escape(name)}"><summary><code>${escape(name)}</code></summary>${codeHtml(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>AgentAPI Reference</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid; border-radius: 4px; font-size: 0.85rem; }
h2 code { font-size: 1.1rem; }
summary { cursor: pointer; padding: 0.2rem 0; }
</style>
</head>
<body>
<h1>${textOf(info['title'])} ${textOf(info['version'])}</h1>
<p>Machine-readable: <a href="openapi.json">openapi.json</a>, <a href="openapi.yaml">openapi.yaml</a>,
<a href="openapi-3.0.json">openapi-3.0.json</a>, <a href="openapi-3.0.yaml">openapi-3.0.yaml</a>.</p>
${operations.join('\n')}
<h1>Schemas</h1>
${schemas.join('\n')}
</body>
</html>
`;
}

function operationHtml(path: string, method: string, operation: JsonObject): string {
  const details = {
    requestBody: operation['requestBody'] ?? null,
    responses: operation['responses'] ?? null,
  };
  return `<section>
<h2><code>${escape(method.toUpperCase())} ${escape(path)}</code> ${textOf(operation['summary'])}</h2>
<p>${textOf(operation['description'])}</p>
<details><summary>Request and responses</summary>${codeHtml(details)}</details>
</section>`;
}

function codeHtml(value: JsonValue): string {
  return `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? escape(value) : '';
}

function escape(text: string): string {
  return text.replace(/[&<>"]/gu, (character) => `&#${character.charCodeAt(0)};`);
}
