import { useId } from 'preact/hooks';
import type { IssuedApiKey } from '@agentapi-proxy/client';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { KEYS } from '../../texts/administration.ts';
import { COMMON } from '../../texts/common.ts';

interface IssuedKeyDialogProps {
  readonly issued: IssuedApiKey;
  readonly onClose: () => void;
}

/** Shows a key the only time that it can be shown. */
export function IssuedKeyDialog({ issued, onClose }: IssuedKeyDialogProps) {
  const id = useId();
  return (
    <Dialog
      title={KEYS.issuedTitle}
      onClose={onClose}
      closesOutside={false}
      actions={<Button onClick={onClose}>{COMMON.close}</Button>}
    >
      <Notice tone="warning">{KEYS.issuedText}</Notice>
      <label htmlFor={id}>
        <bdi>{issued.name}</bdi>
      </label>
      <input
        id={id}
        class="input mono"
        readOnly
        value={issued.key}
        onFocus={({ currentTarget }) => currentTarget.select()}
      />
      <div>
        <CopyButton text={issued.key} label={KEYS.copy} withText size="medium" />
      </div>
    </Dialog>
  );
}
