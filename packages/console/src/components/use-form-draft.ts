import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useConsole } from '../console-context.ts';
import { pageAddress, type FormDrafts } from './form-drafts.ts';

/**
 * Keeps a form over the end of the key: who signs in again finds it as it was. Who leaves the page or signs out does not.
 * Nothing that is shown only once, such as a new key, may be part of it.
 *
 * @param at - where it is kept: the id of what a dialog is about; without one the address of the page
 * @returns what was kept the last time, `null` for nothing; and what is to be told, with every rendering, what there is
 *   to keep now
 */
export function useFormDraft<Form extends object>(
  drafts: FormDrafts<Form>,
  at: string = pageAddress(),
): readonly [Form | null, (form: Form | null) => void] {
  const { auth } = useConsole();
  const [place] = useState(at);
  const [kept] = useState(() => drafts.take(place));
  const now = useRef<Form | null>(null);
  useLayoutEffect(
    () => () => {
      const state = auth.state.peek();
      const hasEnded = state.kind === 'signed-out' && state.because === 'expired';
      if (hasEnded && now.current !== null) drafts.keep(place, now.current);
    },
    [auth, drafts, place],
  );
  return [
    kept,
    (form) => {
      now.current = form;
    },
  ];
}
