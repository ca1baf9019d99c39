import { effect, useSignal } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Button, IconButton } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { useConsole } from '../console-context.ts';
import { isComposing } from '../is-composing.ts';
import { COMPOSER } from '../texts/conversation.ts';
import { sizeText, withFiles, type Attachments } from './attachments.ts';
import { AttachmentsView } from './attachments-view.tsx';
import type { KeptText } from './kept-text.ts';
import { TemplatesDialog } from './templates-dialog.tsx';

interface ComposerProps {
  readonly sessionId: string;
  readonly kept: KeptText;
  readonly attachments: Attachments;
  /** Why nothing can be sent; `undefined` when something can. */
  readonly closedBecause: string | undefined;
  /** Whether the agent is there to take files. */
  readonly takesFiles: boolean;
  readonly isWorking: boolean;
  /** Whether the keys of the terminal are shown; `undefined` for agents without one. */
  readonly showsKeys: boolean | undefined;
  readonly onToggleKeys: () => void;
  /** The profile of the session, if it has one. */
  readonly profileId: string | undefined;
  readonly onSend: (content: string) => void;
  /** Stops what the agent does; `undefined` while there is nothing to stop. */
  readonly onInterrupt: (() => void) | undefined;
  /** Text that comes back from a message that was taken back; with an empty one, just the focus. */
  readonly returned: { readonly text: string; readonly count: number };
}

/** The largest file, where the server does not say it. */
const USUAL_UPLOAD_BYTES = 10 * 2 ** 20;

/** Where messages are written. What is written is kept until it is sent, whatever happens to the page. */
export function Composer(props: ComposerProps) {
  const { sessionId, kept, attachments, closedBecause, takesFiles, isWorking } = props;
  const { auth, toasts } = useConsole();
  const text = useSignal(kept.draft(sessionId).text);
  const [showsTemplates, setShowsTemplates] = useState(false);
  const [isDropTarget, setDropTarget] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const isInserted = useRef(false);
  const picker = useRef<HTMLInputElement>(null);
  const isClosed = closedBecause !== undefined;
  const isUploading = attachments.isUploading;
  const isEmpty = text.value.trim() === '' && attachments.done.length === 0;

  // With each change, not with the next picture: the page may be closed right after a key.
  useLayoutEffect(
    () => effect(() => kept.saveDraft(sessionId, { text: text.value, files: attachments.done })),
    [kept, sessionId, attachments],
  );
  useLayoutEffect(() => grow(area.current), [text.value]);
  useLayoutEffect(() => {
    if (props.returned.count === 0) return;
    const { text: added } = props.returned;
    if (added !== '') text.value = text.value.trim() === '' ? added : `${added}\n\n${text.value}`;
    area.current?.focus();
  }, [props.returned.count]);

  const insert = (added: string): void => {
    text.value = text.value.trim() === '' ? added : `${text.value.trimEnd()}\n\n${added}`;
    isInserted.current = true;
    setShowsTemplates(false);
  };
  // After the dialog, which gives the focus back to the button that has opened it.
  useLayoutEffect(() => {
    if (!showsTemplates && isInserted.current) area.current?.focus();
    isInserted.current = false;
  }, [showsTemplates]);
  const send = (): void => {
    if (isClosed || isEmpty || isUploading) return;
    props.onSend(withFiles(text.value.trim(), attachments.done, COMPOSER.attachedList));
    text.value = '';
    attachments.clearDone();
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isComposing(event)) return;
    if (event.key === 'Escape' && !event.repeat) props.onInterrupt?.();
    if (event.key !== 'Enter' || event.shiftKey) return;
    // The keyboard of a phone has no Shift+Enter.
    if (matchMedia('(pointer: coarse)').matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    // A key that is held, perhaps from a button before, is not meant for what is written here.
    if (!event.repeat) send();
  };
  const addFiles = (added: Iterable<File>): void => {
    if (isClosed) return;
    const limit = uploadLimit(auth.me) ?? USUAL_UPLOAD_BYTES;
    for (const file of added) {
      const name =
        file.name === '' ? `${COMPOSER.pastedFile}.${file.type.split('/')[1] ?? 'bin'}` : file.name;
      if (!takesFiles) toasts.failure(COMPOSER.notRunning);
      else if (file.size === 0) toasts.failure(COMPOSER.emptyFile(name));
      else if (file.size > limit) toasts.failure(COMPOSER.tooLarge(name, sizeText(limit)));
      else attachments.add(file, name);
    }
  };
  return (
    <form
      class="composer"
      aria-label={COMPOSER.form}
      data-drop={isDropTarget}
      data-closed={isClosed || isUploading ? true : undefined}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event) => {
        if (isClosed || event.dataTransfer?.types.includes('Files') !== true) return;
        event.preventDefault();
        setDropTarget(true);
      }}
      onDragLeave={() => setDropTarget(false)}
      onDrop={(event) => {
        setDropTarget(false);
        if (isClosed || event.dataTransfer === null || event.dataTransfer.files.length === 0) return;
        event.preventDefault();
        addFiles(event.dataTransfer.files);
      }}
    >
      <AttachmentsView attachments={attachments} />
      <textarea
        ref={area}
        class="composer-text"
        dir="auto"
        rows={1}
        aria-label={COMPOSER.label}
        aria-describedby="composer-hint"
        placeholder={closedBecause ?? (isWorking ? COMPOSER.placeholderWorking : COMPOSER.placeholder)}
        readOnly={isClosed}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
        onKeyDown={onKeyDown}
        onPaste={(event) => {
          const pasted = event.clipboardData?.files;
          if (pasted === undefined || pasted.length === 0) return;
          event.preventDefault();
          addFiles(pasted);
        }}
      />
      <div class="composer-bar">
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label={COMPOSER.attach}
          onChange={(event) => {
            addFiles(event.currentTarget.files ?? []);
            event.currentTarget.value = '';
          }}
        />
        <IconButton
          icon="paperclip"
          label={takesFiles ? COMPOSER.attach : COMPOSER.notRunning}
          disabled={isClosed || !takesFiles}
          onClick={() => picker.current?.click()}
        />
        {auth.can('profile:list') && (
          <IconButton
            icon="list"
            label={COMPOSER.templates}
            disabled={isClosed}
            onClick={() => setShowsTemplates(true)}
          />
        )}
        {props.showsKeys !== undefined && (
          <IconButton
            icon="keyboard"
            label={COMPOSER.keys}
            aria-pressed={props.showsKeys}
            disabled={isClosed}
            onClick={props.onToggleKeys}
          />
        )}
        <span id="composer-hint" class="composer-hint">
          {closedBecause ?? (isUploading ? COMPOSER.stillUploading : COMPOSER.keysHint)}
        </span>
        <Button type="submit" variant="primary" icon="send" disabled={isClosed || isEmpty || isUploading}>
          {isWorking ? COMPOSER.queue : COMPOSER.send}
        </Button>
      </div>
      {isDropTarget && (
        <div class="composer-drop">
          <Icon name="paperclip" />
          {COMPOSER.drop}
        </div>
      )}
      {showsTemplates && (
        <TemplatesDialog
          profileId={props.profileId}
          onInsert={insert}
          onClose={() => setShowsTemplates(false)}
        />
      )}
    </form>
  );
}

/** As high as its text, up to what the style allows. */
function grow(area: HTMLTextAreaElement | null): void {
  if (area === null) return;
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight}px`;
}

/** `limits.upload_bytes` of `GET /me`, which servers before the console did not tell. */
function uploadLimit(me: object | null): number | undefined {
  if (me === null || !('limits' in me) || typeof me.limits !== 'object' || me.limits === null)
    return undefined;
  const { limits } = me;
  return 'upload_bytes' in limits && typeof limits.upload_bytes === 'number'
    ? limits.upload_bytes
    : undefined;
}
