import { readFileSync } from 'node:fs';
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { ConfigError } from './config-error.ts';

/** A JSON document that knows where its parts stand. */
export interface JsonFile {
  readonly value: unknown;
  /** `name:line:column` of the value at a path, or of the nearest part above it. */
  place(path: readonly PropertyKey[]): string;
  /** The same for the name of a member. */
  placeOfName(path: readonly PropertyKey[], name: string): string;
}

/** Reads and parses a file; `null` when there is none. Throws {@link ConfigError} when it is unreadable or not JSON. */
export function readJsonFile(path: string, name: string): JsonFile | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT') return null;
    const why = {
      EACCES: 'no permission to read it',
      EISDIR: 'it is a folder, expected a file',
      ENOTDIR: 'a part of its path is not a folder',
    }[code];
    throw new ConfigError([{ place: name, text: `cannot be read: ${why ?? code}` }], { cause: error });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ConfigError([{ place: name, text: 'is not UTF-8 text, expected JSON' }], { cause: error });
  }
  return parseJson(text, name);
}

/** Parses strict JSON: comments, trailing commas and repeated members are errors, with their place (DF-07). */
export function parseJson(text: string, name: string): JsonFile {
  const placeAt = (offset: number): string => {
    const before = text.slice(0, offset);
    const lineStart = before.lastIndexOf('\n') + 1;
    return `${name}:${before.split('\n').length}:${offset - lineStart + 1}`;
  };
  if (text.trim() === '') {
    throw new ConfigError([{ place: name, text: 'is empty, expected a JSON object; {} means all defaults' }]);
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (first !== undefined || root === undefined) {
    const problem =
      first === undefined ? 'expected a JSON object' : SYNTAX_ERRORS[printParseErrorCode(first.error)];
    throw new ConfigError([{ place: placeAt(first?.offset ?? 0), text: `not valid JSON: ${problem}` }]);
  }
  const repeated = repeatedMember(root);
  if (repeated !== null) {
    const member = JSON.stringify(repeated.value);
    throw new ConfigError([
      { place: placeAt(repeated.offset), text: `${member} stands in this object twice` },
    ]);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The tolerant parser found nothing, so there is no place; the engine's text would quote the content.
    throw new ConfigError([{ place: name, text: 'not valid JSON' }], { cause: error });
  }
  return {
    value,
    place: (path) => placeAt(nearest(root, path).offset),
    placeOfName: (path, member) => {
      const parent = nearest(root, path);
      const property = parent.children?.find((each) => each.children?.[0]?.value === member);
      return placeAt((property ?? parent).offset);
    },
  };
}

function nearest(root: Node, path: readonly PropertyKey[]): Node {
  const steps = path.map((step) => (typeof step === 'number' ? step : String(step)));
  for (let length = steps.length; length > 0; length -= 1) {
    const node = findNodeAtLocation(root, steps.slice(0, length));
    if (node !== undefined) return node;
  }
  return root;
}

/** The second of two members with one name: the parser would silently let the last one win. */
function repeatedMember(node: Node): Node | null {
  const names = new Set<unknown>();
  for (const child of node.children ?? []) {
    const [name] = child.children ?? [];
    if (child.type === 'property' && name !== undefined) {
      if (names.has(name.value)) return name;
      names.add(name.value);
    }
    const below = repeatedMember(child);
    if (below !== null) return below;
  }
  return null;
}

const SYNTAX_ERRORS: Readonly<Record<string, string>> = {
  CommaExpected: 'expected a comma',
  ColonExpected: 'expected a colon',
  PropertyNameExpected: 'expected a member name in double quotes (no comma may follow the last member)',
  ValueExpected: 'expected a value (no comma may follow the last one)',
  CloseBraceExpected: 'expected a comma or }',
  CloseBracketExpected: 'expected a comma or ]',
  EndOfFileExpected: 'expected nothing after the end of the object',
  InvalidCommentToken: 'comments are not allowed',
  UnexpectedEndOfComment: 'comments are not allowed',
  UnexpectedEndOfString: 'expected a closing quote',
  UnexpectedEndOfNumber: 'expected a number such as 8080',
  InvalidNumberFormat: 'expected a number such as 8080',
  InvalidUnicode: 'expected four hexadecimal digits after \\u',
  InvalidEscapeCharacter: 'expected an escape such as \\\\ or \\n after a backslash',
  InvalidCharacter: 'found a control character, expected an escape such as \\n',
  InvalidSymbol: 'expected a value: text in double quotes, a number, true, false, null, a list or an object',
};
