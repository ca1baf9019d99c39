import { z } from 'zod';
import type { TestApp } from './app.ts';

const entry = z.looseObject({ id: z.uuid(), name: z.string() });

/** A profile on the wire, as far as tests look into it. */
const profile = z.looseObject({
  id: z.uuid(),
  user_id: z.string(),
  name: z.string(),
  environment: z.record(z.string(), z.string()).optional(),
  repository_history: z.array(entry.extend({ url: z.string(), accessed_at: z.iso.datetime() })),
  message_templates: z.array(entry.extend({ content: z.string(), created_at: z.iso.datetime() })),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type WireProfile = z.infer<typeof profile>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a caller does, with one key. */
export class ProfileCaller {
  readonly #app: TestApp;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(app: TestApp, key?: string) {
    this.#app = app;
    this.#headers = key === undefined ? {} : { 'x-api-key': key };
  }

  /** @param body - a string is sent as it is, everything else as JSON. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await this.#app.request(path, {
      method,
      headers: { 'content-type': 'application/json', ...this.#headers, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status } = response;
    return {
      status,
      headers: response.headers,
      body: text === '' ? {} : z.record(z.string(), z.unknown()).parse(JSON.parse(text)),
    };
  }

  async create(body: object): Promise<WireProfile> {
    const answer = await this.#succeed(201, 'POST', '/profiles', body);
    return profile.parse(answer.body['profile']);
  }

  async get(id: string): Promise<WireProfile> {
    const answer = await this.#succeed(200, 'GET', `/profiles/${id}`);
    return profile.parse(answer.body['profile']);
  }

  async update(id: string, body: unknown): Promise<WireProfile> {
    const answer = await this.#succeed(200, 'PUT', `/profiles/${id}`, body);
    return profile.parse(answer.body['profile']);
  }

  async list(query = ''): Promise<readonly WireProfile[]> {
    const answer = await this.#succeed(200, 'GET', `/profiles${query}`);
    const { profiles, total } = z.object({ profiles: z.array(profile), total: z.int() }).parse(answer.body);
    if (total !== profiles.length) throw new Error(`total is ${total} of ${profiles.length} profiles`);
    return profiles;
  }

  async #succeed(status: number, method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await this.call(method, path, body);
    if (answer.status === status) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}
