/** How a part of a message is shown. */
export type TextPart =
  | { readonly kind: 'markdown'; readonly text: string }
  /** As it is: line breaks and blanks count, long lines wrap. */
  | { readonly kind: 'plain'; readonly text: string }
  /** Frames and tables made of characters: nothing wraps, so that columns stay below each other. */
  | { readonly kind: 'drawing'; readonly text: string }
  /** Something that an agent in a terminal did, and what came of it. */
  | { readonly kind: 'tool'; readonly title: string; readonly output: string };

/** Where a text comes from. */
export type TextSource = 'user' | 'terminal' | 'acp';

/** What agents in terminals put before what they do. */
const MARKER = /^ {0,2}[●⏺•◆∙✓✔✗✘]\s+(?<title>\S.*)$/u;
/** What stands before the first line of what came of it. */
const ELBOW = /^\s+[⎿└╰]\s?(?<rest>.*)$/u;
/** A call whose result is not there yet. */
const CALL = /^[A-Z][\w-]*\(.*\)$/u;
/** Titles are broken to the width of the terminal; more lines are no title. */
const MAX_TITLE_LINES = 6;
/** Box drawing and block elements. */
const DRAWN = /[\u2500-\u259f]/u;

/** What the agent server puts between the words of an agent that speaks the Agent Client Protocol. */
const ACP_TOOL = /^\[Tool: [a-z_]+\] (?<title>.*)$|^\[Tool Status: [a-z_]+\]$/gmu;

/** Reading Markdown again and again as it grows, beyond this many characters, would keep a page from answering. */
const MAX_MARKDOWN_CHARS = 200_000;

/** Takes a message apart into what is shown in different ways; of the text itself nothing is lost. */
export function partsOf(text: string, source: TextSource): readonly TextPart[] {
  if (text.trim() === '') return [];
  switch (source) {
    case 'user':
      return [textPart(text, looksLikeMarkdown(text))];
    case 'acp':
      return acpParts(text);
    case 'terminal':
      return terminalParts(text);
  }
}

function acpParts(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  const addText = (said: string): void => {
    if (said.trim() !== '') parts.push(textPart(said.trim(), true));
  };
  let from = 0;
  for (const match of text.matchAll(ACP_TOOL)) {
    addText(text.slice(from, match.index));
    const title = match.groups?.['title'];
    if (title !== undefined) parts.push({ kind: 'tool', title, output: '' });
    from = match.index + match[0].length;
  }
  addText(text.slice(from));
  return parts;
}

function terminalParts(text: string): readonly TextPart[] {
  const lines = text.split('\n');
  const parts: TextPart[] = [];
  let prose: string[] = [];
  const endProse = (): void => {
    parts.push(...proseParts(prose));
    prose = [];
  };
  for (let at = 0; at < lines.length;) {
    const tool = toolAt(lines, at);
    if (tool === undefined) {
      prose.push(lines[at] ?? '');
      at += 1;
    } else {
      endProse();
      parts.push(tool.part);
      at = tool.end;
    }
  }
  endProse();
  return parts;
}

function toolAt(
  lines: readonly string[],
  start: number,
): { readonly part: TextPart; readonly end: number } | undefined {
  const first = MARKER.exec(lines[start] ?? '')?.groups?.['title'];
  if (first === undefined) return undefined;
  const title = [first];
  for (let at = start + 1; at <= start + MAX_TITLE_LINES; at += 1) {
    const line = lines[at] ?? '';
    const result = ELBOW.exec(line)?.groups?.['rest'];
    if (result !== undefined) {
      const end = endOfIndented(lines, at + 1);
      const output = [result, ...lines.slice(at + 1, end)].map(withoutIndent).join('\n');
      return { part: { kind: 'tool', title: title.join(' '), output: output.trimEnd() }, end };
    }
    if (!/^\s+\S/u.test(line)) break;
    title.push(line.trim());
  }
  if (!CALL.test(first.trim())) return undefined;
  return { part: { kind: 'tool', title: first, output: '' }, end: start + 1 };
}

/** The first line that does not belong to the result: it has text at its beginning, or another marker. */
function endOfIndented(lines: readonly string[], start: number): number {
  let end = start;
  for (let at = start; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line.trim() === '') continue;
    if (!/^\s{2,}/u.test(line) || MARKER.test(line)) break;
    end = at + 1;
  }
  return end;
}

/** Results stand below their elbow. */
function withoutIndent(line: string): string {
  return line.replace(/^ {1,5}/u, '');
}

/** What agents say has a mark too, for which many fonts have no letter, and stands two columns further in. */
function withoutMarks(marked: readonly string[]): readonly string[] {
  let isWithin = false;
  return marked.map((line) => {
    const said = /^[⏺●] (?<said>.*)$/u.exec(line)?.groups?.['said'];
    if (said !== undefined) {
      isWithin = true;
      return said;
    }
    if (line.trim() !== '' && !line.startsWith('  ')) isWithin = false;
    return isWithin ? line.replace(/^ {2}/u, '') : line;
  });
}

function proseParts(marked: readonly string[]): readonly TextPart[] {
  const lines = withoutMarks(marked);
  const text = lines.join('\n');
  const hasDrawing = DRAWN.test(text);
  if (text.trim() === '') return [];
  if (!hasDrawing) return [textPart(withoutBlankLinesAround(text), looksLikeMarkdown(text))];
  const parts: TextPart[] = [];
  let run: string[] = [];
  let isDrawing = DRAWN.test(lines[0] ?? '');
  const endRun = (): void => {
    const content = withoutBlankLinesAround(run.join('\n'));
    if (content.trim() !== '') parts.push({ kind: isDrawing ? 'drawing' : 'plain', text: content });
    run = [];
  };
  for (const line of lines) {
    if (DRAWN.test(line) !== isDrawing) {
      endRun();
      isDrawing = !isDrawing;
    }
    run.push(line);
  }
  endRun();
  return parts;
}

function withoutBlankLinesAround(text: string): string {
  return text.replace(/^(?:[ \t]*\n)+/u, '').trimEnd();
}

function textPart(text: string, isMarkdown: boolean): TextPart {
  return isMarkdown && text.length <= MAX_MARKDOWN_CHARS
    ? { kind: 'markdown', text }
    : { kind: 'plain', text };
}

/** Signs of Markdown, and how much each proves. One alone also stands in logs, code and everyday text. */
const SIGNS: readonly (readonly [RegExp, number])[] = [
  [/^ {0,3}(?:```|~~~)[^\n]*\n(?:.*\n)*? {0,3}(?:```|~~~)\s*$/mu, 2],
  [/^\|?[^\n|]+\|[^\n]*\n\|?\s*:?-{3,}:?\s*\|/mu, 2],
  [/\[[^\]\n]+\]\((?:https?:|mailto:|\/|#|\.)[^)\s]*\)/u, 1],
  [/(?:^|[\s(])\*\*[^\s*][^*\n]*\*\*/mu, 1],
  [/^#{1,6} \S/mu, 1],
  [/^\s{0,3}(?:[-*+]|\d+[.)]) \S[^\n]*\n\s{0,3}(?:[-*+]|\d+[.)]) \S/mu, 1],
  [/(?:^|[\s(])`[^`\n]+`/mu, 1],
];
const PROOF = 2;

/** Whether a text is meant as Markdown, rather than as the characters that it consists of. */
export function looksLikeMarkdown(text: string): boolean {
  const beginning = text.slice(0, MAX_MARKDOWN_CHARS);
  let proof = 0;
  for (const [sign, weight] of SIGNS) {
    if (sign.test(beginning)) proof += weight;
    if (proof >= PROOF) return true;
  }
  return false;
}
