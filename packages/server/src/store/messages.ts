import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { z } from 'zod';
import { checkColumn, storable } from './columns.ts';
import type { SecretBox } from './secret-box.ts';
import type { Database, Dialect } from './tables.ts';
import type { WordDigests } from './word-digests.ts';
import { wordsOf } from './words.ts';

export const MESSAGE_ROLES = ['agent', 'user'] as const;

/** A message of a conversation. */
export interface ConversationMessage {
  /** Its number in the conversation; they begin with 0. */
  readonly id: number;
  readonly role: (typeof MESSAGE_ROLES)[number];
  readonly content: string;
  /** RFC 3339, as the agent server says. */
  readonly time: string;
}

/** A message, and what the journal knows of it. */
export interface StoredMessage extends ConversationMessage {
  /** In the journal, of its last change. */
  readonly position: number;
}

/** Where a part of a conversation is: onwards from behind a message, or backwards from before it. */
export type MessagePlace = { readonly after: number } | { readonly before: number };

/** A message that holds what was searched for. */
export interface FoundMessage extends StoredMessage {
  readonly sessionId: string;
  /** Order of the results; the newest has the greatest. */
  readonly number: number;
}

const role = z.enum(MESSAGE_ROLES);

/** Ids sort by session and number. */
const NUMBER_DIGITS = 12;

/** What was said in sessions, message by message, as it was last. It goes with its session. */
export class MessageTable {
  readonly #db: Database;
  readonly #box: SecretBox;
  readonly #dialect: Dialect;
  readonly #words: WordDigests;

  constructor(db: Database, box: SecretBox, dialect: Dialect, words: WordDigests) {
    this.#db = db;
    this.#box = box;
    this.#dialect = dialect;
    this.#words = words;
  }

  /** Saves messages of a session, which exists; `prepareWords` of the journal must have been awaited. */
  async save(sessionId: string, messages: readonly StoredMessage[]): Promise<void> {
    for (const message of messages) {
      const id = idOf(sessionId, message.id);
      const present = {
        role: message.role,
        time: storable(message.time),
        position: message.position,
        content_sealed: this.#box.seal(message.content, placeOf(id)),
        words: [...wordsOf(message.content)].map((word) => this.#words.of(word)).join(' '),
      };
      await this.#db
        .insertInto('conversation_messages')
        .values({ id, session_id: sessionId, message_id: message.id, ...present })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(present))
        .execute();
    }
  }

  /** Messages of a session on one side of a number, those next to it first. */
  async list(sessionId: string, place: MessagePlace, limit: number): Promise<readonly StoredMessage[]> {
    const query = this.#db
      .selectFrom('conversation_messages')
      .select(['id', 'message_id', 'role', 'time', 'position', 'content_sealed'])
      .where('session_id', '=', sessionId)
      .limit(limit);
    const rows = await (
      'after' in place
        ? query.where('message_id', '>', place.after).orderBy('message_id')
        : query.where('message_id', '<', place.before).orderBy('message_id', 'desc')
    ).execute();
    return Promise.all(rows.map(async (row) => this.#read(row)));
  }

  /**
   * Messages in the sessions of a user that hold all the words, newest first.
   * @param before - only those with a smaller `number`; `null` = from the newest on.
   */
  async find(
    ownerId: string,
    words: readonly string[],
    before: number | null,
    limit: number,
  ): Promise<readonly FoundMessage[]> {
    if (words.length === 0) return [];
    await this.#words.ready();
    let query = this.#db
      .selectFrom('conversation_messages')
      .innerJoin('sessions', 'sessions.id', 'conversation_messages.session_id')
      .select([
        'conversation_messages.id',
        'conversation_messages.number',
        'conversation_messages.session_id',
        'conversation_messages.message_id',
        'conversation_messages.role',
        'conversation_messages.time',
        'conversation_messages.position',
        'conversation_messages.content_sealed',
      ])
      .where('sessions.owner_id', '=', storable(ownerId))
      .where(this.#holds(words.map((word) => this.#words.of(word))))
      .orderBy('conversation_messages.number', 'desc')
      .limit(limit);
    if (before !== null) query = query.where('conversation_messages.number', '<', before);
    const rows = await query.execute();
    return Promise.all(
      rows.map(async (row) => ({
        ...(await this.#read(row)),
        sessionId: row.session_id,
        number: row.number,
      })),
    );
  }

  /** Digests are letters only, so that nothing in them means anything to the engine. */
  #holds(digests: readonly string[]): RawBuilder<boolean> {
    if (this.#dialect.engine === 'postgres') {
      return sql`string_to_array(words, ' ') @> string_to_array(${digests.join(' ')}, ' ')`;
    }
    return sql`conversation_messages.number in (
      select rowid from message_words where message_words match ${digests.join(' AND ')})`;
  }

  async #read(row: {
    readonly id: string;
    readonly message_id: number;
    readonly role: string;
    readonly time: string;
    readonly position: number;
    readonly content_sealed: string;
  }): Promise<StoredMessage> {
    return {
      id: row.message_id,
      role: checkColumn(role, row.role, `conversation_messages.role of ${row.id}`),
      content: await this.#box.open(row.content_sealed, placeOf(row.id)),
      time: row.time,
      position: row.position,
    };
  }
}

function idOf(sessionId: string, messageId: number): string {
  return `${sessionId}.${String(messageId).padStart(NUMBER_DIGITS, '0')}`;
}

function placeOf(id: string) {
  return { table: 'conversation_messages', id, field: 'content' };
}
