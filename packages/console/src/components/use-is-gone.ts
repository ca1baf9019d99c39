import { useEffect, useRef } from 'preact/hooks';

/** Whether the component is there no more, for what goes on after it. */
export function useIsGone(): { readonly current: boolean } {
  const isGone = useRef(false);
  useEffect(
    () => () => {
      isGone.current = true;
    },
    [],
  );
  return isGone;
}
