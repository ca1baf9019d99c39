import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { Redirect, Route, Router, Switch, matchRoute, useLocation, useRouter } from 'wouter-preact';
import { Button } from './components/button.tsx';
import { Loading } from './components/loading.tsx';
import { EmptyState, ErrorNotice } from './components/notice.tsx';
import { ToastRegion } from './components/toasts.tsx';
import { useConsole } from './console-context.ts';
import { ErrorBoundary } from './error-boundary.tsx';
import { Layout } from './layout/layout.tsx';
import { useSignOut } from './layout/use-sign-out.ts';
import { lazy } from './lazy-page.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';
import { ROUTES } from './routes.ts';
import { SESSIONS } from './texts/sessions.ts';
import { SIGN_IN } from './texts/common.ts';

/** The whole console: whoever is not signed in is asked to, and then finds the page of the address. */
export function App({ basePath }: { readonly basePath: string }) {
  const { auth, leaveGuard, toasts } = useConsole();
  const state = auth.state.value;
  const isFirst = useRef(true);
  useLayoutEffect(() => {
    if (state.kind !== 'checking') isFirst.current = false;
  }, [state]);
  return (
    <Router base={basePath} aroundNav={(navigate, to, options) => leaveGuard.go(() => navigate(to, options))}>
      {state.kind === 'checking' && <Loading />}
      {state.kind === 'unreachable' && (
        <main class="page">
          <h1>{SIGN_IN.unreachable}</h1>
          <ErrorNotice error={state.error} onRetry={() => void auth.check()} />
        </main>
      )}
      {state.kind === 'signed-out' && <SignInPage because={state.because} />}
      {/* Nothing of a page is for somebody else who signs in from another tab. */}
      {state.kind === 'signed-in' && (
        <Pages key={`${state.me.user_id} ${state.me.session_id ?? ''}`} isFirst={isFirst.current} />
      )}
      <ToastRegion toasts={toasts} />
    </Router>
  );
}

interface PagesProps {
  /** Whether there was nothing before them in this document. */
  readonly isFirst: boolean;
}

function Pages({ isFirst }: PagesProps) {
  const { auth } = useConsole();
  const { parser } = useRouter();
  const [location] = useLocation();
  const pages = useMemo(() => ROUTES.map((route) => ({ ...route, Page: lazy(route.load) })), []);
  // A shared link opens one session, and nothing else.
  const linked = auth.me?.session_id;
  const shown = pages.find(({ path }) => matchRoute(parser, path, location)[0]);
  // One frame around all pages, so that it stays when they change.
  return (
    <Layout frame={shown?.frame ?? 'page'} isFirst={isFirst}>
      <Switch>
        <Route path="/">
          <Redirect to={linked === undefined ? '/sessions' : `/sessions/${linked}`} replace />
        </Route>
        {pages.map(({ path, Page, permission, adminOnly }) => (
          <Route key={path} path={path}>
            <ErrorBoundary>
              {(permission !== undefined && !auth.can(permission)) ||
              (adminOnly === true && !auth.isAdmin) ? (
                <Forbidden permission={permission ?? ''} />
              ) : (
                <Page />
              )}
            </ErrorBoundary>
          </Route>
        ))}
        <Route>
          <NotFoundPage />
        </Route>
      </Switch>
    </Layout>
  );
}

function Forbidden({ permission }: { readonly permission: string }) {
  const { auth } = useConsole();
  const signOut = useSignOut();
  return (
    <div class="page">
      <EmptyState
        icon="lock"
        isPage
        title={permission === 'session:list' ? SESSIONS.forbiddenTitle : SIGN_IN.forbiddenTitle}
        actions={
          auth.me?.authentication === 'on' && (
            <Button icon="signOut" onClick={signOut}>
              {SIGN_IN.otherKey}
            </Button>
          )
        }
      >
        {SIGN_IN.forbiddenText(permission)}
      </EmptyState>
    </div>
  );
}
