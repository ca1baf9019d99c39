import { useConsole } from '../console-context.ts';
import { ACCOUNT } from '../texts/common.ts';

/** Signs out; says so when that did not work. */
export function useSignOut(): () => void {
  const { auth, toasts } = useConsole();
  return () => {
    void auth.signOut().then((isSignedOut) => {
      if (!isSignedOut) toasts.failure(ACCOUNT.signOutFailed);
    });
  };
}
