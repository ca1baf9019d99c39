import type { PlanEntry, ToolCall } from '@agentapi-proxy/client';
import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from '../components/icon.tsx';
import { TOOLS } from '../texts/conversation.ts';
import { rawText, toolContentOf } from './tool-content.ts';

const KIND_ICONS: Readonly<Record<string, IconName>> = {
  read: 'file',
  edit: 'edit',
  delete: 'trash',
  move: 'file',
  search: 'search',
  execute: 'terminal',
  think: 'activity',
  fetch: 'download',
};
/** More calls in a row are folded as a whole. */
const MAX_OPEN_CALLS = 4;

/** What an agent in a terminal did, with what came of it folded away. */
export function TerminalToolView({ title, output }: { readonly title: string; readonly output: string }) {
  const lines = output === '' ? 0 : output.split('\n').length;
  const head = (
    <>
      <Icon name="terminal" />
      <code class="tool-title" dir="ltr">
        {title}
      </code>
      {lines > 0 && <span class="tool-note">{TOOLS.lines(lines)}</span>}
    </>
  );
  if (lines === 0) return <div class="tool tool-head">{head}</div>;
  return (
    <details class="tool">
      <summary class="tool-head">{head}</summary>
      <ToolOutput text={output} label={TOOLS.output} />
    </details>
  );
}

/** What an agent did, as the Agent Client Protocol tells it. */
export function ToolCallsView({ toolCalls }: { readonly toolCalls: readonly ToolCall[] }) {
  const calls = toolCalls.map((call) => <ToolCallView key={call.id} call={call} />);
  if (calls.length <= MAX_OPEN_CALLS) return <div class="tool-list">{calls}</div>;
  return (
    <details class="tool">
      <summary class="tool-head">
        <Icon name="list" />
        <span class="tool-title">{TOOLS.group(calls.length)}</span>
      </summary>
      <div class="tool-list">{calls}</div>
    </details>
  );
}

function ToolCallView({ call }: { readonly call: ToolCall }) {
  return (
    <details class="tool" data-state={call.status}>
      <summary class="tool-head">
        <Icon name={KIND_ICONS[call.kind] ?? 'settings'} />
        <span class="tool-title" dir="auto">
          {call.title}
        </span>
        <span class="tool-note">{stateName(call.status)}</span>
      </summary>
      <ToolCallDetails call={call} />
    </details>
  );
}

/** Everything that is known of a tool call. */
export function ToolCallDetails({ call }: { readonly call: ToolCall }) {
  const content = toolContentOf(call.content);
  const input = rawText(call.raw_input);
  // Agents that show their output in the content mostly repeat it here.
  const output = content.length > 0 ? undefined : rawText(call.raw_output);
  const isEmpty = content.length === 0 && input === undefined && output === undefined;
  return (
    <div class="tool-details">
      {call.locations.length > 0 && (
        <p class="tool-locations">
          {call.locations.map(({ path, line }) => (
            <code key={`${path}:${line ?? ''}`} dir="ltr">
              {path}
              {line === undefined || line === null ? '' : `:${line}`}
            </code>
          ))}
        </p>
      )}
      {input !== undefined && <ToolOutput text={input} label={TOOLS.input} />}
      {content.map((entry, index) =>
        entry.kind === 'text' ? (
          <ToolOutput key={index} text={entry.text} label={TOOLS.output} />
        ) : (
          <ChangeView key={index} path={entry.path} before={entry.before} after={entry.after} />
        ),
      )}
      {output !== undefined && <ToolOutput text={output} label={TOOLS.output} />}
      {isEmpty && call.locations.length === 0 && <p class="tool-note">{TOOLS.noDetails}</p>}
    </div>
  );
}

function ChangeView({
  path,
  before,
  after,
}: {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}) {
  return (
    <>
      <p class="tool-locations">
        <code dir="ltr">{path}</code>
      </p>
      {before !== '' && <ToolOutput text={before} label={TOOLS.before} tone="removed" />}
      {after !== '' && <ToolOutput text={after} label={TOOLS.after} tone="added" />}
    </>
  );
}

function ToolOutput({
  text,
  label,
  tone,
}: {
  readonly text: string;
  readonly label: string;
  readonly tone?: string;
}) {
  return (
    <pre class="tool-output" dir="ltr" tabIndex={0} role="group" aria-label={label} data-tone={tone}>
      {text}
    </pre>
  );
}

/** What the agent means to do, step by step. */
export function PlanView({ entries }: { readonly entries: readonly PlanEntry[] }) {
  const done = entries.filter(({ status }) => status === 'completed').length;
  return (
    <details class="tool">
      <summary class="tool-head">
        <Icon name="list" />
        <span class="tool-title">{TOOLS.plan}</span>
        <span class="tool-note">{TOOLS.planProgress(done, entries.length)}</span>
      </summary>
      <ol class="plan">
        {entries.map((entry, index): ComponentChildren => (
          <li key={index} data-state={entry.status} dir="auto">
            {entry.content} <span class="tool-note">{stateName(entry.status)}</span>
          </li>
        ))}
      </ol>
    </details>
  );
}

function stateName(status: string): string {
  const names: Readonly<Record<string, string>> = TOOLS.states;
  return names[status] ?? status;
}
