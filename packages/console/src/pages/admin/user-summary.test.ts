import { expect, test } from 'vitest';
import type { LiveSession, SessionPhase } from '../../api/live-session.ts';
import { userSummaries } from './user-summary.ts';

const session = (ownerId: string, phase: SessionPhase, lastActivity: number): LiveSession => ({
  id: `${ownerId}-${lastActivity}`,
  access: 'own',
  ownerId,
  agent: 'demo',
  state: phase === 'failed' ? 'failed' : 'running',
  phase,
  tags: {},
  workspaceName: undefined,
  repository: undefined,
  createdAt: 0,
  lastActivity,
});

test('users are counted, the busiest first', () => {
  const sessions = [session('a', 'failed', 5), session('b', 'waiting', 1), session('b', 'working', 3)];
  expect(userSummaries(sessions, ({ phase }) => phase !== 'failed')).toEqual([
    { user: 'b', active: 2, waiting: 1, failed: 0, all: 2, lastActivity: 3 },
    { user: 'a', active: 0, waiting: 0, failed: 1, all: 1, lastActivity: 5 },
  ]);
});
