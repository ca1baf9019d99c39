export { createClient } from './client.ts';
export type { Client, ClientOptions, SearchFilter, StartRequest } from './client.ts';
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
export { SESSION_STATES } from './schemas.ts';
export type {
  AgentStatus,
  AgentStatusReport,
  DeleteResult,
  Health,
  InitialMessage,
  Message,
  SearchPage,
  SessionDetails,
  SessionState,
  SessionSummary,
  StateChange,
  UploadedFile,
  Version,
} from './schemas.ts';
