import type { Ref } from 'preact';
import { Icon } from '../../components/icon.tsx';
import { choicesOf, Select } from '../../components/select.tsx';
import { SESSIONS } from '../../texts/sessions.ts';
import { SORTS, VIEWS, type SessionFilter, type SessionsView } from './session-filter.ts';

interface FilterBarProps {
  readonly filter: SessionFilter;
  readonly counts: Readonly<Record<SessionsView, number>>;
  readonly agents: readonly string[];
  readonly owners: readonly string[];
  readonly searchRef: Ref<HTMLInputElement>;
  readonly onChange: (change: Partial<SessionFilter>) => void;
}

/** Search, views with their numbers, and other choices. */
export function FilterBar({ filter, counts, agents, owners, searchRef, onChange }: FilterBarProps) {
  const chips = [
    ...(filter.agent === null
      ? []
      : [{ text: `${SESSIONS.agentFilter}: ${filter.agent}`, without: { agent: null } }]),
    ...(filter.owner === null
      ? []
      : [{ text: `${SESSIONS.ownerFilter}: ${filter.owner}`, without: { owner: null } }]),
    ...filter.tags.map((tag) => ({
      text: tag,
      without: { tags: filter.tags.filter((each) => each !== tag) },
    })),
  ];
  return (
    <div class="filter-bar">
      <div class="filter-line">
        <div class="search-field">
          <Icon name="search" />
          <input
            ref={searchRef}
            type="search"
            class="input"
            aria-label={SESSIONS.search}
            placeholder={SESSIONS.searchHint}
            value={filter.text}
            onInput={(event) => onChange({ text: event.currentTarget.value })}
            onKeyDown={(event) => {
              if (event.key !== 'Escape') return;
              event.preventDefault();
              if (filter.text === '') event.currentTarget.blur();
              else onChange({ text: '' });
            }}
          />
        </div>
        {agents.length > 1 && (
          <Choice
            label={SESSIONS.agentFilter}
            every={SESSIONS.everyAgent}
            values={agents}
            value={filter.agent}
            onChange={(agent) => onChange({ agent })}
          />
        )}
        {owners.length > 1 && (
          <Choice
            label={SESSIONS.ownerFilter}
            every={SESSIONS.everyOwner}
            values={owners}
            value={filter.owner}
            onChange={(owner) => onChange({ owner })}
          />
        )}
        <Select
          class="filter-select"
          aria-label={SESSIONS.sort}
          choices={choicesOf(SORTS, (sort) => SESSIONS.sorts[sort])}
          value={filter.sort}
          onChange={(sort) => onChange({ sort })}
        />
      </div>
      <div class="views" role="group" aria-label={SESSIONS.view}>
        {VIEWS.map((view) => (
          <button
            key={view}
            type="button"
            class="view"
            aria-pressed={filter.view === view}
            onClick={() => onChange({ view })}
          >
            {SESSIONS.views[view]}
            <span class="view-count">{counts[view]}</span>
          </button>
        ))}
      </div>
      {chips.length > 0 && (
        <div class="tag-list">
          {chips.map(({ text, without }) => (
            <button
              key={text}
              type="button"
              class="tag filter-chip"
              aria-label={SESSIONS.removeFilter(text)}
              onClick={() => onChange(without)}
            >
              <bdi class="truncate">{text}</bdi>
              <Icon name="x" />
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly every: string;
  readonly values: readonly string[];
  readonly value: string | null;
  readonly onChange: (value: string | null) => void;
}

function Choice({ label, every, values, value, onChange }: ChoiceProps) {
  return (
    <Select
      class="filter-select"
      aria-label={label}
      choices={[{ value: '', text: every }, ...choicesOf(values)]}
      value={value ?? ''}
      onChange={(chosen) => onChange(chosen === '' ? null : chosen)}
    />
  );
}
