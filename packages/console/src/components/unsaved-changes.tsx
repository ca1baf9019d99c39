import { useLayoutEffect } from 'preact/hooks';
import { useConsole } from '../console-context.ts';
import { UNSAVED } from '../texts/forms.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

/** Asks before what is unsaved gets lost by leaving the page, for as long as it is rendered. */
export function UnsavedChanges() {
  const { leaveGuard } = useConsole();
  useLayoutEffect(() => leaveGuard.hold(), [leaveGuard]);
  if (leaveGuard.asked.value === null) return null;
  return (
    <Dialog
      title={UNSAVED.title}
      onClose={() => leaveGuard.stay()}
      actions={
        <>
          <Button onClick={() => leaveGuard.stay()}>{UNSAVED.stay}</Button>
          <Button variant="danger" onClick={() => leaveGuard.leave()}>
            {UNSAVED.leave}
          </Button>
        </>
      }
    >
      <p>{UNSAVED.text}</p>
    </Dialog>
  );
}
