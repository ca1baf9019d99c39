import type { Profile, ProfileTemplate } from '@agentapi-proxy/client';
import { useEffect, useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { Field } from '../components/field.tsx';
import { FormDialog } from '../components/form-dialog.tsx';
import { Loading } from '../components/loading.tsx';
import { ErrorNotice } from '../components/notice.tsx';
import { TextField } from '../components/text-field.tsx';
import { useConsole } from '../console-context.ts';
import { TEMPLATES } from '../texts/conversation.ts';
import { filledTemplate, variablesOf } from './message-template.ts';

interface TemplatesDialogProps {
  /** Whose templates come first; `undefined` = the default profile. */
  readonly profileId: string | undefined;
  readonly onInsert: (text: string) => void;
  readonly onClose: () => void;
}

type Loaded =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly profiles: readonly Profile[] }
  | { readonly kind: 'failed'; readonly error: unknown };

/** More templates are searched rather than looked through. */
const SEARCH_FROM = 8;

/** Chooses a message template, and fills it in. */
export function TemplatesDialog({ profileId, onInsert, onClose }: TemplatesDialogProps) {
  const { client } = useConsole();
  const [loaded, setLoaded] = useState<Loaded>({ kind: 'loading' });
  const [chosen, setChosen] = useState<ProfileTemplate | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const life = new AbortController();
    setLoaded({ kind: 'loading' });
    const load = async (): Promise<void> => {
      try {
        const all = await client.profiles.list({ signal: life.signal });
        const profiles = all.filter(({ message_templates: templates }) => templates.length > 0);
        setLoaded({ kind: 'ready', profiles: inOrder(profiles, profileId) });
      } catch (error) {
        if (!life.signal.aborted) setLoaded({ kind: 'failed', error });
      }
    };
    void load();
    return () => life.abort();
  }, [client, profileId, attempt]);
  if (chosen !== null) {
    return (
      <FillDialog template={chosen} onInsert={onInsert} onBack={() => setChosen(null)} onClose={onClose} />
    );
  }
  const choose = (template: ProfileTemplate): void => {
    if (variablesOf(template.content).length === 0) onInsert(template.content);
    else setChosen(template);
  };
  return (
    <Dialog title={TEMPLATES.title} onClose={onClose}>
      {loaded.kind === 'loading' && <Loading />}
      {loaded.kind === 'failed' && (
        <ErrorNotice
          error={loaded.error}
          title={TEMPLATES.loadFailed}
          onRetry={() => setAttempt(attempt + 1)}
        />
      )}
      {loaded.kind === 'ready' && <TemplateList profiles={loaded.profiles} onChoose={choose} />}
    </Dialog>
  );
}

interface TemplateListProps {
  readonly profiles: readonly Profile[];
  readonly onChoose: (template: ProfileTemplate) => void;
}

function TemplateList({ profiles, onChoose }: TemplateListProps) {
  const [search, setSearch] = useState('');
  const count = profiles.reduce((sum, profile) => sum + profile.message_templates.length, 0);
  if (count === 0) return <p class="muted">{TEMPLATES.empty}</p>;
  const wanted = search.trim().toLowerCase();
  const shown = profiles
    .map((profile) => ({
      profile,
      templates: profile.message_templates.filter(({ name, content, category }) =>
        `${name}\n${category ?? ''}\n${content}`.toLowerCase().includes(wanted),
      ),
    }))
    .filter(({ templates }) => templates.length > 0);
  return (
    <>
      {count >= SEARCH_FROM && (
        <input
          class="input"
          type="search"
          aria-label={TEMPLATES.search}
          placeholder={TEMPLATES.search}
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      {shown.length === 0 && <p class="muted">{TEMPLATES.noMatch}</p>}
      {shown.map(({ profile, templates }) => (
        <section key={profile.id} class="templates">
          <h3 dir="auto">{TEMPLATES.ofProfile(profile.name)}</h3>
          {templates.map((template) => (
            <button key={template.id} type="button" class="template" onClick={() => onChoose(template)}>
              <span class="template-name truncate" dir="auto">
                {template.name}
              </span>
              <span class="template-text truncate" dir="auto">
                {template.content}
              </span>
            </button>
          ))}
        </section>
      ))}
    </>
  );
}

interface FillDialogProps {
  readonly template: ProfileTemplate;
  readonly onInsert: (text: string) => void;
  readonly onBack: () => void;
  readonly onClose: () => void;
}

function FillDialog({ template, onInsert, onBack, onClose }: FillDialogProps) {
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const names = variablesOf(template.content);
  const isComplete = names.every((name) => (values[name] ?? '').trim() !== '');
  return (
    <FormDialog
      title={TEMPLATES.fill(template.name)}
      submit={TEMPLATES.insert}
      isComplete={isComplete}
      actions={
        <Button variant="ghost" onClick={onBack}>
          {TEMPLATES.back}
        </Button>
      }
      onSubmit={() => onInsert(filledTemplate(template.content, values))}
      onClose={onClose}
    >
      {names.map((name, index) => (
        <TextField
          key={name}
          label={name}
          dir="auto"
          autocomplete="off"
          autoFocus={index === 0}
          value={values[name] ?? ''}
          onChange={(value) => setValues({ ...values, [name]: value })}
        />
      ))}
      <Field label={TEMPLATES.preview}>
        {({ id }) => (
          <output id={id} class="template-preview" dir="auto">
            {filledTemplate(template.content, values)}
          </output>
        )}
      </Field>
    </FormDialog>
  );
}

/** What is most likely wanted comes first: the profile in use, then the default one. */
function inOrder(profiles: readonly Profile[], profileId: string | undefined): readonly Profile[] {
  const rank = ({ id, is_default: isDefault }: Profile): number => {
    if (id === profileId) return 0;
    return isDefault === true ? 1 : 2;
  };
  return profiles.toSorted((a, b) => rank(a) - rank(b));
}
