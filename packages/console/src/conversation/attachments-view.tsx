import { errorText } from '../api/error-text.ts';
import { IconButton } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { COMPOSER } from '../texts/conversation.ts';
import type { Attachment, Attachments } from './attachments.ts';

/** Files that go with the next message. */
export function AttachmentsView({ attachments }: { readonly attachments: Attachments }) {
  const list = attachments.list.value;
  if (list.length === 0) return null;
  return (
    <ul class="attachments" role="list" aria-label={COMPOSER.attached}>
      {list.map((attachment) => (
        <AttachmentView key={attachment.id} attachment={attachment} attachments={attachments} />
      ))}
    </ul>
  );
}

function AttachmentView({
  attachment,
  attachments,
}: {
  readonly attachment: Attachment;
  readonly attachments: Attachments;
}) {
  const { id, name, state } = attachment;
  return (
    <li class="attachment" data-state={state.kind}>
      {state.kind === 'uploading' ? (
        <span class="spinner" />
      ) : (
        <Icon name={state.kind === 'failed' ? 'alert' : 'file'} />
      )}
      <span class="truncate" dir="auto" title={name}>
        {name}
      </span>
      {state.kind === 'uploading' && (
        <progress
          max={1}
          value={state.share}
          aria-label={COMPOSER.uploading(name, Math.round(state.share * 100))}
        />
      )}
      {state.kind === 'failed' && (
        <>
          <span class="attachment-error" role="alert">
            <span class="visually-hidden">{COMPOSER.uploadFailed(name)} </span>
            {errorText(state.error)}
          </span>
          <IconButton
            icon="refresh"
            size="small"
            label={COMPOSER.retryFile(name)}
            onClick={() => attachments.retry(id)}
          />
        </>
      )}
      <IconButton
        icon="x"
        size="small"
        label={COMPOSER.removeFile(name)}
        onClick={() => attachments.remove(id)}
      />
    </li>
  );
}
