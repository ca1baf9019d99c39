import { Lexer, Marked, type Token, type Tokens } from 'marked';

/** A block of a Markdown text as HTML, before it is made safe. The same HTML is the same block. */
export interface MarkdownBlock {
  readonly html: string;
}

/** Longer pieces without a break are no prose; marks in them would be looked for again and again. */
const MAX_INLINE_CHARS = 5_000;
/** What is left after this time is shown without its marks, so that no message keeps a page from answering. */
const INLINE_BUDGET_MS = 150;

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
          `<pre><code data-language="${escapeHtml((lang ?? '').trim())}">${escapeHtml(text)}</code></pre>`,
        checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
        // Those who write messages know nothing of the headings around them: all are on one level, and only look different.
        heading({ tokens, depth }) {
          return `<h3 data-depth="${depth}">${this.parser.parseInline(tokens)}</h3>`;
        },
      },
    });
  }

  /** The blocks of a text, in order. */
  blocks(text: string): readonly MarkdownBlock[] {
    try {
      return (
        this.#tokensOf(text)
          // What links refer to is not shown otherwise, and nothing that was said is to be lost.
          .map((token) => ({
            html: token.type === 'def' ? `<p>${escapeHtml(token.raw)}</p>` : this.#marked.parser([token]),
          }))
          .filter(({ html }) => html.trim() !== '')
      );
    } catch {
      // Thousands of nested lists or quotations exhaust the stack of the parser.
      return [{ html: `<pre>${escapeHtml(text)}</pre>` }];
    }
  }

  #tokensOf(text: string): readonly Token[] {
    const lexer = new Lexer({ ...this.#marked.defaults });
    const tokens = lexer.blockTokens(text.replace(/\r\n|\r/gu, '\n'));
    const end = performance.now() + INLINE_BUDGET_MS;
    // The queue grows while lists are read.
    for (const { src, tokens: inline } of lexer.inlineQueue) {
      if (src.length > MAX_INLINE_CHARS || performance.now() > end) {
        inline.push({ type: 'text', raw: src, text: escapeHtml(src), escaped: true });
      } else {
        lexer.inlineTokens(src, inline);
      }
    }
    return tokens;
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

/** A text as it stands in HTML, also within quotation marks. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/gu, (char) => `&#${char.codePointAt(0)};`);
}
