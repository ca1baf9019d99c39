import type { LogEvent, RootOperationNode } from 'kysely';
import { StoreError } from './store-error.ts';
import type { StoreErrorKind } from './store-error.ts';

/** What a statement does. Changes of several tables together become durable with `commit`. */
export type StoreOperation =
  | 'select'
  | 'insert'
  | 'update'
  | 'delete'
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'other';

/** Told of every statement, with the time that it took; `error` is `null` when it did what it should. */
export type StoreObserver = (operation: StoreOperation, ms: number, error: StoreErrorKind | null) => void;

/** A log for Kysely that makes an observer's calls of it. */
export function statementsTo(observer: StoreObserver): (event: LogEvent) => void {
  return (event) => {
    const operation = operationOf(event.query.query, event.query.sql);
    observer(operation, event.queryDurationMillis, event.level === 'error' ? kindOf(event.error) : null);
  };
}

const KINDS: Partial<Record<RootOperationNode['kind'], StoreOperation>> = {
  SelectQueryNode: 'select',
  InsertQueryNode: 'insert',
  UpdateQueryNode: 'update',
  DeleteQueryNode: 'delete',
};

const TRANSACTION = /^\s*(begin|start transaction|commit|rollback)\b/i;

function operationOf({ kind }: RootOperationNode, sql: string): StoreOperation {
  const known = KINDS[kind];
  if (known !== undefined) return known;
  switch (TRANSACTION.exec(sql)?.[1]?.toLowerCase()) {
    case 'begin':
    case 'start transaction':
      return 'begin';
    case 'commit':
      return 'commit';
    case 'rollback':
      return 'rollback';
    default:
      return 'other';
  }
}

function kindOf(error: unknown): StoreErrorKind {
  return error instanceof StoreError ? error.kind : 'failed';
}
