import { useState } from 'preact/hooks';
import type { IssuedApiKey, Role } from '@agentapi-proxy/client';
import { Check } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { choicesOf, SelectField } from '../../components/select.tsx';
import { TextField } from '../../components/text-field.tsx';
import { useFormDraft } from '../../components/use-form-draft.ts';
import { useConsole } from '../../console-context.ts';
import { KEYS, PERMISSION_PURPOSES } from '../../texts/administration.ts';
import { allowedKeyForm, NEW_KEY, type KeyForm } from './key-form.ts';
import { EXPIRIES, expiryTime } from './key-state.ts';

interface CreateKeyDialogProps {
  readonly onIssued: (issued: IssuedApiKey) => void;
  readonly onClose: () => void;
}

const ROLES: readonly Role[] = ['admin', 'user', 'readonly'];

/** Asks what a new key shall be good for, and makes it. */
export function CreateKeyDialog({ onIssued, onClose }: CreateKeyDialogProps) {
  const { auth, client, drafts } = useConsole();
  const [draft, trackDraft] = useFormDraft(drafts.keys);
  const [form, setForm] = useState(() =>
    draft === null ? NEW_KEY : allowedKeyForm(draft, auth.isAdmin, (permission) => auth.can(permission)),
  );
  trackDraft(form);
  const { name, holder, role, isOfRole, permissions, expiry } = form;
  const [wasAsked, setAsked] = useState(false);
  // Nobody can give what the own key does not have.
  const offered = Object.keys(PERMISSION_PURPOSES).filter((permission) => auth.can(permission));
  const roles = ROLES.filter((each) => each !== 'admin' || auth.isAdmin);
  const isNoneChosen = !isOfRole && permissions.size === 0;

  const submit = async (): Promise<void> => {
    setAsked(true);
    if (isNoneChosen) return;
    const issued = await client.apiKeys.create({
      role,
      expires_at: expiryTime(expiry, Date.now()),
      ...(name.trim() === '' ? {} : { name: name.trim() }),
      ...(holder.trim() === '' ? {} : { user_id: holder.trim() }),
      ...(isOfRole ? {} : { permissions: [...permissions] }),
    });
    onIssued(issued);
  };
  const change = (part: Partial<KeyForm>): void => setForm((known) => ({ ...known, ...part }));
  const choose = (permission: string, isChosen: boolean): void => {
    setForm((known) => {
      const next = new Set(known.permissions);
      if (isChosen) next.add(permission);
      else next.delete(permission);
      return { ...known, permissions: next };
    });
  };
  return (
    <FormDialog
      title={KEYS.create}
      submit={KEYS.submit}
      failed={KEYS.failed}
      wasTouched={draft !== null}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextField
        label={KEYS.name}
        hint={KEYS.nameHint}
        dir="auto"
        autocomplete="off"
        maxLength={100}
        placeholder={KEYS.nameDefault}
        value={name}
        onChange={(text) => change({ name: text })}
      />
      {auth.isAdmin && (
        <TextField
          label={KEYS.holder}
          hint={KEYS.holderHint}
          dir="auto"
          autocomplete="off"
          maxLength={256}
          placeholder={auth.me?.user_id}
          value={holder}
          onChange={(text) => change({ holder: text })}
        />
      )}
      <SelectField
        label={KEYS.role}
        choices={choicesOf(roles, (each) => KEYS.roles[each])}
        value={role}
        onChange={(chosen) => change({ role: chosen })}
      />
      <fieldset class="keys-permissions-field">
        <legend class="field-legend">{KEYS.permissions}</legend>
        <Choice label={KEYS.ofRole} checked={isOfRole} onChoose={() => change({ isOfRole: true })} />
        <Choice label={KEYS.chosen} checked={!isOfRole} onChoose={() => change({ isOfRole: false })} />
        {!isOfRole && (
          <div class="keys-permission-list">
            {offered.map((permission) => (
              <Check
                key={permission}
                label={
                  <>
                    {PERMISSION_PURPOSES[permission]} <code class="muted">{permission}</code>
                  </>
                }
                checked={permissions.has(permission)}
                onChange={(isChosen) => choose(permission, isChosen)}
              />
            ))}
          </div>
        )}
        {wasAsked && isNoneChosen && (
          <p class="field-error" role="alert">
            {KEYS.noneChosen}
          </p>
        )}
      </fieldset>
      <SelectField
        label={KEYS.expiry}
        choices={choicesOf(EXPIRIES, (each) => KEYS.expiries[each])}
        value={expiry}
        onChange={(chosen) => change({ expiry: chosen })}
      />
    </FormDialog>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly checked: boolean;
  readonly onChoose: () => void;
}

function Choice({ label, checked, onChoose }: ChoiceProps) {
  return (
    <label class="check">
      <input type="radio" name="key-permissions" checked={checked} onChange={onChoose} />
      <span>{label}</span>
    </label>
  );
}
