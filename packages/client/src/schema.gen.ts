/*
 * Generated from openapi/agentapi-proxy.json by `npm run openapi`; changes by hand are lost.
 */

export interface components {
    schemas: {
        readonly Agents: {
            /** @description In the order in which `default_agent: auto` looks for them. */
            readonly agents: readonly {
                /** @description Whether its program is there; an environment of a session may find another one. */
                readonly installed: boolean;
                /** @description For `agent` of a start. */
                readonly name: string;
                /**
                 * @description `pty` = through its terminal; `acp` = the Agent Client Protocol.
                 * @enum {string}
                 */
                readonly transport: "pty" | "acp";
                /** @description How its screen is read, such as `claude`. */
                readonly type: string;
            }[];
            /** @description Agent of sessions that name none. */
            readonly default_agent: string;
        };
        /**
         * AgentStatus
         * @example stable
         * @enum {string}
         */
        readonly AgentStatus: "running" | "stable";
        readonly ApiKey: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            readonly created_at: string;
            /** @description User who made it. */
            readonly created_by: string;
            /** @description When it ends; `null` = never. */
            readonly expires_at: string | null;
            /** @description Enough of the key to recognise it. */
            readonly hint: string;
            /** @description Id of the key; it opens nothing. */
            readonly id: string;
            /** @description When it was used last, as far as recorded; `null` = never. */
            readonly last_used_at: string | null;
            /** @description For people. */
            readonly name: string;
            /** @description What the key may do; `*` = everything. */
            readonly permissions: readonly string[];
            /** @description When it was revoked; `null` = it was not. */
            readonly revoked_at: string | null;
            /** @description `admin` sees what belongs to others, too; other names change nothing. */
            readonly role: string;
            /** @description Holder: owner of what is made with the key. */
            readonly user_id: string;
        };
        readonly ApiKeyList: {
            /** @description Oldest first; ended ones are among them for 90 days. */
            readonly api_keys: readonly components["schemas"]["ApiKey"][];
        };
        readonly AuditEntry: {
            /** @description What, such as `session.start` or `key.revoke`. */
            readonly action: string;
            /**
             * Format: date-time
             * @description When.
             */
            readonly at: string;
            /** @description More about it, by action; never a secret. */
            readonly details: {
                readonly [key: string]: string | number | boolean | null;
            };
            /** @description Grows with every entry; there may be gaps. */
            readonly id: number;
            /** @description With which key or link; `null` = with none, or with one of the configuration. */
            readonly key_id: string | null;
            /**
             * @description `allowed`: done. `denied`: refused. `failed`: allowed, but it did not work.
             * @enum {string}
             */
            readonly outcome: "allowed" | "denied" | "failed";
            /** @description Where the request came from; `null` = it was no request. */
            readonly remote_address: string | null;
            /** @description Id of the request in the server's log; `null` = it was no request. */
            readonly request_id: string | null;
            /** @description Id of what it was done to; `null` = none is known. */
            readonly target_id: string | null;
            /** @description Kind of what it was done to, such as `session`; `null` = nothing in particular. */
            readonly target_kind: string | null;
            /** @description Who; `null` = nobody was recognised. */
            readonly user_id: string | null;
        };
        readonly AuditPage: {
            /** @description Newest first. */
            readonly entries: readonly components["schemas"]["AuditEntry"][];
            /** @description `cursor` of the next page; absent on the last. */
            readonly next_cursor?: string | undefined;
        };
        readonly ConversationMessage: {
            /** @description The text as it is now. */
            readonly content: string;
            /** @description Event of the last change of the message. */
            readonly event_id: number;
            /** @description Number of the message in its conversation, from 0. */
            readonly id: number;
            /**
             * @description Who says it.
             * @enum {string}
             */
            readonly role: "agent" | "user";
            /** @description When, as the agent server says; RFC 3339. */
            readonly time: string;
        };
        readonly ConversationPage: {
            /** @description Oldest first. */
            readonly messages: readonly components["schemas"]["ConversationMessage"][];
            /** @description `cursor` of the next page; absent on the last one. */
            readonly next_cursor?: string | undefined;
        };
        /**
         * ConversationRole
         * @example user
         * @enum {string}
         */
        readonly ConversationRole: "agent" | "user";
        readonly CreateApiKeyRequest: {
            /** @description When the key ends; default: never. */
            readonly expires_at?: (string | null) | undefined;
            /**
             * @description For people.
             * @default API key
             */
            readonly name?: string | undefined;
            /** @description Default: those of the role, as far as the caller has them. */
            readonly permissions?: readonly string[] | undefined;
            /**
             * @description Gives the default permissions; `admin` sees what belongs to others, too.
             * @default user
             * @enum {string}
             */
            readonly role?: ("admin" | "user" | "readonly") | undefined;
            /** @description For admins; default: the caller. */
            readonly user_id?: string | undefined;
        };
        readonly CreateShareLinkRequest: {
            /**
             * Format: date-time
             * @description When the link ends, at most a year from now.
             */
            readonly expires_at?: string | undefined;
            /** @description Seconds until it ends, instead of `expires_at`; default: a day. */
            readonly ttl_seconds?: number | undefined;
        };
        readonly Done: {
            /** @description What happened, in words. */
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
            /** @description Commit that the files are compared with; `null` before the first one. */
            readonly against: string | null;
            /** @description Unified, as `git diff` prints it; cut to whole lines. */
            readonly diff: string;
            /** @description What each file contributes. */
            readonly files: readonly {
                /** @description Lines; `null` for a file that is not text. */
                readonly added: number | null;
                /**
                 * @description What happened to the file.
                 * @enum {string}
                 */
                readonly change: "added" | "modified" | "deleted" | "renamed" | "copied" | "type_changed" | "conflicted" | "untracked";
                /** @description Former path of a renamed or copied file. */
                readonly from?: string | undefined;
                /** @description Relative to the workspace. */
                readonly path: string;
                /** @description Lines; `null` for a file that is not text. */
                readonly removed: number | null;
            }[];
            /** @description Whether text or files are left out. */
            readonly truncated: boolean;
        };
        readonly GitPush: {
            /** @description Branch of the forge that was pushed to. */
            readonly branch: string;
            /** @description Commit that the branch is at now. */
            readonly commit: string;
            /**
             * @description What became of the branch; `up_to_date`: it was at this commit already.
             * @enum {string}
             */
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
            /** @description What differs from the last commit, files that git does not know included. */
            readonly files: readonly {
                /** @description Former path of a renamed or copied file. */
                readonly from?: string | undefined;
                /** @description Relative to the workspace. */
                readonly path: string;
                /** @description What of its change the next commit has; `null` = nothing. */
                readonly staged: ("added" | "modified" | "deleted" | "renamed" | "copied" | "type_changed" | "conflicted" | "untracked") | null;
                /** @description What of its change is not staged; `null` = nothing. */
                readonly unstaged: ("added" | "modified" | "deleted" | "renamed" | "copied" | "type_changed" | "conflicted" | "untracked") | null;
            }[];
            /** @description Whether there are more files. */
            readonly truncated: boolean;
        };
        readonly Health: {
            /**
             * @description The process answers, which is all that this says.
             * @constant
             */
            readonly status: "ok";
        };
        readonly IssuedApiKey: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            readonly created_at: string;
            /** @description User who made it. */
            readonly created_by: string;
            /** @description When it ends; `null` = never. */
            readonly expires_at: string | null;
            /** @description Enough of the key to recognise it. */
            readonly hint: string;
            /** @description Id of the key; it opens nothing. */
            readonly id: string;
            /** @description The key itself; it is never shown again. */
            readonly key: string;
            /** @description When it was used last, as far as recorded; `null` = never. */
            readonly last_used_at: string | null;
            /** @description For people. */
            readonly name: string;
            /** @description What the key may do; `*` = everything. */
            readonly permissions: readonly string[];
            /** @description When it was revoked; `null` = it was not. */
            readonly revoked_at: string | null;
            /** @description `admin` sees what belongs to others, too; other names change nothing. */
            readonly role: string;
            /** @description Holder: owner of what is made with the key. */
            readonly user_id: string;
        };
        readonly IssuedShareLink: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            readonly created_at: string;
            /** @description User who made it. */
            readonly created_by: string;
            /**
             * Format: date-time
             * @description When it ends.
             */
            readonly expires_at: string;
            /** @description Id of the link; it opens nothing. */
            readonly id: string;
            /** @description The session. */
            readonly session_id: string;
            /** @description Works in the place of a key; it is never shown again. */
            readonly token: string;
        };
        readonly Me: {
            /**
             * @description `off`: the server asks nobody for a key, and everybody may do everything.
             * @enum {string}
             */
            readonly authentication: "on" | "off";
            /**
             * @description How the caller has come: `none` is needed while authentication is off.
             * @enum {string}
             */
            readonly credential: "none" | "header" | "cookie";
            /**
             * Format: date-time
             * @description When the key or link ends; absent = never.
             */
            readonly expires_at?: string | undefined;
            /** @description Absent for keys of the configuration. */
            readonly key?: {
                /** @description Id of the key or of the link. */
                readonly id: string;
                /** @description Name of the key; `null` = none. */
                readonly name: string | null;
            } | undefined;
            /** @description What requests have to keep to. */
            readonly limits: {
                /** @description Largest body of the server’s own routes. */
                readonly body_bytes: number;
                /** @description Names and values of a request’s variables together. */
                readonly environment_bytes: number;
                /** @description Most variables in a request. */
                readonly environment_entries: number;
                /** @description Largest body passed on to an agent server; `null` = no limit. */
                readonly proxied_body_bytes: number | null;
                /** @description Most messages that wait for the agent of a session. */
                readonly queued_messages: number;
                /** @description Longest name of a tag. */
                readonly tag_key_chars: number;
                /** @description Longest value of a tag. */
                readonly tag_value_chars: number;
                /** @description Most tags of a session. */
                readonly tags: number;
                /** @description Largest file that `/upload` of a session takes. */
                readonly upload_bytes: number;
            };
            /** @description What the caller may do; `*` = everything. */
            readonly permissions: readonly string[];
            /** @description `admin` sees what belongs to others, too; other names change nothing. */
            readonly role: string;
            /** @description What this server is and has. */
            readonly server: {
                /**
                 * @description The one of this program, or an `agentapi` program.
                 * @enum {string}
                 */
                readonly agent_server: "embedded" | "external";
                /** @description Agent of sessions that name none. */
                readonly default_agent: string;
                /** @description Where repositories come from. */
                readonly github: {
                    /** @description Whether the server has a token or an App for sessions that bring none. */
                    readonly credentials: boolean;
                    /** @description Host of the addresses of repositories. */
                    readonly host: string;
                };
                /** @description Whether sessions outlive the server. */
                readonly persistence: boolean;
                /** @description Of this program, such as `0.1.0`. */
                readonly version: string;
            };
            /** @description The one session that a share link opens. */
            readonly session_id?: string | undefined;
            /** @description Owner of what the caller makes. */
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
            /** @description Number of the message in its conversation, from 0. */
            readonly id: number;
            /**
             * @description Who says it.
             * @enum {string}
             */
            readonly role: "agent" | "user";
            /** @description Id of the session. */
            readonly session_id: string;
            /** @description The text around the first word that was found. */
            readonly snippet: string;
            /** @description When, as the agent server says; RFC 3339. */
            readonly time: string;
        };
        readonly MessageMatchPage: {
            /** @description Newest first. */
            readonly matches: readonly components["schemas"]["MessageMatch"][];
            /** @description `cursor` of the next page; absent on the last one. */
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
            /** @description Version of OpenAPI. */
            readonly openapi: string;
        };
        readonly Profile: {
            /** @description Name of a configured agent; absent: the request or the server chooses. */
            readonly agent?: string | undefined;
            /** @description Arguments after the agent's own; absent = none. */
            readonly agent_args?: readonly string[] | undefined;
            /**
             * Format: date-time
             * @description When it was made.
             */
            readonly created_at: string;
            /** @description For people; absent = none. */
            readonly description?: string | undefined;
            /** @description For the owner with a key that may change the profile; others get environment_names. */
            readonly environment?: {
                readonly [key: string]: string;
            } | undefined;
            /** @description Names of the variables, for those who do not get `environment`. */
            readonly environment_names?: readonly string[] | undefined;
            /** @description Id of the profile. */
            readonly id: string;
            /** @description Whether its owner starts with it when naming no profile; absent = no. */
            readonly is_default?: boolean | undefined;
            /**
             * Format: date-time
             * @description When a session was started from it last; absent = never.
             */
            readonly last_used_at?: string | undefined;
            /** @description In the order in which they were added. */
            readonly message_templates: readonly components["schemas"]["ProfileTemplate"][];
            /** @description For people. */
            readonly name: string;
            /** @description Repository of sessions whose request names none; absent = none. */
            readonly repository?: string | undefined;
            /** @description Repositories worked on, in the order in which they were added. */
            readonly repository_history: readonly components["schemas"]["ProfileRepository"][];
            /** @description Name of a start script; absent: the request or the server chooses. */
            readonly script?: string | undefined;
            /** @description What the agent is told beforehand; empty = nothing. */
            readonly system_prompt: string;
            /**
             * Format: date-time
             * @description When it was changed last.
             */
            readonly updated_at: string;
            /** @description Owner of the profile. */
            readonly user_id: string;
        };
        readonly ProfileDeletion: {
            /** @description What happened, in words. */
            readonly message: string;
            /** @description Id of the profile that was removed. */
            readonly profile_id: string;
        };
        readonly ProfileList: {
            /** @description Oldest first. */
            readonly profiles: readonly components["schemas"]["Profile"][];
            /** @description How many these are. */
            readonly total: number;
        };
        readonly ProfileReply: {
            readonly profile: components["schemas"]["Profile"];
        };
        readonly ProfileRepository: {
            /**
             * Format: date-time
             * @description When it was noted or used last.
             */
            readonly accessed_at: string;
            /** @description Branch that was worked on; absent = not known. */
            readonly branch?: string | undefined;
            /** @description Id of the entry. */
            readonly id: string;
            /** @description Commit that was seen last; absent = not known. */
            readonly last_commit?: string | undefined;
            /** @description Whatever clients want to keep with it. */
            readonly metadata?: {
                readonly [key: string]: string;
            } | undefined;
            /** @description For people. */
            readonly name: string;
            /** @description Address of the repository. */
            readonly url: string;
        };
        readonly ProfileRepositoryRequest: {
            /** @description Branch that was worked on. */
            readonly branch?: (string | null) | undefined;
            /** @description Of an entry that the profile has; other ids are replaced. */
            readonly id?: (string | null) | undefined;
            /** @description Commit that was seen last. */
            readonly last_commit?: (string | null) | undefined;
            /** @description Whatever clients want to keep with it. */
            readonly metadata?: ({
                readonly [key: string]: string;
            } | null) | undefined;
            /** @description For people; required. */
            readonly name?: (string | null) | undefined;
            /** @description Address; required, and without a password in it. */
            readonly url?: (string | null) | undefined;
        };
        readonly ProfileRequest: {
            /** @description Name of a configured agent; empty = none. */
            readonly agent?: (string | null) | undefined;
            /** @description Up to 100 arguments after the agent's own. */
            readonly agent_args?: (readonly string[] | null) | undefined;
            /** @description For people, up to 10,000 characters; empty = none. */
            readonly description?: (string | null) | undefined;
            /** @description All variables for the agent; replaces those before. */
            readonly environment?: ({
                readonly [key: string]: string;
            } | null) | undefined;
            /** @description Whether POST /start-with-profile takes it when the request names no profile. */
            readonly is_default?: (boolean | null) | undefined;
            /** @description All message templates; replaces the list before. */
            readonly message_templates?: (readonly components["schemas"]["ProfileTemplateRequest"][] | null) | undefined;
            /** @description Up to 200 characters; a new profile needs one. */
            readonly name?: (string | null) | undefined;
            /** @description Repository of sessions whose request names none; empty = none. */
            readonly repository?: (string | null) | undefined;
            /** @description All repositories worked on; replaces the list before. */
            readonly repository_history?: (readonly components["schemas"]["ProfileRepositoryRequest"][] | null) | undefined;
            /** @description Name of an allowed start script; empty = none. */
            readonly script?: (string | null) | undefined;
            /** @description What the agent is told beforehand, up to 100,000 bytes; empty = nothing. */
            readonly system_prompt?: (string | null) | undefined;
        };
        readonly ProfileTemplate: {
            /** @description For people, to sort by; absent = none. */
            readonly category?: string | undefined;
            /** @description Text with variables as `{{name}}`. */
            readonly content: string;
            /**
             * Format: date-time
             * @description When it was made.
             */
            readonly created_at: string;
            /** @description Id of the template. */
            readonly id: string;
            /** @description Whatever clients want to keep with it. */
            readonly metadata?: {
                readonly [key: string]: string;
            } | undefined;
            /** @description For people, and for starts that name the template. */
            readonly name: string;
            /** @description Names of variables, for those who fill in forms; may be more than `content` uses. */
            readonly variables?: readonly string[] | undefined;
        };
        readonly ProfileTemplateRequest: {
            /** @description For people, to sort by. */
            readonly category?: (string | null) | undefined;
            /** @description Text with variables as `{{name}}`; required. */
            readonly content?: (string | null) | undefined;
            /** @description Of a template that the profile has; other ids are replaced. */
            readonly id?: (string | null) | undefined;
            /** @description Whatever clients want to keep with it. */
            readonly metadata?: ({
                readonly [key: string]: string;
            } | null) | undefined;
            /** @description For people, and for starts that name the template; required. */
            readonly name?: (string | null) | undefined;
            /** @description Names of variables, for those who fill in forms; may be more than `content` uses. */
            readonly variables?: (readonly string[] | null) | undefined;
        };
        readonly PullRequest: {
            /** @description Branch that they go into. */
            readonly base: string;
            /** @description Branch with the changes. */
            readonly head: string;
            /** @description Number of the pull request in its repository. */
            readonly number: number;
            /** @description Its page. */
            readonly url: string;
        };
        readonly PullRequestRequest: {
            /** @description Branch that the changes go into; default: the one that the session began on. */
            readonly base?: string | undefined;
            /** @description Markdown; default: empty. */
            readonly body?: string | undefined;
            /** @description Not for review yet. */
            readonly draft?: boolean | undefined;
            /** @description Branch with the changes; default: the one checked out. */
            readonly head?: string | undefined;
            /** @description One line. */
            readonly title: string;
        };
        readonly QueuedMessage: {
            /** @description The text. */
            readonly content: string;
            /**
             * Format: date-time
             * @description When it was left.
             */
            readonly created_at: string;
            /** @description User who has left it. */
            readonly created_by: string;
            /** @description Id of the queued message. */
            readonly id: string;
            /** @description Order of delivery in the session, from 1. */
            readonly position: number;
            /** @description Why it was not delivered; `null` otherwise. */
            readonly reason: string | null;
            /** @description Id of the session. */
            readonly session_id: string;
            /**
             * @description `pending` (waits), `sending` (may have arrived), `delivered`, `failed` (`reason` says why; it is not sent again), or `cancelled`.
             * @enum {string}
             */
            readonly state: "pending" | "sending" | "delivered" | "failed" | "cancelled";
            /**
             * Format: date-time
             * @description Last change of its state or its text.
             */
            readonly updated_at: string;
        };
        readonly QueueMessageRequest: {
            /** @description White space around it is left out. */
            readonly content: string;
        };
        readonly QueuePage: {
            /** @description In the order of their delivery. */
            readonly messages: readonly components["schemas"]["QueuedMessage"][];
            /** @description `cursor` of the next page; absent on the last one. */
            readonly next_cursor?: string | undefined;
        };
        readonly Readiness: {
            /**
             * @description Present while the store does not take what happens in sessions at the moment; it is kept in memory, and their viewers wait. Sessions go on, so the server stays ready.
             * @constant
             */
            readonly journal?: "behind" | undefined;
            /**
             * @description `ready` (200): sessions are taken. The others (503): not yet, or no more.
             * @enum {string}
             */
            readonly status: "ready" | "starting" | "shutting_down";
        };
        readonly Revocation: {
            /** @description Of what was taken back. */
            readonly id: string;
            /** @description What happened, in words. */
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
        readonly Scripts: {
            /** @description Script of sessions that name none; `auto` = by whether there is a repository. */
            readonly default_script: string;
            /** @description Names for `script` of a start, sorted. */
            readonly scripts: readonly string[];
        };
        readonly SearchPage: {
            /** @description `cursor` of the next page; absent on the last. */
            readonly next_cursor?: string | undefined;
            /** @description Newest first. */
            readonly sessions: readonly components["schemas"]["SessionSummary"][];
        };
        readonly SessionDeletion: {
            /** @description What happened, in words. */
            readonly message: string;
            /** @description Id of the session. */
            readonly session_id: string;
            /**
             * @description `terminating`: a process cannot be ended yet; delete the session again later.
             * @enum {string}
             */
            readonly status: "terminated" | "terminating";
        };
        readonly SessionDetail: {
            /**
             * @description What the caller may do with the session, as far as their permissions go: `own` (everything: its owner, an admin, or anybody while authentication is off), `write` (shared for use: not end or share it) or `read` (shared for looking on, also by a link).
             * @enum {string}
             */
            readonly access: "own" | "write" | "read";
            /** @description Name of the configured agent. */
            readonly agent: string;
            /**
             * @description The one of this program, or an `agentapi` program.
             * @enum {string}
             */
            readonly agent_server: "embedded" | "external";
            /** @description Type of the agent, such as `claude`; it decides how its terminal is read. */
            readonly agent_type: string;
            /**
             * Format: date-time
             * @description When the session was asked for; a resume does not change it.
             */
            readonly created_at: string;
            /** @description Names of the variables that the request set; their values are never shown. */
            readonly environment_names: readonly string[];
            /** @description Exit code of the agent; `null`: it has not ended, or a signal ended it. */
            readonly exit_code: number | null;
            /** @description Name of the signal that ended the agent, such as `SIGKILL`; `null` = none did. */
            readonly exit_signal: string | null;
            /** @description Why the session failed, for programs; `reason` says it in words. */
            readonly failure?: {
                /** @description What failed, such as `workspace_clone_failed`. */
                readonly code: string;
                /** @description How it failed, such as `ref_not_found`. */
                readonly kind: string;
            } | undefined;
            /** @description Every state so far, oldest first. */
            readonly history: readonly {
                /**
                 * Format: date-time
                 * @description When.
                 */
                readonly at: string;
                /** @description Why, in words; absent on the ordinary way. */
                readonly reason?: string | undefined;
                /**
                 * @description The state that began.
                 * @enum {string}
                 */
                readonly state: "creating" | "starting" | "running" | "stopping" | "stopped" | "failed";
            }[];
            /** @description What became of the message given at the start; absent when there was none. */
            readonly initial_message?: {
                /**
                 * Format: date-time
                 * @description When it was delivered, or given up.
                 */
                readonly at?: string | undefined;
                /** @description Why it failed, in words. */
                readonly reason?: string | undefined;
                /**
                 * @description `pending`: the agent does not have it yet. `failed`: it will not get it.
                 * @enum {string}
                 */
                readonly state: "pending" | "delivered" | "failed";
            } | undefined;
            /** @description Last lines that were printed before the end, oldest first; empty while the session lives. */
            readonly last_output: readonly string[];
            /** @description TCP port of the agent server on 127.0.0.1 of the server. */
            readonly port: number;
            /** @description The profile that the session was started with, if any; it may be gone meanwhile. */
            readonly profile_id?: string | undefined;
            /** @description How far a start is that takes long, such as the clone of a repository. */
            readonly progress?: {
                /** @description In words. */
                readonly detail: string;
                /** @description Of this step, 0 to 100; `null` = not known. */
                readonly percent: number | null;
                /** @description Such as `connecting`, `waiting`, `fetching`, `copying` or `checkout`. */
                readonly step: string;
            } | undefined;
            /** @description Why the session is in its state, in words; absent on the ordinary way. */
            readonly reason?: string | undefined;
            /**
             * Format: uuid
             * @description Id of the session.
             */
            readonly session_id: string;
            /**
             * Format: date-time
             * @description The same as `created_at`.
             */
            readonly started_at: string;
            /**
             * @description How far the session is: `creating` (recorded), `starting` (its agent server does not answer yet), `running`, `stopping` (its processes are being ended), `stopped`, or `failed` (`reason` says why).
             * @enum {string}
             */
            readonly state: "creating" | "starting" | "running" | "stopping" | "stopped" | "failed";
            /**
             * @description `active` until the session has ended; `state` says it more exactly.
             * @enum {string}
             */
            readonly status: "active" | "stopped" | "failed";
            /** @description As given at the start; `{}` = none. */
            readonly tags: {
                readonly [key: string]: string;
            };
            /**
             * Format: date-time
             * @description Last change of the state, or last use.
             */
            readonly updated_at: string;
            /** @description Owner of the session. */
            readonly user_id: string;
            /** @description Folder of the workspace, when the session has named it by WORKSPACE_NAME. */
            readonly workspace_name?: string | undefined;
        };
        readonly SessionShare: {
            /**
             * @description `read`: look on. `write`: also send messages, resume and push.
             * @enum {string}
             */
            readonly access: "read" | "write";
            /**
             * Format: date-time
             * @description When it was made, or changed last.
             */
            readonly created_at: string;
            /** @description User who made it. */
            readonly created_by: string;
            /** @description When it ends; `null` = with the session. */
            readonly expires_at: string | null;
            /** @description Id of the share. */
            readonly id: string;
            /** @description The session. */
            readonly session_id: string;
            /** @description Who was let in. */
            readonly user_id: string;
        };
        readonly SessionShareList: {
            /** @description Links through which anybody may look on. */
            readonly links: readonly components["schemas"]["ShareLink"][];
            /** @description Users who were let in. */
            readonly shares: readonly components["schemas"]["SessionShare"][];
        };
        readonly SessionSummary: {
            /**
             * @description What the caller may do with the session, as far as their permissions go: `own` (everything: its owner, an admin, or anybody while authentication is off), `write` (shared for use: not end or share it) or `read` (shared for looking on, also by a link).
             * @enum {string}
             */
            readonly access: "own" | "write" | "read";
            /** @description Name of the configured agent. */
            readonly agent: string;
            /**
             * Format: date-time
             * @description When the session was asked for; a resume does not change it.
             */
            readonly created_at: string;
            /** @description TCP port of the agent server on 127.0.0.1 of the server. */
            readonly port: number;
            /** @description The profile that the session was started with, if any; it may be gone meanwhile. */
            readonly profile_id?: string | undefined;
            /**
             * Format: uuid
             * @description Id of the session.
             */
            readonly session_id: string;
            /**
             * Format: date-time
             * @description The same as `created_at`.
             */
            readonly started_at: string;
            /**
             * @description How far the session is: `creating` (recorded), `starting` (its agent server does not answer yet), `running`, `stopping` (its processes are being ended), `stopped`, or `failed` (`reason` says why).
             * @enum {string}
             */
            readonly state: "creating" | "starting" | "running" | "stopping" | "stopped" | "failed";
            /**
             * @description `active` until the session has ended; `state` says it more exactly.
             * @enum {string}
             */
            readonly status: "active" | "stopped" | "failed";
            /** @description As given at the start; `{}` = none. */
            readonly tags: {
                readonly [key: string]: string;
            };
            /**
             * Format: date-time
             * @description Last change of the state, or last use.
             */
            readonly updated_at: string;
            /** @description Owner of the session. */
            readonly user_id: string;
            /** @description Folder of the workspace, when the session has named it by WORKSPACE_NAME. */
            readonly workspace_name?: string | undefined;
        };
        readonly ShareLink: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            readonly created_at: string;
            /** @description User who made it. */
            readonly created_by: string;
            /**
             * Format: date-time
             * @description When it ends.
             */
            readonly expires_at: string;
            /** @description Id of the link; it opens nothing. */
            readonly id: string;
            /** @description The session. */
            readonly session_id: string;
        };
        readonly ShareSessionRequest: {
            /**
             * @description `read`: look on. `write`: also send messages, resume and push.
             * @enum {string}
             */
            readonly access: "read" | "write";
            /** @description Default: with the session. */
            readonly expires_at?: (string | null) | undefined;
            /** @description Whom to let in. */
            readonly user_id: string;
        };
        readonly SignIn: {
            /** @description An API key, or the token of a share link. */
            readonly api_key: string;
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
                /** @description As `github_token` of the request, which wins. */
                readonly github_token?: string | undefined;
                /** @description As `message` of the request, which wins. */
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
                /** @description As `github_token` of the request, which wins. */
                readonly github_token?: string | undefined;
                /** @description As `message` of the request, which wins. */
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
            /**
             * @description What new sessions get: the one of this program, or an `agentapi` program.
             * @enum {string}
             */
            readonly agent_server: "embedded" | "external";
            /** @description Agent of sessions that name none. */
            readonly default_agent: string;
            /**
             * @description This program.
             * @constant
             */
            readonly name: "agentapi-proxy";
            /** @description Version of Node that runs it, such as `v20.19.0`. */
            readonly node: string;
            /**
             * Format: date-time
             * @description When the process began.
             */
            readonly started_at: string;
            /** @description Of this program, such as `0.1.0`. */
            readonly version: string;
        };
        readonly WaitResult: {
            /** @description The last event; `after` of the next wait. */
            readonly event_id: number;
            /** @description What the agent says, for `message`. */
            readonly message?: {
                /** @description The text so far. */
                readonly content: string;
                /** @description Number of the message in its conversation, from 0. */
                readonly id: number;
                /**
                 * @description Who says it.
                 * @enum {string}
                 */
                readonly role: "agent" | "user";
                /** @description When, as the agent server says; RFC 3339. */
                readonly time: string;
            } | undefined;
            /**
             * @description What was waited for, or that the session has ended, or that the time is over.
             * @enum {string}
             */
            readonly result: "stable" | "message" | "ended" | "timeout";
            /**
             * @description State of the session now.
             * @enum {string}
             */
            readonly state: "creating" | "starting" | "running" | "stopping" | "stopped" | "failed";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
