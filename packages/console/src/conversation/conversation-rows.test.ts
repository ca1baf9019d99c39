import type { ConversationMessage, ToolCall } from '@agentapi-proxy/client';
import { expect, test } from 'vitest';
import { rowsOf } from './conversation-rows.ts';

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const said = (id: number, role: 'user' | 'agent', minute: number): ConversationMessage => ({
  id,
  role,
  content: '',
  time: at(minute),
  event_id: id + 1,
});
const did = (id: string, minute: number): ToolCall => ({
  id,
  title: id,
  kind: 'other',
  status: 'completed',
  locations: [],
  content: [],
  started_at: at(minute),
  updated_at: at(minute),
});

test('tool calls stand before the answer of their turn, and those without an answer yet at the end', () => {
  const messages = [
    said(0, 'user', 0),
    said(1, 'agent', 0),
    said(2, 'user', 10),
    said(3, 'agent', 10),
    said(4, 'user', 20),
  ];
  const { rows, rest } = rowsOf(messages, [did('a', 1), did('b', 2), did('c', 11), did('d', 21)]);
  expect(rows.map(({ message, toolCalls }) => [message.id, toolCalls.map(({ id }) => id)])).toEqual([
    [0, []],
    [1, ['a', 'b']],
    [2, []],
    [3, ['c']],
    [4, []],
  ]);
  expect(rest.map(({ id }) => id)).toEqual(['d']);
});
