import openapiTS, { astToString } from 'openapi-typescript';

const HEADER = `/*
 * Generated from openapi/agentapi-proxy.json by \`npm run openapi\`; changes by hand are lost.
 */

`;

/** The types of everything that an OpenAPI document describes. */
export async function clientTypes(document: string): Promise<string> {
  const nodes = await openapiTS(document, { alphabetize: true, immutable: true, defaultNonNullable: false });
  return HEADER + astToString(nodes);
}
