import type SqliteFile from 'better-sqlite3';
import type { Database, Dialect } from './tables.ts';

export async function backupSqlite(file: SqliteFile.Database, path: string): Promise<void> {
  await file.backup(path);
}

export async function backupLines(_db: Database, _dialect: Dialect, _path: string): Promise<void> {
  return Promise.reject(new Error('not yet'));
}
