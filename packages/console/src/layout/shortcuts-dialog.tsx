import { Dialog } from '../components/dialog.tsx';
import { Check } from '../components/field.tsx';
import { useConsole } from '../console-context.ts';
import { SHORTCUTS } from '../texts/common.ts';
import './shortcuts-dialog.css';

const GROUPS = [
  {
    title: SHORTCUTS.sessions,
    keys: [
      { keys: ['j', '↓'], does: SHORTCUTS.next },
      { keys: ['k', '↑'], does: SHORTCUTS.previous },
      { keys: ['Enter'], does: SHORTCUTS.open },
      { keys: ['x'], does: SHORTCUTS.select },
      { keys: ['/'], does: SHORTCUTS.search },
      { keys: ['Esc'], does: SHORTCUTS.escape },
    ],
  },
  {
    title: SHORTCUTS.conversation,
    keys: [
      { keys: ['Enter'], does: SHORTCUTS.send },
      { keys: ['Shift+Enter'], does: SHORTCUTS.newLine },
      { keys: ['Esc'], does: SHORTCUTS.interrupt },
    ],
  },
  {
    title: SHORTCUTS.anywhere,
    keys: [
      { keys: ['n'], does: SHORTCUTS.create },
      { keys: ['?'], does: SHORTCUTS.help },
    ],
  },
] as const;

/** What keys do. */
export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  const { preferences } = useConsole();
  return (
    <Dialog title={SHORTCUTS.title} onClose={onClose}>
      {GROUPS.map(({ title, keys }) => (
        <section key={title} class="shortcuts">
          <h3>{title}</h3>
          <dl>
            {keys.map(({ keys: names, does }) => (
              <div key={does}>
                <dt>{does}</dt>
                <dd>
                  {names.map((name) => (
                    <kbd key={name}>{name}</kbd>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <Check
        label={SHORTCUTS.enabled}
        checked={preferences.values.value.shortcuts}
        onChange={(shortcuts) => preferences.set({ shortcuts })}
      />
    </Dialog>
  );
}
