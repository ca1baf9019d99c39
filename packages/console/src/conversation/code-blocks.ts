import { copyText } from '../components/copy-button.tsx';
import { CONVERSATION } from '../texts/conversation.ts';
import { highlight } from './code-highlighting.ts';
import { safeCodeFragment } from './safe-html.ts';

/** How long a button says that it has worked. */
const TICK_MS = 2_000;
/** Code is coloured a little before it comes into view. */
const AHEAD = '400px';

/**
 * Gives every block of code a head with its language and a button that copies it, and colours it when it comes near the view.
 * @returns what ends the waiting for that
 */
export function dressCode(container: HTMLElement, onCopyFailed: () => void): () => void {
  const codes = [...container.querySelectorAll<HTMLElement>('pre > code')];
  if (codes.length === 0) return () => undefined;
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting || !(target instanceof HTMLElement)) continue;
        observer.unobserve(target);
        void colour(target);
      }
    },
    { rootMargin: AHEAD },
  );
  const timers = new Set<ReturnType<typeof setTimeout>>();
  for (const code of codes) {
    frame(code, timers, onCopyFailed);
    observer.observe(code);
  }
  return () => {
    observer.disconnect();
    for (const timer of timers) clearTimeout(timer);
  };
}

function frame(
  code: HTMLElement,
  timers: Set<ReturnType<typeof setTimeout>>,
  onCopyFailed: () => void,
): void {
  const pre = code.parentElement;
  if (pre === null) return;
  const language = code.dataset['language'] ?? '';
  const label = document.createElement('span');
  label.textContent = language;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button';
  button.dataset['variant'] = 'ghost';
  button.dataset['size'] = 'small';
  button.textContent = CONVERSATION.copyCode;
  button.setAttribute('aria-live', 'polite');
  const showCopied = (): void => {
    button.textContent = CONVERSATION.codeCopied;
    const timer = setTimeout(() => {
      timers.delete(timer);
      button.textContent = CONVERSATION.copyCode;
    }, TICK_MS);
    timers.add(timer);
  };
  button.addEventListener(
    'click',
    () => void copyText(code.textContent ?? '').then(showCopied, onCopyFailed),
  );
  const head = document.createElement('div');
  head.className = 'code-head';
  head.append(label, button);
  const block = document.createElement('div');
  block.className = 'code-block';
  pre.replaceWith(block);
  // Wide code scrolls, so it must be within reach of the keyboard.
  pre.tabIndex = 0;
  pre.setAttribute('role', 'group');
  pre.setAttribute('aria-label', language === '' ? CONVERSATION.code : CONVERSATION.codeIn(language));
  block.append(head, pre);
}

async function colour(code: HTMLElement): Promise<void> {
  try {
    const html = await highlight(code.textContent ?? '', code.dataset['language'] ?? '');
    if (html !== null) code.replaceChildren(safeCodeFragment(html));
  } catch {
    // A language that cannot be loaded: code without colours is still code.
  }
}
