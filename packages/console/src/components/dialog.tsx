import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { COMMON } from '../texts/common.ts';
import { IconButton } from './button.tsx';

interface DialogProps {
  readonly title: string;
  /** Escape, the cross, or a click beside the dialog. The owner then stops rendering it. */
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** Buttons below the content. */
  readonly actions?: ComponentChildren;
  readonly width?: 'normal' | 'wide';
  /** Whether a click beside the dialog closes it; not for what is shown only once. */
  readonly closesOutside?: boolean;
}

/** A question in front of the page, for as long as it is rendered. The browser keeps the focus inside and gives it back. */
export function Dialog(props: DialogProps) {
  const { title, onClose, children, actions, width = 'normal', closesOutside = true } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Before the next key is pressed, which is meant for the dialog already; so it is wherever the focus moves.
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      data-width={width}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (closesOutside && event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-content">
        <div class="dialog-header">
          <h2 id={titleId}>{title}</h2>
          <IconButton icon="x" label={COMMON.close} size="small" onClick={onClose} />
        </div>
        <div class="dialog-body">{children}</div>
        {actions !== undefined && <div class="dialog-actions">{actions}</div>}
      </div>
    </dialog>
  );
}
