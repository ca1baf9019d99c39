import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { isComposing } from '../is-composing.ts';
import { TERMINAL } from '../texts/terminal.ts';
import { keyCode } from './key-codes.ts';
import { pastedText } from './pasted-text.ts';

interface KeyInputProps {
  readonly field: RefObject<HTMLTextAreaElement>;
  readonly applicationCursor: () => boolean;
  readonly bracketedPaste: () => boolean;
  readonly hasSelection: () => boolean;
  readonly onKeys: (keys: string) => void;
  readonly onFocus: (isFocused: boolean) => void;
  /** Somebody wants to get out. */
  readonly onLeave: () => void;
}

/** Always in the field: keyboards of telephones tell of Backspace only by what it takes away. */
const KEPT = ' ';
const BACKSPACE = '\u007f';

/** Where one types into a terminal. Not that of the emulator, so that what comes out of here was typed or pasted by somebody. */
export function KeyInput(props: KeyInputProps) {
  const { field, onKeys } = props;
  // Before the next key is pressed.
  useLayoutEffect(() => {
    field.current?.focus({ preventScroll: true });
  }, [field]);
  const [isWithinWord, setWithinWord] = useState(false);
  const empty = (): void => {
    const element = field.current;
    if (element === null) return;
    element.value = KEPT;
    element.setSelectionRange(KEPT.length, KEPT.length);
  };
  useLayoutEffect(empty, []);
  const take = (): void => {
    const text = field.current?.value ?? KEPT;
    empty();
    if (text === '') onKeys(BACKSPACE);
    else onKeys((text.startsWith(KEPT) ? text.slice(KEPT.length) : text).replaceAll('\n', '\r'));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isComposing(event) || event.key === 'Process' || event.key === 'Unidentified') return;
    if (event.key === TERMINAL.leaveKey && !event.ctrlKey && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      props.onLeave();
      return;
    }
    if (isForBrowser(event, props.hasSelection())) return;
    const { key, ctrlKey, altKey, shiftKey, metaKey } = event;
    const press = { key, ctrlKey, altKey, shiftKey, metaKey, altGraph: makesCharacter(event) };
    const keys = keyCode(press, props.applicationCursor());
    if (keys === null) return;
    event.preventDefault();
    onKeys(keys);
  };
  return (
    <textarea
      ref={field}
      class="terminal-input"
      aria-label={TERMINAL.input}
      dir="ltr"
      rows={1}
      autocomplete="off"
      autocapitalize="off"
      autoCorrect="off"
      spellcheck={false}
      data-composing={isWithinWord}
      onKeyDown={onKeyDown}
      onInput={(event) => {
        if (!event.isComposing) take();
      }}
      onCompositionStart={() => setWithinWord(true)}
      onCompositionEnd={() => {
        setWithinWord(false);
        take();
      }}
      onPaste={(event) => {
        event.preventDefault();
        const text = event.clipboardData?.getData('text/plain') ?? '';
        if (text !== '') onKeys(pastedText(text, props.bracketedPaste()));
      }}
      onFocus={() => props.onFocus(true)}
      onBlur={() => props.onFocus(false)}
    />
  );
}

/** Pasting, and copying what is selected. */
function isForBrowser({ key, ctrlKey, altKey, metaKey }: KeyboardEvent, hasSelection: boolean): boolean {
  if (metaKey) return true;
  if (!ctrlKey || altKey) return false;
  const letter = key.toLowerCase();
  return letter === 'v' || (letter === 'c' && hasSelection);
}

/** With AltGr, and Option on a Mac, keyboards have characters of their own. */
function makesCharacter(event: KeyboardEvent): boolean {
  return event.getModifierState('AltGraph') || (event.altKey && /mac|iphone|ipad/i.test(navigator.userAgent));
}
