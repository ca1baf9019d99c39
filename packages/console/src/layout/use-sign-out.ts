import { useConsole } from '../console-context.ts';
import { ACCOUNT } from '../texts/common.ts';

/** Signs out; says so when that did not work. */
export function useSignOut(): () => void {
  const { auth, toasts } = useConsole();
  const signOut = async (): Promise<void> => {
    if (!(await auth.signOut())) toasts.failure(ACCOUNT.signOutFailed);
  };
  return () => void signOut();
}
