import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import type { AuditEntry } from '@agentapi-proxy/client';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { COMMON } from '../../texts/common.ts';
import { AUDIT } from '../../texts/administration.ts';

interface AuditEntryDialogProps {
  readonly entry: AuditEntry;
  readonly onClose: () => void;
}

/** Everything that was written down of one action. */
export function AuditEntryDialog({ entry, onClose }: AuditEntryDialogProps) {
  const { target_kind: kind, target_id: target } = entry;
  const details = Object.entries(entry.details);
  return (
    <Dialog
      title={entry.action}
      onClose={onClose}
      actions={<Button onClick={onClose}>{COMMON.close}</Button>}
    >
      <dl class="audit-entry">
        <Line name={AUDIT.when}>
          {new Date(entry.at).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'long' })}
        </Line>
        <Line name={AUDIT.who}>{entry.user_id ?? AUDIT.nobody}</Line>
        <Line name={AUDIT.result}>{AUDIT.outcomes[entry.outcome]}</Line>
        <Line name={AUDIT.on}>
          {kind ?? AUDIT.none}{' '}
          {kind === 'session' && target !== null ? (
            <Link href={`/sessions/${encodeURIComponent(target)}`}>
              <code>{target}</code>
            </Link>
          ) : (
            target !== null && <code>{target}</code>
          )}
        </Line>
        <Line name={AUDIT.key}>{entry.key_id ?? AUDIT.none}</Line>
        <Line name={AUDIT.address}>{entry.remote_address ?? AUDIT.none}</Line>
        <Line name={AUDIT.request}>{entry.request_id ?? AUDIT.none}</Line>
      </dl>
      {details.length > 0 && (
        <>
          <h3>{AUDIT.more}</h3>
          <dl class="audit-entry">
            {details.map(([name, value]) => (
              <Line key={name} name={name}>
                {value === null ? AUDIT.none : String(value)}
              </Line>
            ))}
          </dl>
        </>
      )}
      <p class="muted">{AUDIT.entry(entry.id)}</p>
    </Dialog>
  );
}

function Line({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd dir="auto">{children}</dd>
    </div>
  );
}
