import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { SignedOutReason } from '../api/auth.ts';
import { Button } from '../components/button.tsx';
import { Check } from '../components/field.tsx';
import { ErrorNotice, Notice } from '../components/notice.tsx';
import { TextField } from '../components/text-field.tsx';
import { useConsole, usePageTitle } from '../console-context.ts';
import { Brand } from '../layout/brand.tsx';
import { SIGN_IN } from '../texts/common.ts';
import './sign-in-page.css';

/** Asks for an API key; the page of the address then appears in its place. */
export function SignInPage({ because }: { readonly because: SignedOutReason }) {
  const { auth } = useConsole();
  usePageTitle(SIGN_IN.page);
  const [key, setKey] = useState('');
  const [remember, setRemember] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [failure, setFailure] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);

  const submit = async (): Promise<void> => {
    const trimmed = key.trim();
    setFailure(undefined);
    setProblem(trimmed === '' ? SIGN_IN.empty : undefined);
    if (trimmed !== '') {
      setBusy(true);
      try {
        const wrong = await auth.signIn(trimmed, remember);
        if (wrong === null) return;
        setProblem(SIGN_IN[wrong]);
      } catch (error) {
        setFailure(error);
      }
      setBusy(false);
    }
    input.current?.focus();
    input.current?.select();
  };

  return (
    <main class="sign-in">
      <form
        class="sign-in-card"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Brand />
        <h1>{SIGN_IN.title}</h1>
        {because === 'expired' && <Notice tone="warning">{SIGN_IN.expired}</Notice>}
        {because === 'link-over' && <Notice tone="warning">{SIGN_IN.linkOver}</Notice>}
        {because === 'signed-out' && <Notice tone="info">{SIGN_IN.signedOut}</Notice>}
        {failure !== undefined && <ErrorNotice error={failure} />}
        <TextField
          label={SIGN_IN.key}
          hint={SIGN_IN.keyHint}
          error={problem}
          controlRef={input}
          class="mono"
          type="password"
          name="api-key"
          autocomplete="current-password"
          isCode
          value={key}
          onChange={setKey}
        />
        <Check
          label={SIGN_IN.remember}
          hint={SIGN_IN.rememberHint}
          checked={remember}
          onChange={setRemember}
        />
        <Button type="submit" variant="primary" busy={isBusy}>
          {SIGN_IN.submit}
        </Button>
      </form>
    </main>
  );
}
