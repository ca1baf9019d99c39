import DOMPurify from 'dompurify';
import { isOutside } from './markdown.ts';

const BLOCKS = 'p, li, h3, blockquote, td, th';

/**
 * HTML that runs nothing, loads nothing and shows nothing but text: only the tags and attributes named here are left.
 * Links open outside the console and do not tell where they were.
 */
export function safeFragment(html: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(html, {
    ALLOWED_TAGS: [
      ...['p', 'br', 'hr', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a'],
      ...['h3', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
    ],
    ALLOWED_ATTR: ['href', 'start', 'align', 'data-language', 'data-depth'],
    ALLOW_ARIA_ATTR: false,
    ALLOW_DATA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const link of fragment.querySelectorAll('a')) {
    if (!isOutside(link.getAttribute('href') ?? '')) link.removeAttribute('href');
    link.rel = 'noopener noreferrer nofollow';
    link.target = '_blank';
  }
  // Each block finds its own direction, so that one word of Arabic does not turn a page of English around.
  for (const block of fragment.querySelectorAll<HTMLElement>(BLOCKS)) block.dir = 'auto';
  for (const code of fragment.querySelectorAll<HTMLElement>('pre, code')) code.dir = 'ltr';
  return fragment;
}

/** Coloured code: spans with classes, nothing else. */
export function safeCodeFragment(html: string): DocumentFragment {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: ['span'],
    ALLOWED_ATTR: ['class'],
    ALLOW_ARIA_ATTR: false,
    ALLOW_DATA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
}
