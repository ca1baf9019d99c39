import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import type { SessionDetails } from '@agentapi-proxy/client';
import { apiAddress } from '../../api/api-address.ts';
import { isLive, type LiveSession } from '../../api/live-session.ts';
import { useLoaded } from '../../api/use-loaded.ts';
import { Status } from '../../components/badge.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { TagList } from '../../components/tag-list.tsx';
import { useConsole } from '../../console-context.ts';
import { DETAILS } from '../../texts/workspace.ts';
import { curlExample } from './details/curl-example.ts';
import { DetailsPending } from './details-pending.tsx';
import type { SessionPanelProps } from './session-tabs.ts';
import './details/details-panel.css';

/** A queue holds no more by default. */
const MAX_QUEUE = 100;

/** Everything the server tells of a session; of its environment names only. */
export function DetailsPanel({ session, details, detailsError, onRetry }: SessionPanelProps) {
  if (details === null) {
    return (
      <div class="page">
        <DetailsPending error={detailsError} onRetry={onRetry} />
      </div>
    );
  }
  return (
    <div class="details">
      <SessionFacts session={session} details={details} />
      <AgentFacts session={session} details={details} />
      <WorkspaceFacts session={session} details={details} />
      <History details={details} />
      <ApiFacts session={session} />
      {details.last_output.length > 0 && (
        <Section title={DETAILS.lastOutput} isWide>
          <pre class="details-output" role="region" aria-label={DETAILS.lastOutput} tabIndex={0}>
            {details.last_output.join('\n')}
          </pre>
        </Section>
      )}
    </div>
  );
}

interface FactsProps {
  readonly session: LiveSession;
  readonly details: SessionDetails;
}

function SessionFacts({ session, details }: FactsProps) {
  const { reason, progress, initial_message: first } = details;
  const exit = [
    details.exit_code === null ? [] : [DETAILS.exitCode(details.exit_code)],
    details.exit_signal === null ? [] : [DETAILS.exitSignal(details.exit_signal)],
  ].flat();
  return (
    <Section title={DETAILS.session}>
      <Fact name={DETAILS.id}>
        <code class="details-break">{session.id}</code>
        <CopyButton text={session.id} label={DETAILS.copyId} />
      </Fact>
      <Fact name={DETAILS.state}>
        <Status phase={session.phase} />
      </Fact>
      {reason !== undefined && <Fact name={DETAILS.reason}>{reason}</Fact>}
      {progress !== undefined && (
        <Fact name={DETAILS.progress}>
          {progress.detail}
          {progress.percent !== null && ` (${progress.percent} %)`}
        </Fact>
      )}
      {exit.length > 0 && <Fact name={DETAILS.exit}>{exit.join(', ')}</Fact>}
      <Fact name={DETAILS.created}>
        <RelativeTime at={session.createdAt} />
      </Fact>
      <Fact name={DETAILS.lastActivity}>
        <RelativeTime at={session.lastActivity} />
      </Fact>
      <Fact name={DETAILS.owner}>
        <bdi>{session.ownerId}</bdi>
      </Fact>
      {details.profile_id !== undefined && (
        <Fact name={DETAILS.profile}>
          <ProfileName id={details.profile_id} />
        </Fact>
      )}
      <Fact name={DETAILS.tags}>
        {Object.keys(session.tags).length === 0 ? DETAILS.none : <TagList tags={session.tags} />}
      </Fact>
      {first !== undefined && (
        <Fact name={DETAILS.firstMessage}>
          {DETAILS.firstMessages[first.state]}
          {first.reason !== undefined && ` – ${first.reason}`}
        </Fact>
      )}
    </Section>
  );
}

/** A profile by its name, as long as this person can see it. */
function ProfileName({ id }: { readonly id: string }) {
  const { auth, client } = useConsole();
  const canList = auth.can('profile:list');
  const profiles = useLoaded(
    async (signal) => (canList ? client.profiles.list({ signal }) : []),
    [client, canList],
  );
  const profile = profiles.value?.find((each) => each.id === id);
  if (profile === undefined) return <code class="details-break">{id}</code>;
  return (
    <Link href={`/profiles/${profile.id}`}>
      <bdi>{profile.name}</bdi>
    </Link>
  );
}

function AgentFacts({ session, details }: FactsProps) {
  const { client } = useConsole();
  const isRunning = session.state === 'running';
  const status = useLoaded(
    async (signal) => (isRunning ? client.session(session.id).status({ signal }) : null),
    [client, session.id, isRunning],
  );
  const queue = useLoaded(
    (signal) =>
      client.session(session.id).conversation.queued({ state: 'pending', limit: MAX_QUEUE, signal }),
    [client, session.id, session.phase],
  );
  const transport = status.value?.transport;
  return (
    <Section title={DETAILS.agent}>
      <Fact name={DETAILS.name}>
        <bdi>{session.agent}</bdi>
      </Fact>
      <Fact name={DETAILS.type}>{details.agent_type}</Fact>
      {transport !== undefined && <Fact name={DETAILS.transport}>{DETAILS.transports[transport]}</Fact>}
      <Fact name={DETAILS.server}>{DETAILS.servers[details.agent_server]}</Fact>
      {isLive(session.phase) && <Fact name={DETAILS.port}>{details.port}</Fact>}
      {queue.value !== null && <Fact name={DETAILS.queue}>{queue.value.messages.length}</Fact>}
    </Section>
  );
}

function WorkspaceFacts({ session, details }: FactsProps) {
  const names = details.environment_names;
  return (
    <Section title={DETAILS.workspace}>
      <Fact name={DETAILS.folder}>
        <bdi>{session.workspaceName ?? DETAILS.ownFolder}</bdi>
      </Fact>
      <Fact name={DETAILS.repository}>
        <bdi class="details-break">{session.repository ?? DETAILS.none}</bdi>
      </Fact>
      <Fact name={DETAILS.environment} hint={DETAILS.environmentHint}>
        {names.length === 0 ? (
          DETAILS.none
        ) : (
          <ul role="list" class="details-names">
            {names.map((name) => (
              <li key={name}>
                <code>{name}</code>
              </li>
            ))}
          </ul>
        )}
      </Fact>
    </Section>
  );
}

function ApiFacts({ session }: { readonly session: LiveSession }) {
  const { auth } = useConsole();
  const address = apiAddress(session.id);
  const isAsked = auth.me?.authentication === 'on';
  const example = curlExample(address, isAsked);
  return (
    <Section title={DETAILS.api} isWide>
      <Fact name={DETAILS.apiAddress}>
        <code class="details-break">{address}</code>
        <CopyButton text={address} label={DETAILS.copyAddress} />
      </Fact>
      <Fact name={DETAILS.example} {...(isAsked ? { hint: DETAILS.keyHint } : {})}>
        <pre class="details-output" role="region" aria-label={DETAILS.example} tabIndex={0}>
          {example}
        </pre>
        <CopyButton text={example} label={DETAILS.copyExample} />
      </Fact>
    </Section>
  );
}

function History({ details }: { readonly details: SessionDetails }) {
  return (
    <Section title={DETAILS.history}>
      <ol role="list" class="details-history">
        {details.history.map(({ state, at, reason }, index) => (
          <li key={index}>
            <span class="details-history-state">{DETAILS.states[state]}</span>
            <span class="muted">
              <RelativeTime at={at} />
            </span>
            {reason !== undefined && <div class="details-history-reason">{reason}</div>}
          </li>
        ))}
      </ol>
    </Section>
  );
}

interface SectionProps {
  readonly title: string;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

function Section({ title, isWide = false, children }: SectionProps) {
  return (
    <section class="details-section" {...(isWide ? { 'data-wide': true } : {})}>
      <h2>{title}</h2>
      <div class="details-facts">{children}</div>
    </section>
  );
}

interface FactProps {
  readonly name: string;
  readonly hint?: string;
  readonly children: ComponentChildren;
}

function Fact({ name, hint, children }: FactProps) {
  return (
    <dl class="details-fact">
      <dt>{name}</dt>
      <dd>
        <div class="details-value" dir="auto">
          {children}
        </div>
        {hint !== undefined && <p class="field-hint">{hint}</p>}
      </dd>
    </dl>
  );
}
