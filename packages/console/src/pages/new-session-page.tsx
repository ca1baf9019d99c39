import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { fieldErrorOf } from '../api/field-error.ts';
import { useFormDraft } from '../components/use-form-draft.ts';
import { useConsole, usePageTitle } from '../console-context.ts';
import { NEW_SESSION } from '../texts/new-session.ts';
import { useSearch } from '../use-search.ts';
import { StartFields, type ProfileFrom } from './new-session/start-fields.tsx';
import {
  formOfLink,
  isLinked,
  parseRemembered,
  problemsOf,
  rememberedText,
  startRequestOf,
  type Problems,
  type StartForm,
} from './new-session/start-form.ts';
import { StartingView } from './new-session/starting-view.tsx';
import './new-session/new-session.css';

const NO_PROBLEMS: Problems = new Map();

/** Starts a session: what it is to work on and with; then how the start goes, up to the conversation. */
export function NewSessionPage() {
  const search = useSearch();
  // Another link to this page is another form.
  return <Start key={search} search={search} />;
}

function Start({ search }: { readonly search: string }) {
  const { auth, client, drafts, toasts } = useConsole();
  usePageTitle(NEW_SESSION.page);
  const [, navigate] = useLocation();
  const stored = `agentapi-proxy.console.new-session.${auth.me?.user_id ?? ''}`;
  const [draft, trackDraft] = useFormDraft(drafts.starts);
  const [opened] = useState(() => {
    const query = new URLSearchParams(search);
    const last = parseRemembered(read(stored));
    return {
      form: formOfLink(query, last),
      profileFrom: profileFrom(isLinked(query), last.profile),
    };
  });
  const [form, setForm] = useState<StartForm>(draft?.form ?? opened.form);
  const [problems, setProblems] = useState<Problems>(NO_PROBLEMS);
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const [startedId, setStartedId] = useState<string | null>(draft?.startedId ?? null);
  // From then on it is as the person wants it.
  const [wasShown, setShown] = useState(draft !== null);
  trackDraft({ form, startedId });

  const submit = async (): Promise<void> => {
    const found = problemsOf(form);
    setProblems(found);
    setFailure(null);
    if (found.size > 0) return;
    setBusy(true);
    try {
      const request = startRequestOf(form);
      const session =
        request.profile_id === undefined
          ? await client.start(request)
          : await client.startWithProfile(request);
      write(stored, rememberedText(form));
      if (auth.can('session:access')) {
        setShown(true);
        setStartedId(session.id);
      } else {
        toasts.success(NEW_SESSION.startedElsewhere);
        navigate('/sessions');
      }
    } catch (error) {
      const field = fieldErrorOf(error);
      if (field === null) setFailure(error);
      else setProblems(new Map([[field.field, field.text]]));
    }
    setBusy(false);
  };

  return (
    <div class="page new-session">
      {startedId === null ? (
        <>
          <header class="page-header">
            <h1>{NEW_SESSION.page}</h1>
          </header>
          <StartFields
            form={form}
            profileFrom={wasShown ? 'person' : opened.profileFrom}
            problems={problems}
            failure={failure}
            isBusy={isBusy}
            onChange={(change) => setForm((known) => ({ ...known, ...change }))}
            onSubmit={() => void submit()}
          />
        </>
      ) : (
        <StartingView id={startedId} onChange={() => setStartedId(null)} />
      )}
    </div>
  );
}

/** Why the form begins with the profile that it begins with. */
function profileFrom(linked: boolean, last: string | undefined): ProfileFrom {
  if (linked) return 'link';
  return last === undefined ? 'nowhere' : 'last-time';
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // Storage is full, or kept from the page: the next form begins empty.
  }
}
