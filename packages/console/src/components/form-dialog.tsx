import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { errorText } from '../api/error-text.ts';
import { useConsole } from '../console-context.ts';
import { COMMON } from '../texts/common.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { ErrorNotice } from './notice.tsx';
import { useIsGone } from './use-is-gone.ts';

interface FormDialogProps {
  readonly title: string;
  /** The text of the button that does it. */
  readonly submit: string;
  readonly variant?: 'primary' | 'danger';
  /** What did not work, if it fails. */
  readonly failed?: string;
  /** Whether all is there that it takes. */
  readonly isComplete?: boolean;
  /** Whether something was entered before it opened. */
  readonly wasTouched?: boolean;
  /** Further buttons. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
  /**
   * Does it; what it throws is shown, also when the dialog was closed meanwhile. `close` closes the dialog, and never
   * another that has taken its place.
   */
  readonly onSubmit: (close: () => void) => Promise<void> | void;
  readonly onClose: () => void;
}

/** Asks for what is needed to do something, and does it by its button or by Enter. */
export function FormDialog(props: FormDialogProps) {
  const { title, submit, variant = 'primary', failed, isComplete = true, wasTouched = false } = props;
  const { actions, children, onSubmit, onClose } = props;
  const id = useId();
  const [isBusy, setBusy] = useState(false);
  const [isTouched, setTouched] = useState(wasTouched);
  const [error, setError] = useState<unknown>(null);
  const { toasts } = useConsole();
  const isGone = useIsGone();
  const close = (): void => {
    if (!isGone.current) onClose();
  };
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await onSubmit(close);
    } catch (failure) {
      if (isGone.current) toasts.failure([failed ?? title, errorText(failure)].join(' '));
      else setError(failure);
    }
    setBusy(false);
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      // What was entered does not get lost by a click that missed.
      closesOutside={!isTouched}
      actions={
        <>
          {actions}
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button variant={variant} type="submit" form={id} busy={isBusy} disabled={!isComplete}>
            {submit}
          </Button>
        </>
      }
    >
      <form
        id={id}
        class="dialog-form"
        noValidate
        onInput={() => setTouched(true)}
        onSubmit={(event) => {
          event.preventDefault();
          // The dialog may stand in a form itself.
          event.stopPropagation();
          void run();
        }}
      >
        {error !== null && <ErrorNotice title={failed} error={error} />}
        {children}
      </form>
    </Dialog>
  );
}
