import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { COMMON } from '../texts/common.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { ErrorNotice } from './notice.tsx';

interface FormDialogProps {
  readonly title: string;
  /** The text of the button that does it. */
  readonly submit: string;
  readonly variant?: 'primary' | 'danger';
  /** What did not work, if it fails. */
  readonly failed?: string;
  /** Whether all is there that it takes. */
  readonly isComplete?: boolean;
  /** Further buttons. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Does it, and closes the dialog when that is the end of it; what it throws is shown. */
  readonly onSubmit: () => Promise<void> | void;
  readonly onClose: () => void;
}

/** Asks for what is needed to do something, and does it by its button or by Enter. */
export function FormDialog(props: FormDialogProps) {
  const { title, submit, variant = 'primary', failed, isComplete = true } = props;
  const { actions, children, onSubmit, onClose } = props;
  const id = useId();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await onSubmit();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
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
