import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { Icon } from '../components/icon.tsx';
import { useConsole } from '../console-context.ts';
import { COMMON } from '../texts/common.ts';
import { useShortcuts } from '../use-shortcuts.ts';
import { ShortcutsDialog } from './shortcuts-dialog.tsx';
import { Sidebar } from './sidebar.tsx';

interface LayoutProps {
  readonly frame: 'page' | 'session';
  /** Whether it comes with the document, so that the focus stays where the browser has it; counts in the beginning only. */
  readonly isFirst: boolean;
  readonly children: ComponentChildren;
}

/** The frame of every page: navigation at the side, on telephones below; the page scrolls in itself. */
export function Layout({ frame, isFirst, children }: LayoutProps) {
  const { auth } = useConsole();
  const main = useRef<HTMLElement>(null);
  const [location, navigate] = useLocation();
  const page = frame === 'session' ? location.split('/').slice(0, 3).join('/') : location;
  const isLoading = useRef(isFirst);
  const [isHelpOpen, setHelpOpen] = useState(false);
  useShortcuts({
    '?': () => setHelpOpen(true),
    n: (event) => {
      if (!auth.can('session:create')) return;
      // The letter must not arrive in the field that gets the focus.
      event.preventDefault();
      navigate('/sessions/new');
    },
  });
  useLayoutEffect(() => {
    // It only leads to another page.
    if (page === '/') return;
    const element = main.current;
    if (!isLoading.current && element !== null) {
      element.scrollTop = 0;
      // Whoever signs in or follows a link with the keyboard goes on in the new page, and a screen reader tells of it;
      // unless the page has a better place.
      if (!element.contains(document.activeElement)) element.focus();
    }
    isLoading.current = false;
  }, [page]);
  return (
    <div class="layout" data-page={frame}>
      <a
        class="skip-link"
        href="#main"
        onClick={(event) => {
          // The address of the page has a base, so its own fragment would lead elsewhere.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {COMMON.skipToContent}
      </a>
      <Sidebar />
      <ConnectionBanner />
      <main id="main" class="layout-main" ref={main} tabIndex={-1}>
        {children}
      </main>
      {isHelpOpen && <ShortcutsDialog onClose={() => setHelpOpen(false)} />}
    </div>
  );
}

function ConnectionBanner() {
  const { sessions } = useConsole();
  const isLost = sessions.connection.value === 'reconnecting';
  return (
    <div class="layout-banner" role="status">
      {isLost && (
        <div class="connection-banner">
          <Icon name="refresh" />
          <span>
            <strong>{COMMON.reconnecting}</strong> {COMMON.reconnectingHint}
          </span>
        </div>
      )}
    </div>
  );
}
