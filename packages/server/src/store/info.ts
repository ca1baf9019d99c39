import type { Database } from './tables.ts';

/** Single values that the server remembers of itself. */
export class InfoTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** `null` when there is no such value. */
  async get(name: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('store_info')
      .select('value')
      .where('name', '=', name)
      .executeTakeFirst();
    return row?.value ?? null;
  }

  async set(name: string, value: string): Promise<void> {
    await this.#db
      .insertInto('store_info')
      .values({ name, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
      .execute();
  }
}
