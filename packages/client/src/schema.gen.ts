/*
 * Generated from openapi/agentapi-proxy.json by `npm run openapi`; changes by hand are lost.
 */

export interface components {
    schemas: {
        /**
         * AgentStatus
         * @example stable
         * @enum {string}
         */
        readonly AgentStatus: "running" | "stable";
        readonly ApiKey: {
            /** Format: date-time */
            readonly created_at: string;
            readonly created_by: string;
            readonly expires_at: string | null;
            readonly hint: string;
            readonly id: string;
            readonly last_used_at: string | null;
            readonly name: string;
            readonly permissions: readonly string[];
            readonly revoked_at: string | null;
            readonly role: string;
            readonly user_id: string;
        };
        readonly ApiKeyList: {
            readonly api_keys: readonly components["schemas"]["ApiKey"][];
        };
        readonly AuditEntry: {
            readonly action: string;
            /** Format: date-time */
            readonly at: string;
            readonly details: {
                readonly [key: string]: string | number | boolean | null;
            };
            readonly id: number;
            readonly key_id: string | null;
            /** @enum {string} */
            readonly outcome: "allowed" | "denied" | "failed";
            readonly remote_address: string | null;
            readonly request_id: string | null;
            readonly target_id: string | null;
            readonly target_kind: string | null;
            readonly user_id: string | null;
        };
        readonly AuditPage: {
            readonly entries: readonly components["schemas"]["AuditEntry"][];
            readonly next_cursor?: string | undefined;
        };
        readonly ConversationMessage: {
            readonly content: string;
            /** @description Event of the last change of the message. */
            readonly event_id: number;
            /** @description Number of the message in its conversation. */
            readonly id: number;
            /** @enum {string} */
            readonly role: "agent" | "user";
            readonly time: string;
        };
        readonly ConversationPage: {
            readonly messages: readonly components["schemas"]["ConversationMessage"][];
            readonly next_cursor?: string | undefined;
        };
        /**
         * ConversationRole
         * @example user
         * @enum {string}
         */
        readonly ConversationRole: "agent" | "user";
        readonly CreateApiKeyRequest: {
            readonly expires_at?: (string | null) | undefined;
            /**
             * @description For people.
             * @default API key
             */
            readonly name?: string | undefined;
            /** @description Default: those of the role, as far as the caller has them. */
            readonly permissions?: readonly string[] | undefined;
            /**
             * @default user
             * @enum {string}
             */
            readonly role?: ("admin" | "user" | "readonly") | undefined;
            /** @description For admins; default: the caller. */
            readonly user_id?: string | undefined;
        };
        readonly CreateShareLinkRequest: {
            /** Format: date-time */
            readonly expires_at?: string | undefined;
            /** @description Instead of `expires_at`; default: a day. */
            readonly ttl_seconds?: number | undefined;
        };
        readonly Done: {
            readonly message: string;
        };
        /** @description Why a request was refused, or failed. */
        readonly Error: {
            /** @description For programs; codes never change their meaning. */
            readonly code: string;
            /** @description The member, parameter or tag that is wrong. */
            readonly field?: string | undefined;
            /** @description For people. */
            readonly message: string;
            /** @description Id of the request in the server's log. */
            readonly request_id: string;
        } & {
            readonly [key: string]: string | number;
        };
        readonly ErrorBody: {
            /** @description Error level */
            readonly level: components["schemas"]["ErrorLevel"];
            /** @description Error message */
            readonly message: string;
            /**
             * Format: date-time
             * @description Timestamp when the error occurred
             */
            readonly time: string;
        };
        readonly ErrorDetail: {
            /** @description Where the error occurred, e.g. 'body.items[3].tags' or 'path.thing-id' */
            readonly location?: string | undefined;
            /** @description Error message text */
            readonly message?: string | undefined;
            /** @description The value at the given location */
            readonly value?: unknown | undefined;
        };
        /**
         * ErrorLevel
         * @example warning
         * @enum {string}
         */
        readonly ErrorLevel: "error" | "warning";
        readonly ErrorModel: {
            /**
             * Format: uri
             * @description A URL to the JSON Schema for this object.
             * @example https://example.com/schemas/ErrorModel.json
             */
            readonly $schema?: string | undefined;
            /**
             * @description A human-readable explanation specific to this occurrence of the problem.
             * @example Property foo is required but is missing.
             */
            readonly detail?: string | undefined;
            /** @description Optional list of individual error details */
            readonly errors?: (readonly components["schemas"]["ErrorDetail"][] | null) | undefined;
            /**
             * Format: uri
             * @description A URI reference that identifies the specific occurrence of the problem.
             * @example https://example.com/error-log/abc123
             */
            readonly instance?: string | undefined;
            /**
             * Format: int64
             * @description HTTP status code
             * @example 400
             */
            readonly status?: number | undefined;
            /**
             * @description A short, human-readable summary of the problem type. This value should not change between occurrences of the error.
             * @example Bad Request
             */
            readonly title?: string | undefined;
            /**
             * Format: uri
             * @description A URI reference to human-readable documentation for the error.
             * @default about:blank
             * @example https://example.com/errors/example
             */
            readonly type?: string | undefined;
        };
        readonly GitDiff: {
            /** @description Commit that the files are compared with. */
            readonly against: string | null;
            /** @description Unified, as `git diff` prints it. */
            readonly diff: string;
            readonly files: readonly {
                /** @description Lines; `null` for a file that is not text. */
                readonly added: number | null;
                /** @enum {string} */
                readonly change: "added" | "modified" | "deleted" | "renamed" | "copied" | "type_changed" | "conflicted" | "untracked";
                readonly from?: string | undefined;
                readonly path: string;
                readonly removed: number | null;
            }[];
            /** @description Whether text or files are left out. */
            readonly truncated: boolean;
        };
        readonly GitPush: {
            readonly branch: string;
            readonly commit: string;
            /** @enum {string} */
            readonly result: "created" | "updated" | "up_to_date";
        };
        readonly GitPushRequest: {
            /** @description Branch to push to; default: the one checked out. */
            readonly branch?: string | undefined;
            /** @description Give up commits that only the forge has. */
            readonly force?: boolean | undefined;
        };
        readonly GitStatus: {
            /** @description Branch that is checked out; `null` = none. */
            readonly branch: string | null;
            /** @description Whether all is committed. */
            readonly clean: boolean;
            /** @description Last commit; `null` before the first one. */
            readonly commit: string | null;
            /** @description Commits since the session began; `null` when that is not known. */
            readonly commits_since_start: number | null;
            readonly files: readonly {
                /** @description Former path of a renamed or copied file. */
                readonly from?: string | undefined;
                readonly path: string;
                readonly staged: ("added" | "modified" | "deleted" | "renamed" | "copied" | "type_changed" | "conflicted" | "untracked") | null;
                readonly unstaged: ("added" | "modified" | "deleted" | "renamed" | "copied" | "type_changed" | "conflicted" | "untracked") | null;
            }[];
            /** @description Whether there are more files. */
            readonly truncated: boolean;
        };
        readonly Health: {
            /** @constant */
            readonly status: "ok";
        };
        readonly IssuedApiKey: {
            /** Format: date-time */
            readonly created_at: string;
            readonly created_by: string;
            readonly expires_at: string | null;
            readonly hint: string;
            readonly id: string;
            /** @description The key itself; it is never shown again. */
            readonly key: string;
            readonly last_used_at: string | null;
            readonly name: string;
            readonly permissions: readonly string[];
            readonly revoked_at: string | null;
            readonly role: string;
            readonly user_id: string;
        };
        readonly IssuedShareLink: {
            /** Format: date-time */
            readonly created_at: string;
            readonly created_by: string;
            /** Format: date-time */
            readonly expires_at: string;
            readonly id: string;
            readonly session_id: string;
            /** @description Works in the place of a key; it is never shown again. */
            readonly token: string;
        };
        readonly Me: {
            /** @enum {string} */
            readonly authentication: "on" | "off";
            /** Format: date-time */
            readonly expires_at?: string | undefined;
            readonly permissions: readonly string[];
            readonly role: string;
            /** @description The one session that a share link opens. */
            readonly session_id?: string | undefined;
            readonly user_id: string;
        };
        readonly Message: {
            /**
             * @description Message content. The message is formatted as it appears in the agent's terminal session, meaning that, by default, it consists of lines of text with 80 characters per line.
             * @example Hello world
             */
            readonly content: string;
            /**
             * Format: int64
             * @description Unique identifier for the message. This identifier also represents the order of the message in the conversation history.
             */
            readonly id: number;
            /** @description Role of the message author */
            readonly role: components["schemas"]["ConversationRole"];
            /**
             * Format: date-time
             * @description Timestamp of the message
             */
            readonly time: string;
        };
        readonly MessageMatch: {
            /** @description Number of the message in its conversation. */
            readonly id: number;
            /** @enum {string} */
            readonly role: "agent" | "user";
            readonly session_id: string;
            /** @description Where the first word is. */
            readonly snippet: string;
            readonly time: string;
        };
        readonly MessageMatchPage: {
            readonly matches: readonly components["schemas"]["MessageMatch"][];
            readonly next_cursor?: string | undefined;
        };
        readonly MessageRequestBody: {
            /**
             * Format: uri
             * @description A URL to the JSON Schema for this object.
             * @example https://example.com/schemas/MessageRequestBody.json
             */
            readonly $schema?: string | undefined;
            /**
             * @description Message content
             * @example Hello, agent!
             */
            readonly content: string;
            /** @description A 'user' type message will be logged as a user message in the conversation history and submitted to the agent. AgentAPI will wait until the agent starts carrying out the task described in the message before responding. A 'raw' type message will be written directly to the agent's terminal session as keystrokes and will not be saved in the conversation history. 'raw' messages are useful for sending escape sequences to the terminal. */
            readonly type: components["schemas"]["MessageType"];
        };
        readonly MessageResponseBody: {
            /**
             * Format: uri
             * @description A URL to the JSON Schema for this object.
             * @example https://example.com/schemas/MessageResponseBody.json
             */
            readonly $schema?: string | undefined;
            /** @description Indicates whether the message was sent successfully. For messages of type 'user', success means detecting that the agent began executing the task described. For messages of type 'raw', success means the keystrokes were sent to the terminal. */
            readonly ok: boolean;
        };
        readonly MessagesResponseBody: {
            /**
             * Format: uri
             * @description A URL to the JSON Schema for this object.
             * @example https://example.com/schemas/MessagesResponseBody.json
             */
            readonly $schema?: string | undefined;
            /** @description List of messages */
            readonly messages: readonly components["schemas"]["Message"][];
        };
        /**
         * MessageType
         * @example user
         * @enum {string}
         */
        readonly MessageType: "raw" | "user";
        readonly MessageUpdateBody: {
            /**
             * Format: int64
             * @description Unique identifier for the message. This identifier also represents the order of the message in the conversation history.
             */
            readonly id: number;
            /** @description Message content. The message is formatted as it appears in the agent's terminal session, meaning that, by default, it consists of lines of text with 80 characters per line. */
            readonly message: string;
            /** @description Role of the message author */
            readonly role: components["schemas"]["ConversationRole"];
            /**
             * Format: date-time
             * @description Timestamp of the message
             */
            readonly time: string;
        };
        readonly OpenApiDocument: {
            readonly openapi: string;
        };
        readonly Profile: {
            readonly agent?: string | undefined;
            readonly agent_args?: readonly string[] | undefined;
            /** Format: date-time */
            readonly created_at: string;
            readonly description?: string | undefined;
            /** @description For the owner with a key that may change the profile; others get environment_names. */
            readonly environment?: {
                readonly [key: string]: string;
            } | undefined;
            readonly environment_names?: readonly string[] | undefined;
            readonly id: string;
            readonly is_default?: boolean | undefined;
            /** Format: date-time */
            readonly last_used_at?: string | undefined;
            readonly message_templates: readonly components["schemas"]["ProfileTemplate"][];
            readonly name: string;
            readonly repository?: string | undefined;
            readonly repository_history: readonly components["schemas"]["ProfileRepository"][];
            readonly script?: string | undefined;
            readonly system_prompt: string;
            /** Format: date-time */
            readonly updated_at: string;
            readonly user_id: string;
        };
        readonly ProfileDeletion: {
            readonly message: string;
            readonly profile_id: string;
        };
        readonly ProfileList: {
            readonly profiles: readonly components["schemas"]["Profile"][];
            readonly total: number;
        };
        readonly ProfileReply: {
            readonly profile: components["schemas"]["Profile"];
        };
        readonly ProfileRepository: {
            /** Format: date-time */
            readonly accessed_at: string;
            readonly branch?: string | undefined;
            readonly id: string;
            readonly last_commit?: string | undefined;
            readonly metadata?: {
                readonly [key: string]: string;
            } | undefined;
            readonly name: string;
            readonly url: string;
        };
        readonly ProfileRepositoryRequest: {
            readonly branch?: (string | null) | undefined;
            /** @description Of an entry that the profile has; other ids are replaced. */
            readonly id?: (string | null) | undefined;
            readonly last_commit?: (string | null) | undefined;
            readonly metadata?: ({
                readonly [key: string]: string;
            } | null) | undefined;
            readonly name?: (string | null) | undefined;
            readonly url?: (string | null) | undefined;
        };
        readonly ProfileRequest: {
            /** @description Name of a configured agent; empty = none. */
            readonly agent?: (string | null) | undefined;
            readonly agent_args?: (readonly string[] | null) | undefined;
            readonly description?: (string | null) | undefined;
            readonly environment?: ({
                readonly [key: string]: string;
            } | null) | undefined;
            /** @description Whether POST /start-with-profile takes it when the request names no profile. */
            readonly is_default?: (boolean | null) | undefined;
            readonly message_templates?: (readonly components["schemas"]["ProfileTemplateRequest"][] | null) | undefined;
            readonly name?: (string | null) | undefined;
            /** @description Repository of sessions whose request names none; empty = none. */
            readonly repository?: (string | null) | undefined;
            readonly repository_history?: (readonly components["schemas"]["ProfileRepositoryRequest"][] | null) | undefined;
            /** @description Name of an allowed start script; empty = none. */
            readonly script?: (string | null) | undefined;
            readonly system_prompt?: (string | null) | undefined;
        };
        readonly ProfileTemplate: {
            readonly category?: string | undefined;
            readonly content: string;
            /** Format: date-time */
            readonly created_at: string;
            readonly id: string;
            readonly metadata?: {
                readonly [key: string]: string;
            } | undefined;
            readonly name: string;
            readonly variables?: readonly string[] | undefined;
        };
        readonly ProfileTemplateRequest: {
            readonly category?: (string | null) | undefined;
            /** @description Text with variables as `{{name}}`. */
            readonly content?: (string | null) | undefined;
            /** @description Of a template that the profile has; other ids are replaced. */
            readonly id?: (string | null) | undefined;
            readonly metadata?: ({
                readonly [key: string]: string;
            } | null) | undefined;
            readonly name?: (string | null) | undefined;
            readonly variables?: (readonly string[] | null) | undefined;
        };
        readonly PullRequest: {
            readonly base: string;
            readonly head: string;
            readonly number: number;
            readonly url: string;
        };
        readonly PullRequestRequest: {
            /** @description Branch that the changes go into; default: the one that the session began on. */
            readonly base?: string | undefined;
            readonly body?: string | undefined;
            readonly draft?: boolean | undefined;
            /** @description Branch with the changes; default: the one checked out. */
            readonly head?: string | undefined;
            readonly title: string;
        };
        readonly QueuedMessage: {
            readonly content: string;
            /** Format: date-time */
            readonly created_at: string;
            readonly created_by: string;
            readonly id: string;
            /** @description Order of delivery in the session. */
            readonly position: number;
            /** @description Why it was not delivered. */
            readonly reason: string | null;
            readonly session_id: string;
            /** @enum {string} */
            readonly state: "pending" | "sending" | "delivered" | "failed" | "cancelled";
            /** Format: date-time */
            readonly updated_at: string;
        };
        readonly QueueMessageRequest: {
            /** @description White space around it is left out. */
            readonly content: string;
        };
        readonly QueuePage: {
            readonly messages: readonly components["schemas"]["QueuedMessage"][];
            readonly next_cursor?: string | undefined;
        };
        readonly Readiness: {
            /** @enum {string} */
            readonly status: "ready" | "starting" | "shutting_down";
        };
        readonly Revocation: {
            readonly id: string;
            readonly message: string;
        };
        readonly RotateApiKeyRequest: {
            /** @description Default: as the old key. */
            readonly expires_at?: (string | null) | undefined;
            /**
             * @description How long the old key is still good. 0 = no more.
             * @default 86400
             */
            readonly overlap_seconds?: number | undefined;
        };
        readonly SearchPage: {
            readonly next_cursor?: string | undefined;
            readonly sessions: readonly components["schemas"]["SessionSummary"][];
        };
        readonly SessionDeletion: {
            readonly message: string;
            readonly session_id: string;
            /** @enum {string} */
            readonly status: "terminated" | "terminating";
        };
        readonly SessionDetail: {
            readonly agent: string;
            /** @enum {string} */
            readonly agent_server: "embedded" | "external";
            readonly agent_type: string;
            /** Format: date-time */
            readonly created_at: string;
            readonly environment_names: readonly string[];
            readonly exit_code: number | null;
            readonly exit_signal: string | null;
            /** @description Why the session failed, for programs; `reason` says it in words. */
            readonly failure?: {
                readonly code: string;
                readonly kind: string;
            } | undefined;
            readonly history: readonly {
                /** Format: date-time */
                readonly at: string;
                readonly reason?: string | undefined;
                /** @enum {string} */
                readonly state: "creating" | "starting" | "running" | "stopping" | "stopped" | "failed";
            }[];
            readonly initial_message?: {
                /** Format: date-time */
                readonly at?: string | undefined;
                readonly reason?: string | undefined;
                /** @enum {string} */
                readonly state: "pending" | "delivered" | "failed";
            } | undefined;
            readonly last_output: readonly string[];
            readonly port: number;
            /** @description How far a start is that takes long, such as the clone of a repository. */
            readonly progress?: {
                readonly detail: string;
                readonly percent: number | null;
                readonly step: string;
            } | undefined;
            readonly reason?: string | undefined;
            /** Format: uuid */
            readonly session_id: string;
            /** Format: date-time */
            readonly started_at: string;
            /** @enum {string} */
            readonly state: "creating" | "starting" | "running" | "stopping" | "stopped" | "failed";
            /** @enum {string} */
            readonly status: "active" | "stopped" | "failed";
            readonly tags: {
                readonly [key: string]: string;
            };
            /** Format: date-time */
            readonly updated_at: string;
            readonly user_id: string;
            /** @description Folder of the workspace, when the session has named it by WORKSPACE_NAME. */
            readonly workspace_name?: string | undefined;
        };
        readonly SessionShare: {
            /** @enum {string} */
            readonly access: "read" | "write";
            /** Format: date-time */
            readonly created_at: string;
            readonly created_by: string;
            readonly expires_at: string | null;
            readonly id: string;
            readonly session_id: string;
            readonly user_id: string;
        };
        readonly SessionShareList: {
            readonly links: readonly components["schemas"]["ShareLink"][];
            readonly shares: readonly components["schemas"]["SessionShare"][];
        };
        readonly SessionSummary: {
            readonly agent: string;
            /** Format: date-time */
            readonly created_at: string;
            readonly port: number;
            /** Format: uuid */
            readonly session_id: string;
            /** Format: date-time */
            readonly started_at: string;
            /** @enum {string} */
            readonly state: "creating" | "starting" | "running" | "stopping" | "stopped" | "failed";
            /** @enum {string} */
            readonly status: "active" | "stopped" | "failed";
            readonly tags: {
                readonly [key: string]: string;
            };
            /** Format: date-time */
            readonly updated_at: string;
            readonly user_id: string;
            /** @description Folder of the workspace, when the session has named it by WORKSPACE_NAME. */
            readonly workspace_name?: string | undefined;
        };
        readonly ShareLink: {
            /** Format: date-time */
            readonly created_at: string;
            readonly created_by: string;
            /** Format: date-time */
            readonly expires_at: string;
            readonly id: string;
            readonly session_id: string;
        };
        readonly ShareSessionRequest: {
            /** @enum {string} */
            readonly access: "read" | "write";
            /** @description Default: with the session. */
            readonly expires_at?: (string | null) | undefined;
            readonly user_id: string;
        };
        readonly StartReply: {
            /**
             * Format: uuid
             * @description Id of the session.
             */
            readonly session_id: string;
        };
        readonly StartRequest: {
            /** @description Name of a configured agent. */
            readonly agent?: string | undefined;
            /** @description Arguments appended to the agent's own. */
            readonly agent_args?: readonly string[] | undefined;
            /** @description Branch to be on; without it the default branch. The tag `branch` does the same. */
            readonly branch?: string | undefined;
            /** @description Make `branch` when the repository does not have it. */
            readonly create_branch?: boolean | undefined;
            /** @description Commits of history to fetch; 0 = all. */
            readonly depth?: number | undefined;
            /** @description Added to the environment of the session's processes. */
            readonly environment?: {
                readonly [key: string]: string;
            } | undefined;
            /** @description Token for the repository. The agent does not get it. */
            readonly github_token?: string | undefined;
            /** @description First message for the agent, delivered once it is ready. */
            readonly message?: string | undefined;
            /** @description Newer web clients put the first message and a GitHub token here (PX-233). */
            readonly params?: {
                readonly github_token?: string | undefined;
                readonly message?: string | undefined;
            } | undefined;
            /** @description Branch, tag or commit to check out; with `create_branch` where the new branch begins. */
            readonly ref?: string | undefined;
            /** @description Repository to work on: `owner/name`, or its address. The same as the tag `repository`. */
            readonly repository?: string | undefined;
            /** @description Name of an allowed start script; see docs/scripts.md. */
            readonly script?: string | undefined;
            /** @description Stored and searchable. `repository` and `message` have a meaning. */
            readonly tags?: {
                readonly [key: string]: string;
            } | undefined;
            /** @description Owner of the session; honoured while authentication is off and for admins. */
            readonly user_id?: string | undefined;
        };
        readonly StartWithProfileRequest: {
            /** @description Name of a configured agent. */
            readonly agent?: string | undefined;
            /** @description Arguments appended to the agent's own. */
            readonly agent_args?: readonly string[] | undefined;
            /** @description Branch to be on; without it the default branch. The tag `branch` does the same. */
            readonly branch?: string | undefined;
            /** @description Make `branch` when the repository does not have it. */
            readonly create_branch?: boolean | undefined;
            /** @description Commits of history to fetch; 0 = all. */
            readonly depth?: number | undefined;
            /** @description Added to the environment of the session's processes. */
            readonly environment?: {
                readonly [key: string]: string;
            } | undefined;
            /** @description Token for the repository. The agent does not get it. */
            readonly github_token?: string | undefined;
            /** @description First message for the agent, delivered once it is ready. */
            readonly message?: string | undefined;
            /** @description Newer web clients put the first message and a GitHub token here (PX-233). */
            readonly params?: {
                readonly github_token?: string | undefined;
                readonly message?: string | undefined;
            } | undefined;
            /** @description Profile to start with; without it the caller's default profile. */
            readonly profile_id?: (string | null) | undefined;
            /** @description Branch, tag or commit to check out; with `create_branch` where the new branch begins. */
            readonly ref?: string | undefined;
            /** @description Repository to work on: `owner/name`, or its address. The same as the tag `repository`. */
            readonly repository?: string | undefined;
            /** @description Name of an allowed start script; see docs/scripts.md. */
            readonly script?: string | undefined;
            /** @description Stored and searchable. `repository` and `message` have a meaning. */
            readonly tags?: {
                readonly [key: string]: string;
            } | undefined;
            /** @description Id or name of one of the profile's message templates, which becomes the first message. */
            readonly template?: string | undefined;
            /** @description Owner of the session; honoured while authentication is off and for admins. */
            readonly user_id?: string | undefined;
            /** @description What the template needs. */
            readonly variables?: {
                readonly [key: string]: string;
            } | undefined;
        };
        readonly StatusChangeBody: {
            /** @description Type of the agent being used by the server. */
            readonly agent_type: string;
            /** @description Agent status */
            readonly status: components["schemas"]["AgentStatus"];
        };
        readonly StatusResponseBody: {
            /**
             * Format: uri
             * @description A URL to the JSON Schema for this object.
             * @example https://example.com/schemas/StatusResponseBody.json
             */
            readonly $schema?: string | undefined;
            /** @description Type of the agent being used by the server. */
            readonly agent_type: string;
            /** @description Current agent status. 'running' means that the agent is processing a message, 'stable' means that the agent is idle and waiting for input. */
            readonly status: components["schemas"]["AgentStatus"];
            /** @description Backend transport being used ('acp' or 'pty'). */
            readonly transport: components["schemas"]["Transport"];
        };
        /**
         * Transport
         * @example pty
         * @enum {string}
         */
        readonly Transport: "acp" | "pty";
        readonly UploadResponseBody: {
            /**
             * Format: uri
             * @description A URL to the JSON Schema for this object.
             * @example https://example.com/schemas/UploadResponseBody.json
             */
            readonly $schema?: string | undefined;
            /** @description Path of the file */
            readonly filePath: string;
            /** @description Indicates whether the files were uploaded successfully. */
            readonly ok: boolean;
        };
        readonly Version: {
            /** @enum {string} */
            readonly agent_server: "embedded" | "external";
            readonly default_agent: string;
            /** @constant */
            readonly name: "agentapi-proxy";
            readonly node: string;
            /** Format: date-time */
            readonly started_at: string;
            readonly version: string;
        };
        readonly WaitResult: {
            /** @description The last event; `after` of the next wait. */
            readonly event_id: number;
            readonly message?: {
                readonly content: string;
                readonly id: number;
                /** @enum {string} */
                readonly role: "agent" | "user";
                readonly time: string;
            } | undefined;
            /** @enum {string} */
            readonly result: "stable" | "message" | "ended" | "timeout";
            /** @enum {string} */
            readonly state: "creating" | "starting" | "running" | "stopping" | "stopped" | "failed";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
