import { createConfig, lintFromString } from '@redocly/openapi-core';

/** What a maintained linter finds wrong with an OpenAPI document; asks nobody over the network. */
export async function lintProblems(document: string): Promise<readonly string[]> {
  const config = await createConfig({
    extends: ['recommended-strict'],
    rules: {
      'operation-operationId': 'error',
      'operation-operationId-url-safe': 'error',
      'operation-description': 'off',
      'operation-tag-defined': 'error',
      'operation-singular-tag': 'error',
      'tag-description': 'error',
      'path-params-defined': 'error',
      'no-unused-components': 'error',
      // The reserved words of `/sessions/…` are never ids of sessions (docs/api.md).
      'no-ambiguous-paths': 'off',
    },
  });
  const problems = await lintFromString({
    source: document,
    absoluteRef: 'openapi/agentapi-proxy.json',
    config,
  });
  return problems.map(
    ({ ruleId, message, location: [place] }) => `${place?.pointer ?? ''}: ${ruleId}: ${message}`,
  );
}
