export { createClient } from './client.ts';
export type { Client, ClientOptions, SearchFilter } from './client.ts';
export type { ApiKeyListOptions, ApiKeys } from './api-keys.ts';
export type { AuditFilter, AuditLog } from './audit-log.ts';
export type { ProfileChangeOptions, ProfileListOptions, Profiles, VersionedProfile } from './profiles.ts';
export type {
  MessagePageOptions,
  PageOptions,
  QueueOptions,
  SessionConversation,
  WaitOptions,
} from './session-conversation.ts';
export type { JournalEvent, JournalOptions, OverviewEvent, StreamOptions } from './journal.ts';
export type { GitDiffOptions, SessionGit } from './session-git.ts';
export type { SessionAgent } from './session-agent.ts';
export type {
  AcpEvent,
  AgentDialog,
  DialogChoice,
  PermissionOption,
  PermissionRequest,
  PlanEntry,
  TerminalEvent,
  ToolCall,
} from './agent-schemas.ts';
export type { SessionShares } from './session-shares.ts';
export type { LogOptions, SendOptions, Session, UploadData } from './session.ts';
export type { CallOptions, FetchFunction } from './transport.ts';
export type { EventsOptions, ReconnectNotice, ReconnectOptions } from './events.ts';
export type {
  AgentErrorEvent,
  AgentEvent,
  MessageUpdateEvent,
  StatusChangeEvent,
  UnknownEvent,
} from './agent-event.ts';
export type { Turn } from './turn.ts';
export {
  ApiError,
  ClientError,
  ConnectionError,
  InvalidArgumentError,
  InvalidResponseError,
  SessionEndedError,
  TimeoutError,
} from './errors.ts';
export type { ApiErrorDetails, ApiErrorKind, ClientErrorKind } from './errors.ts';
export type {
  ConversationMessage,
  ConversationPage,
  MessageMatch,
  MessageMatchPage,
  QueuedMessage,
  QueuePage,
  QueueState,
  WaitResult,
} from './conversation-schemas.ts';
export { SESSION_STATES } from './schemas.ts';
export type {
  AgentList,
  AgentStatus,
  AgentStatusReport,
  DeleteResult,
  Health,
  InitialMessage,
  Message,
  OpenApiDocument,
  Readiness,
  ScriptList,
  SearchPage,
  SessionAccess,
  SessionDetails,
  SessionState,
  SessionSummary,
  StartRequest,
  StateChange,
  UploadedFile,
  Version,
} from './schemas.ts';
export type {
  ApiKey,
  AuditEntry,
  AuditOutcome,
  AuditPage,
  CreateApiKeyRequest,
  CreateShareLinkRequest,
  IssuedApiKey,
  IssuedShareLink,
  Me,
  Revocation,
  Role,
  RotateApiKeyRequest,
  SessionShare,
  SessionShareList,
  ShareAccess,
  ShareLink,
  ShareSessionRequest,
} from './access-schemas.ts';
export type {
  Profile,
  ProfileDeletion,
  ProfileRepository,
  ProfileRepositoryRequest,
  ProfileRequest,
  ProfileTemplate,
  ProfileTemplateRequest,
  StartWithProfileRequest,
} from './profile-schemas.ts';
export type {
  GitChange,
  GitDiff,
  GitPush,
  GitPushRequest,
  GitStatus,
  GitStatusFile,
  PullRequest,
  PullRequestRequest,
} from './git-schemas.ts';
