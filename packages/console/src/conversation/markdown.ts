import { Marked, type Tokens } from 'marked';

/** A block of a Markdown text as HTML, before it is made safe. The same HTML is the same block. */
export interface MarkdownBlock {
  readonly html: string;
}

/** Reads Markdown. HTML in it is text; images are links; the outcome still has to go through `safeFragment`. */
export class MarkdownReader {
  readonly #marked: Marked;

  constructor() {
    this.#marked = new Marked({
      gfm: true,
      // Agents and people break lines where they want them broken.
      breaks: true,
      renderer: {
        html: ({ text, block }: Tokens.HTML | Tokens.Tag) =>
          block ? `<p>${escapeHtml(text)}</p>` : escapeHtml(text),
        // Loading it would tell a stranger who reads this and when.
        image: ({ href, text }) => linkHtml(href, escapeHtml(text === '' ? href : text)),
        link({ href, tokens }) {
          return linkHtml(href, this.parser.parseInline(tokens));
        },
        code: ({ text, lang }) =>
          `<pre><code data-language="${escapeHtml(languageOf(lang ?? ''))}">${escapeHtml(text)}</code></pre>`,
        checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
        // The page has headings of its own above these.
        heading({ tokens, depth }) {
          const level = Math.min(depth + 2, 6);
          return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
        },
      },
    });
  }

  /** The blocks of a text, in order. */
  blocks(text: string): readonly MarkdownBlock[] {
    try {
      return this.#marked
        .lexer(text)
        .map((token) => ({ html: this.#marked.parser([token]) }))
        .filter(({ html }) => html.trim() !== '');
    } catch {
      // Thousands of nested lists or quotations exhaust the stack of the parser.
      return [{ html: `<pre>${escapeHtml(text)}</pre>` }];
    }
  }
}

/** A link, if it leads to somewhere outside; what is relative would lead into the console. */
function linkHtml(href: string, inner: string): string {
  if (isOutside(href)) return `<a href="${escapeHtml(href)}">${inner}</a>`;
  return inner === escapeHtml(href) ? inner : `${inner} (<code>${escapeHtml(href)}</code>)`;
}

/** Whether an address may be a link: absolute, and of a kind that runs nothing. */
export function isOutside(href: string): boolean {
  return /^(?:https?:\/\/|mailto:)[^\s]/iu.test(href);
}

function languageOf(info: string): string {
  return /^[\w+#.-]{1,30}/u.exec(info.trim())?.[0]?.toLowerCase() ?? '';
}

/** A text as it stands in HTML, also within quotation marks. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/gu, (char) => `&#${char.codePointAt(0)};`);
}
