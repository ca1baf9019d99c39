import type { AgentDialog, PermissionRequest } from '@agentapi-proxy/client';
import { useState } from 'preact/hooks';
import { errorText } from '../api/error-text.ts';
import { Button, IconButton } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { useConsole } from '../console-context.ts';
import { QUESTIONS } from '../texts/conversation.ts';
import type { QuestionsStore } from './questions-store.ts';
import { TERMINAL_KEYS } from './terminal-keys.ts';
import { ToolCallDetails } from './tool-view.tsx';

interface QuestionsProps {
  readonly questions: QuestionsStore;
  readonly canWrite: boolean;
  readonly showsKeys: boolean;
  readonly onHideKeys: () => void;
}

/** What the agent asks, with buttons for the answers. */
export function QuestionPanels({ questions, canWrite, showsKeys, onHideKeys }: QuestionsProps) {
  const dialog = questions.dialog.value;
  return (
    <>
      {questions.permissions.value.map((request) => (
        <PermissionPanel key={request.id} request={request} questions={questions} canWrite={canWrite} />
      ))}
      {dialog !== null && (
        <DialogPanel key={dialog.id} dialog={dialog} questions={questions} canWrite={canWrite} />
      )}
      {canWrite && (showsKeys || dialog?.choices.length === 0) && (
        <KeysPanel questions={questions} onClose={dialog?.choices.length === 0 ? undefined : onHideKeys} />
      )}
    </>
  );
}

interface DialogPanelProps {
  readonly dialog: AgentDialog;
  readonly questions: QuestionsStore;
  readonly canWrite: boolean;
}

function DialogPanel({ dialog, questions, canWrite }: DialogPanelProps) {
  const { busy, answer } = useAnswer();
  return (
    <section class="question" aria-label={QUESTIONS.dialog}>
      <h3>
        <Icon name="info" />
        {QUESTIONS.dialog}
      </h3>
      <pre class="question-text" dir="auto" tabIndex={0} role="group" aria-label={QUESTIONS.dialog}>
        {dialog.text}
      </pre>
      {canWrite && dialog.choices.length > 0 && (
        <div class="question-answers">
          {dialog.choices.map(({ label }, index) => (
            <Button
              key={index}
              variant={index === 0 ? 'primary' : 'secondary'}
              disabled={busy}
              onClick={() => answer(() => questions.choose(dialog, index))}
            >
              <bdi>{label}</bdi>
            </Button>
          ))}
        </div>
      )}
      {canWrite && dialog.choices.length === 0 && <p class="muted">{QUESTIONS.useKeys}</p>}
    </section>
  );
}

interface PermissionPanelProps {
  readonly request: PermissionRequest;
  readonly questions: QuestionsStore;
  readonly canWrite: boolean;
}

function PermissionPanel({ request, questions, canWrite }: PermissionPanelProps) {
  const { busy, answer } = useAnswer();
  const call = request.tool_call;
  return (
    <section class="question" aria-label={QUESTIONS.permission(call.title)}>
      <h3 dir="auto">
        <Icon name="shield" />
        <span>{QUESTIONS.permission(call.title)}</span>
      </h3>
      <details>
        <summary>{QUESTIONS.permissionDetails}</summary>
        <ToolCallDetails call={call} />
      </details>
      {canWrite && (
        <div class="question-answers">
          {request.options.map(({ option_id: id, name, kind }) => (
            <Button
              key={id}
              variant={kind === 'allow_once' ? 'primary' : 'secondary'}
              disabled={busy}
              onClick={() => answer(() => questions.answer(request, id))}
            >
              <bdi>{name}</bdi>
            </Button>
          ))}
          <Button
            variant="ghost"
            disabled={busy}
            onClick={() => answer(() => questions.answer(request, null))}
          >
            {QUESTIONS.turnAway}
          </Button>
        </div>
      )}
    </section>
  );
}

interface KeysPanelProps {
  readonly questions: QuestionsStore;
  /** `undefined` while they are the only way to answer. */
  readonly onClose: (() => void) | undefined;
}

function KeysPanel({ questions, onClose }: KeysPanelProps) {
  const { toasts } = useConsole();
  const [pressed, setPressed] = useState('');
  const press = (label: string, keys: string): void => {
    questions.press([keys]).then(
      () => setPressed(QUESTIONS.pressed(label)),
      (error: unknown) => toasts.failure(`${QUESTIONS.keyFailed} ${errorText(error)}`),
    );
  };
  return (
    <div class="keys" role="group" aria-label={QUESTIONS.keys}>
      {TERMINAL_KEYS.map(({ label, name, keys }) => (
        <Button key={name} size="small" aria-label={name} title={name} onClick={() => press(name, keys)}>
          {label}
        </Button>
      ))}
      {onClose !== undefined && (
        <IconButton icon="x" size="small" label={QUESTIONS.closeKeys} onClick={onClose} />
      )}
      <span class="visually-hidden" role="status">
        {pressed}
      </span>
    </div>
  );
}

/** Runs one answer at a time, and says when it does not arrive. */
function useAnswer(): { readonly busy: boolean; readonly answer: (work: () => Promise<void>) => void } {
  const { toasts } = useConsole();
  const [busy, setBusy] = useState(false);
  const answer = (work: () => Promise<void>): void => {
    setBusy(true);
    work()
      .catch((error: unknown) => toasts.failure(`${QUESTIONS.answerFailed} ${errorText(error)}`))
      .finally(() => setBusy(false));
  };
  return { busy, answer };
}
