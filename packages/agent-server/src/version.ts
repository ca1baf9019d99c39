/** The version of coder/agentapi whose interface this server offers; clients read it from `--version` and the OpenAPI document. */
export const AGENTAPI_VERSION = '0.12.1';
