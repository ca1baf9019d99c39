import { choicesOf, SelectField, type Choice } from '../../components/select.tsx';
import { TextField } from '../../components/text-field.tsx';
import { AUDIT } from '../../texts/administration.ts';
import { OUTCOMES, type AuditQuery } from './audit-filter.ts';

interface AuditFiltersProps {
  readonly filters: AuditQuery;
  /** Actions to offer. */
  readonly actions: readonly string[];
  readonly onChange: (change: Partial<AuditQuery>) => void;
}

const OUTCOME_CHOICES: readonly Choice<AuditQuery['outcome']>[] = [
  { value: '', text: AUDIT.everyOutcome },
  ...choicesOf(OUTCOMES, (outcome) => AUDIT.outcomes[outcome]),
];

/** Which entries of the audit log to show. */
export function AuditFilters({ filters, actions, onChange }: AuditFiltersProps) {
  return (
    <search class="audit-filters" aria-label={AUDIT.filters}>
      <TextField
        label={AUDIT.user}
        autocomplete="off"
        value={filters.user}
        onChange={(user) => onChange({ user })}
      />
      <TextField
        label={AUDIT.action}
        autocomplete="off"
        placeholder={AUDIT.actionHint}
        suggestions={actions}
        value={filters.action}
        onChange={(action) => onChange({ action })}
      />
      <SelectField
        label={AUDIT.outcome}
        choices={OUTCOME_CHOICES}
        value={filters.outcome}
        onChange={(outcome) => onChange({ outcome })}
      />
      <TextField
        label={AUDIT.target}
        autocomplete="off"
        value={filters.target}
        onChange={(target) => onChange({ target })}
      />
      <TextField
        label={AUDIT.since}
        type="datetime-local"
        autocomplete="off"
        value={filters.since}
        onChange={(since) => onChange({ since })}
      />
      <TextField
        label={AUDIT.until}
        type="datetime-local"
        autocomplete="off"
        value={filters.until}
        onChange={(until) => onChange({ until })}
      />
    </search>
  );
}
