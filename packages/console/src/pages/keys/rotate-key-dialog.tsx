import { useState } from 'preact/hooks';
import type { ApiKey, IssuedApiKey } from '@agentapi-proxy/client';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { ErrorNotice } from '../../components/notice.tsx';
import { useConsole } from '../../console-context.ts';
import { KEYS } from '../../texts/administration.ts';
import { COMMON } from '../../texts/common.ts';
import { OVERLAPS, type Overlap } from './key-state.ts';

interface RotateKeyDialogProps {
  readonly apiKey: ApiKey;
  readonly onIssued: (issued: IssuedApiKey) => void;
  readonly onClose: () => void;
}

const CHOICES: readonly Overlap[] = ['none', 'hour', 'day', 'week'];

/** Asks how long the old key shall be good, and makes one that replaces it. */
export function RotateKeyDialog({ apiKey, onIssued, onClose }: RotateKeyDialogProps) {
  const { client } = useConsole();
  const [overlap, setOverlap] = useState<Overlap>('day');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const rotate = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      onIssued(await client.apiKeys.rotate(apiKey.id, { overlap_seconds: OVERLAPS[overlap] }));
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={KEYS.rotateTitle(apiKey.name)}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button variant="primary" busy={isBusy} onClick={() => void rotate()}>
            {KEYS.rotateSubmit}
          </Button>
        </>
      }
    >
      {error !== null && <ErrorNotice title={KEYS.rotateFailed} error={error} />}
      <p>{KEYS.rotateText}</p>
      <Field label={KEYS.overlap}>
        {(control) => (
          <select
            {...control}
            class="input"
            value={overlap}
            onChange={({ currentTarget }) =>
              setOverlap(CHOICES.find((choice) => choice === currentTarget.value) ?? overlap)
            }
          >
            {CHOICES.map((choice) => (
              <option key={choice} value={choice}>
                {KEYS.overlaps[choice]}
              </option>
            ))}
          </select>
        )}
      </Field>
    </Dialog>
  );
}
