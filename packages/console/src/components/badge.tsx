import type { ComponentChildren } from 'preact';
import type { SessionPhase } from '../api/live-session.ts';
import { PHASES } from '../texts/sessions.ts';

/** What a colour says. */
export type Tone = 'neutral' | 'info' | 'success' | 'warning' | 'danger';

/** A word or number on a coloured ground. */
export function Badge({
  tone = 'neutral',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ComponentChildren;
}) {
  return (
    <span class="badge" data-tone={tone}>
      {children}
    </span>
  );
}

/** A dot in the colour and shape of what a session does; says nothing to those who cannot see. */
export function StatusDot({ phase }: { readonly phase: SessionPhase }) {
  return <span class="status-dot" data-phase={phase} aria-hidden="true" />;
}

/** What a session does, as dot and words. */
export function Status({ phase }: { readonly phase: SessionPhase }) {
  return (
    <span class="status">
      <StatusDot phase={phase} />
      {PHASES[phase]}
    </span>
  );
}
