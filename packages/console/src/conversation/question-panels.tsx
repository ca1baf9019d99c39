import type { AgentDialog, PermissionRequest } from '@agentapi-proxy/client';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
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
  /** The last question has been answered here; the focus is wanted elsewhere. */
  readonly onAnswered: () => void;
}

/** What the agent asks, with buttons for the answers. */
export function QuestionPanels(props: QuestionsProps) {
  const { questions, canWrite, showsKeys, onHideKeys, onAnswered } = props;
  const dialog = questions.dialog.value;
  const permissions = questions.permissions.value;
  const place = useRef<HTMLDivElement>(null);
  const isAnswered = useRef(false);
  // The buttons of a question go with it; whoever has pressed one by keyboard goes on with what comes next.
  useLayoutEffect(() => {
    if (!isAnswered.current) return;
    isAnswered.current = false;
    if (document.activeElement !== document.body) return;
    const next = place.current?.querySelector<HTMLElement>('.question');
    if (next !== null && next !== undefined) next.focus();
    // A telephone would show its keyboard.
    else if (!matchMedia('(pointer: coarse)').matches) onAnswered();
  }, [permissions, dialog]);
  const panel = {
    questions,
    canWrite,
    onAnswer: () => {
      isAnswered.current = true;
    },
  };
  return (
    <>
      <div ref={place} class="questions">
        {permissions.map((request) => (
          <PermissionPanel key={request.id} request={request} {...panel} />
        ))}
        {dialog !== null && <DialogPanel key={dialog.id} dialog={dialog} {...panel} />}
      </div>
      {canWrite && (showsKeys || dialog?.choices.length === 0) && (
        <KeysPanel questions={questions} onClose={dialog?.choices.length === 0 ? undefined : onHideKeys} />
      )}
    </>
  );
}

interface PanelProps {
  readonly questions: QuestionsStore;
  readonly canWrite: boolean;
  /** Somebody has pressed a button of it. */
  readonly onAnswer: () => void;
}

interface DialogPanelProps extends PanelProps {
  readonly dialog: AgentDialog;
}

function DialogPanel({ dialog, questions, canWrite, onAnswer }: DialogPanelProps) {
  const { busy, answer } = useAnswer(onAnswer);
  return (
    <section class="question" tabIndex={-1} aria-label={QUESTIONS.dialog}>
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

interface PermissionPanelProps extends PanelProps {
  readonly request: PermissionRequest;
}

function PermissionPanel({ request, questions, canWrite, onAnswer }: PermissionPanelProps) {
  const { busy, answer } = useAnswer(onAnswer);
  const call = request.tool_call;
  return (
    <section class="question" tabIndex={-1} aria-label={QUESTIONS.permission(call.title)}>
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
function useAnswer(onAnswer: () => void): {
  readonly busy: boolean;
  readonly answer: (work: () => Promise<void>) => void;
} {
  const { toasts } = useConsole();
  const [busy, setBusy] = useState(false);
  const answer = (work: () => Promise<void>): void => {
    setBusy(true);
    onAnswer();
    work()
      .catch((error: unknown) => toasts.failure(`${QUESTIONS.answerFailed} ${errorText(error)}`))
      .finally(() => setBusy(false));
  };
  return { busy, answer };
}
