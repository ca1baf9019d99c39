import { useEffect, useState } from 'preact/hooks';
import { COMMON } from '../texts/common.ts';
import { Button, IconButton } from './button.tsx';
import { useConsole } from '../console-context.ts';

interface CopyButtonProps {
  readonly text: string | (() => string);
  /** What is copied, such as "Copy the session's id". */
  readonly label: string;
  /** Shows the label as a text, too. */
  readonly withText?: boolean;
  readonly size?: 'small' | 'medium';
}

/** How long the tick stays. */
const TICK_MS = 2_000;

/** Puts a text into the clipboard. */
export function CopyButton({ text, label, withText = false, size = 'small' }: CopyButtonProps) {
  const { toasts } = useConsole();
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return undefined;
    const timer = setTimeout(() => setDone(false), TICK_MS);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = (): void => {
    const value = typeof text === 'string' ? text : text();
    copyText(value).then(
      () => setDone(true),
      () => toasts.failure(COMMON.copyFailed),
    );
  };
  const icon = isDone ? 'check' : 'copy';
  return (
    <>
      {withText ? (
        <Button icon={icon} size={size} onClick={copy}>
          {label}
        </Button>
      ) : (
        <IconButton icon={icon} size={size} label={label} onClick={copy} />
      )}
      <span class="visually-hidden" role="status">
        {isDone ? COMMON.copied : ''}
      </span>
    </>
  );
}

/** Puts a text into the clipboard, also on pages that came over plain HTTP. */
export async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const before = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  // A modal dialog makes everything outside it inert.
  (document.querySelector('dialog:modal') ?? document.body).append(area);
  area.select();
  // The only way there is where the clipboard's own interface is kept from the page.
  const isCopied = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  if (!isCopied) throw new Error('The browser did not copy');
}
