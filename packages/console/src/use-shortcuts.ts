import { useLayoutEffect, useRef } from 'preact/hooks';
import { useConsole } from './console-context.ts';
import { isComposing } from './is-composing.ts';

/** What keys do: by `KeyboardEvent.key`. */
export type Shortcuts = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/**
 * Single keys that do something while nobody types and no dialog is open. They can be turned off, because whoever
 * dictates to the browser would press them by speaking.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const { preferences } = useConsole();
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  // Before the page is seen, so that no key comes too early.
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!preferences.values.value.shortcuts || event.defaultPrevented) return;
      if (event.ctrlKey || event.metaKey || event.altKey || isComposing(event)) return;
      if (isTyping(event.target) || document.querySelector('dialog[open], .menu-items') !== null) return;
      const action = latest.current[event.key];
      if (action !== undefined) action(event);
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [preferences]);
}

/** Whether keys go into a text. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest('.xterm') !== null) return true;
  if (target instanceof HTMLInputElement)
    return !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
