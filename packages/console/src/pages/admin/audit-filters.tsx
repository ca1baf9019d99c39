import { useId } from 'preact/hooks';
import { Field } from '../../components/field.tsx';
import { AUDIT } from '../../texts/administration.ts';
import { OUTCOMES, type AuditQuery } from './audit-filter.ts';

interface AuditFiltersProps {
  readonly filters: AuditQuery;
  /** Actions to offer. */
  readonly actions: readonly string[];
  readonly onChange: (change: Partial<AuditQuery>) => void;
}

/** Which entries of the audit log to show. */
export function AuditFilters({ filters, actions, onChange }: AuditFiltersProps) {
  const listId = useId();
  return (
    <search class="audit-filters" aria-label={AUDIT.filters}>
      <TextFilter label={AUDIT.user} value={filters.user} onChange={(user) => onChange({ user })} />
      <TextFilter
        label={AUDIT.action}
        placeholder={AUDIT.actionHint}
        list={listId}
        value={filters.action}
        onChange={(action) => onChange({ action })}
      />
      <datalist id={listId}>
        {actions.map((action) => (
          <option key={action} value={action} />
        ))}
      </datalist>
      <Field label={AUDIT.outcome}>
        {(control) => (
          <select
            {...control}
            class="input"
            value={filters.outcome}
            onChange={({ currentTarget }) =>
              onChange({ outcome: OUTCOMES.find((outcome) => outcome === currentTarget.value) ?? '' })
            }
          >
            <option value="">{AUDIT.everyOutcome}</option>
            {OUTCOMES.map((outcome) => (
              <option key={outcome} value={outcome}>
                {AUDIT.outcomes[outcome]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <TextFilter label={AUDIT.target} value={filters.target} onChange={(target) => onChange({ target })} />
      <TextFilter
        label={AUDIT.since}
        type="datetime-local"
        value={filters.since}
        onChange={(since) => onChange({ since })}
      />
      <TextFilter
        label={AUDIT.until}
        type="datetime-local"
        value={filters.until}
        onChange={(until) => onChange({ until })}
      />
    </search>
  );
}

interface TextFilterProps {
  readonly label: string;
  readonly value: string;
  readonly type?: 'text' | 'datetime-local';
  readonly placeholder?: string;
  readonly list?: string;
  readonly onChange: (value: string) => void;
}

function TextFilter({ label, value, type = 'text', onChange, ...rest }: TextFilterProps) {
  return (
    <Field label={label}>
      {(control) => (
        <input
          {...control}
          {...rest}
          type={type}
          class="input"
          autocomplete="off"
          value={value}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )}
    </Field>
  );
}
