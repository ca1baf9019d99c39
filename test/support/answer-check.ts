import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';

const mediaSchema = z.looseObject({ schema: z.unknown() });
const responseSchema = z.looseObject({
  $ref: z.string().optional(),
  content: z.record(z.string(), mediaSchema).optional(),
});
type Documented = z.infer<typeof responseSchema>;
const documentSchema = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ responses: z.record(z.string(), responseSchema) })),
  ),
  components: z.looseObject({ responses: z.record(z.string(), responseSchema) }),
});

/** One answer, as far as the document says something about it. */
export interface SeenAnswer {
  readonly method: string;
  /** With or without a query. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

/** Methods whose answers have no body, and are the same everywhere. */
const PLAIN_METHODS: ReadonlySet<string> = new Set(['HEAD', 'OPTIONS', 'CONNECT', 'TRACE']);

/** What the committed OpenAPI document says about answers. */
class DocumentedAnswers {
  readonly #document = documentSchema.parse(
    JSON.parse(readFileSync(new URL('../../openapi/agentapi-proxy.json', import.meta.url), 'utf8')),
  );
  readonly #ajv = formats.default(new Ajv2020({ strict: false }));
  readonly #templates = Object.keys(this.#document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    literals: template.split('/').filter((part) => part !== '' && !part.startsWith('{')).length,
  }));
  /** First segments that are no ids of sessions. */
  readonly #reserved = new Set(
    this.#templates.flatMap(({ template }) => /^\/([\w.-]+)/.exec(template)?.[1] ?? []),
  );

  constructor() {
    this.#ajv.addSchema({ $id: 'openapi.json', ...this.#document });
  }

  /** Why an answer is not as described; `null` when it is. */
  problemOf(answer: SeenAnswer, knownAgents: boolean): string | null {
    const path = answer.path.split('?', 1)[0] ?? '';
    const first = path.split('/')[1] ?? '';
    if (first === 'mcp' || isOfConsole(answer, path)) return null;
    const isControl = this.#reserved.has(first) || !path.slice(1).includes('/');
    if (!isControl && !knownAgents && !isRefusal(answer)) return null;
    const operation = this.#operation(answer.method, path);
    if (operation === null) {
      return isControl || isRefusal(answer) ? this.#mismatch(answer, '#/components/schemas/Error') : null;
    }
    const documented =
      operation.responses[answer.status] ?? (isControl ? undefined : operation.responses['default']);
    if (documented === undefined) return 'the status is not documented';
    return this.#contentProblem(answer, documented, `${operation.pointer}/responses/${answer.status}`);
  }

  #contentProblem(answer: SeenAnswer, documented: Documented, pointer: string): string | null {
    const name = documented.$ref?.split('/').at(-1);
    const { content } = name === undefined ? documented : (this.#document.components.responses[name] ?? {});
    const place = name === undefined ? pointer : `#/components/responses/${name}`;
    if (content === undefined) return answer.body === '' ? null : 'a body is not documented';
    const type = (answer.contentType ?? '').split(';', 1)[0] ?? '';
    if (content[type] === undefined) return `the content type ${type} is not documented`;
    if (type !== 'application/json') return null;
    return this.#mismatch(answer, `${place}/content/${escapePointer(type)}/schema`);
  }

  #mismatch(answer: SeenAnswer, pointer: string): string | null {
    const validate = this.#ajv.getSchema(`openapi.json${pointer}`);
    if (validate === undefined) return `there is no schema at ${pointer}`;
    if (validate(parseJson(answer.body)) === true) return null;
    return this.#ajv.errorsText(validate.errors);
  }

  #operation(
    method: string,
    path: string,
  ): { readonly responses: Record<string, Documented>; readonly pointer: string } | null {
    const matching = this.#templates
      .filter(({ template, pattern }) => {
        if (!pattern.test(path)) return false;
        return !template.startsWith('/{') || !this.#reserved.has(path.split('/')[1] ?? '');
      })
      .sort((a, b) => b.literals - a.literals);
    for (const { template } of matching) {
      const operation = this.#document.paths[template]?.[method.toLowerCase()];
      const pointer = `#/paths/${escapePointer(template)}/${method.toLowerCase()}`;
      if (operation !== undefined) return { responses: operation.responses, pointer };
    }
    return null;
  }
}

/** Whether this is a page or a file of the console, or leads to it: they are for people, and not described. */
function isOfConsole({ method, status }: SeenAnswer, path: string): boolean {
  return method === 'GET' && status < 400 && /^\/(?:console(?:\/.*)?)?$/.test(path);
}

/** Whether the proxy itself answered, not an agent behind it. */
function isRefusal({ status, body }: SeenAnswer): boolean {
  return (
    status >= 400 && z.object({ code: z.string(), request_id: z.string() }).safeParse(parseJson(body)).success
  );
}

function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Holds answers of servers against the document, and gathers what does not fit. */
class AnswerCheck {
  /** Reading the document takes time that most test files do not need. */
  #rules: DocumentedAnswers | null = null;
  /** Origins of servers, and whether their agents are the documented ones. */
  readonly #servers = new Map<string, boolean>();
  readonly #violations: string[] = [];
  readonly #pending = new Set<Promise<void>>();

  /**
   * From now on the answers of this server are checked.
   * @param knownAgents - whether what its agent servers answer is described, too.
   */
  watch(url: string, knownAgents: boolean): void {
    this.#servers.set(new URL(url).origin, knownAgents);
  }

  /** Whether a URL is of a server that is watched. */
  watches(url: string): boolean {
    return this.#servers.has(originOf(url));
  }

  /** Notes a check that waits for the rest of an answer. */
  later(check: Promise<void>): void {
    this.#pending.add(check);
    void check.finally(() => this.#pending.delete(check));
  }

  /** Everything that did not fit since the last call. */
  async take(): Promise<readonly string[]> {
    await Promise.all(this.#pending);
    return this.#violations.splice(0);
  }

  check(url: string, answer: SeenAnswer): void {
    const knownAgents = this.#servers.get(originOf(url));
    if (knownAgents === undefined || PLAIN_METHODS.has(answer.method)) return;
    this.#rules ??= new DocumentedAnswers();
    const problem = this.#rules.problemOf(answer, knownAgents);
    if (problem === null) return;
    const { method, path, status, body } = answer;
    this.#violations.push(`${method} ${path}: ${status}: ${problem}: ${body.slice(0, 300)}`);
  }
}

/** The check of this test file: one per worker and file. */
export const answerCheck = new AnswerCheck();
