import { useState } from 'preact/hooks';
import type { IssuedApiKey, Role } from '@agentapi-proxy/client';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Check, Field } from '../../components/field.tsx';
import { ErrorNotice } from '../../components/notice.tsx';
import { useConsole } from '../../console-context.ts';
import { KEYS, PERMISSION_PURPOSES } from '../../texts/administration.ts';
import { COMMON } from '../../texts/common.ts';
import { EXPIRIES, expiryTime, type Expiry } from './key-state.ts';

interface CreateKeyDialogProps {
  readonly onIssued: (issued: IssuedApiKey) => void;
  readonly onClose: () => void;
}

const FORM = 'create-key-form';
const ROLES: readonly Role[] = ['admin', 'user', 'readonly'];

/** Asks what a new key shall be good for, and makes it. */
export function CreateKeyDialog({ onIssued, onClose }: CreateKeyDialogProps) {
  const { auth, client } = useConsole();
  const [name, setName] = useState('');
  const [holder, setHolder] = useState('');
  const [role, setRole] = useState<Role>('user');
  const [isOfRole, setOfRole] = useState(true);
  const [permissions, setPermissions] = useState<ReadonlySet<string>>(new Set());
  const [expiry, setExpiry] = useState<Expiry>('quarter');
  const [isBusy, setBusy] = useState(false);
  const [wasAsked, setAsked] = useState(false);
  const [error, setError] = useState<unknown>(null);
  // Nobody can give what the own key does not have.
  const offered = Object.keys(PERMISSION_PURPOSES).filter((permission) => auth.can(permission));
  const roles = ROLES.filter((each) => each !== 'admin' || auth.isAdmin);
  const isNoneChosen = !isOfRole && permissions.size === 0;

  const submit = async (): Promise<void> => {
    setAsked(true);
    if (isNoneChosen) return;
    setBusy(true);
    setError(null);
    try {
      const issued = await client.apiKeys.create({
        role,
        expires_at: expiryTime(expiry, Date.now()),
        ...(name.trim() === '' ? {} : { name: name.trim() }),
        ...(holder.trim() === '' ? {} : { user_id: holder.trim() }),
        ...(isOfRole ? {} : { permissions: [...permissions] }),
      });
      onIssued(issued);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const choose = (permission: string, isChosen: boolean): void => {
    setPermissions((known) => {
      const next = new Set(known);
      if (isChosen) next.add(permission);
      else next.delete(permission);
      return next;
    });
  };
  return (
    <Dialog
      title={KEYS.create}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button variant="primary" type="submit" form={FORM} busy={isBusy}>
            {KEYS.submit}
          </Button>
        </>
      }
    >
      <form
        id={FORM}
        class="dialog-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {error !== null && <ErrorNotice title={KEYS.failed} error={error} />}
        <Field label={KEYS.name} hint={KEYS.nameHint}>
          {(control) => (
            <input
              {...control}
              class="input"
              dir="auto"
              autocomplete="off"
              maxLength={100}
              placeholder={KEYS.nameDefault}
              value={name}
              onInput={({ currentTarget }) => setName(currentTarget.value)}
            />
          )}
        </Field>
        {auth.isAdmin && (
          <Field label={KEYS.holder} hint={KEYS.holderHint}>
            {(control) => (
              <input
                {...control}
                class="input"
                dir="auto"
                autocomplete="off"
                maxLength={256}
                placeholder={auth.me?.user_id}
                value={holder}
                onInput={({ currentTarget }) => setHolder(currentTarget.value)}
              />
            )}
          </Field>
        )}
        <Field label={KEYS.role}>
          {(control) => (
            <select
              {...control}
              class="input"
              value={role}
              onChange={({ currentTarget }) =>
                setRole(roles.find((each) => each === currentTarget.value) ?? role)
              }
            >
              {roles.map((each) => (
                <option key={each} value={each}>
                  {KEYS.roles[each]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <fieldset class="keys-permissions-field">
          <legend class="field-legend">{KEYS.permissions}</legend>
          <Choice label={KEYS.ofRole} checked={isOfRole} onChoose={() => setOfRole(true)} />
          <Choice label={KEYS.chosen} checked={!isOfRole} onChoose={() => setOfRole(false)} />
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
        <Field label={KEYS.expiry}>
          {(control) => (
            <select
              {...control}
              class="input"
              value={expiry}
              onChange={({ currentTarget }) =>
                setExpiry(EXPIRIES.find((each) => each === currentTarget.value) ?? expiry)
              }
            >
              {EXPIRIES.map((each) => (
                <option key={each} value={each}>
                  {KEYS.expiries[each]}
                </option>
              ))}
            </select>
          )}
        </Field>
      </form>
    </Dialog>
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
