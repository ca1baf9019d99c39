import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useConsole } from '../console-context.ts';
import type { FormDrafts } from './form-drafts.ts';

/**
 * Keeps a form over the end of the key: who signs in again finds it as it was. Who leaves the page or signs out does not.
 *
 * @returns what was kept the last time, `null` for nothing; and what is to be told, with every rendering, what there is
 *   to keep now
 */
export function useFormDraft<Form extends object>(
  drafts: FormDrafts<Form>,
): readonly [Form | null, (form: Form | null) => void] {
  const { auth } = useConsole();
  const [address] = useState(() => location.pathname + location.search);
  const [kept] = useState(() => drafts.take(address));
  const now = useRef<Form | null>(null);
  useLayoutEffect(
    () => () => {
      const state = auth.state.peek();
      const hasEnded = state.kind === 'signed-out' && state.because === 'expired';
      if (hasEnded && now.current !== null) drafts.keep(address, now.current);
    },
    [auth, drafts, address],
  );
  return [
    kept,
    (form) => {
      now.current = form;
    },
  ];
}
