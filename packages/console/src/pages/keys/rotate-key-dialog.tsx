import { useState } from 'preact/hooks';
import type { ApiKey, IssuedApiKey } from '@agentapi-proxy/client';
import { FormDialog } from '../../components/form-dialog.tsx';
import { choicesOf, SelectField } from '../../components/select.tsx';
import { useConsole } from '../../console-context.ts';
import { KEYS } from '../../texts/administration.ts';
import { OVERLAPS, type Overlap } from './key-state.ts';

interface RotateKeyDialogProps {
  readonly apiKey: ApiKey;
  readonly onIssued: (issued: IssuedApiKey) => void;
  readonly onClose: () => void;
}

const CHOICES: readonly Overlap[] = ['none', 'hour', 'day', 'week'];

/** Asks how long the old key shall be good, and makes one that replaces it. */
export function RotateKeyDialog({ apiKey, onIssued, onClose }: RotateKeyDialogProps) {
  const { auth, client } = useConsole();
  const [overlap, setOverlap] = useState<Overlap>('day');
  const rotate = async (): Promise<IssuedApiKey> =>
    await client.apiKeys.rotate(apiKey.id, { overlap_seconds: OVERLAPS[overlap] });
  const isOwn = auth.me?.key?.id === apiKey.id;
  return (
    <FormDialog
      title={KEYS.rotateTitle(apiKey.name)}
      submit={KEYS.rotateSubmit}
      failed={KEYS.rotateFailed}
      onSubmit={async () => onIssued(await (isOwn ? auth.replaceKey(rotate) : rotate()))}
      onClose={onClose}
    >
      <p>{KEYS.rotateText}</p>
      <SelectField
        label={KEYS.overlap}
        choices={choicesOf(CHOICES, (choice) => KEYS.overlaps[choice])}
        value={overlap}
        onChange={setOverlap}
      />
    </FormDialog>
  );
}
