import { Component, type ComponentChildren } from 'preact';
import { ReloadNotice } from './components/reload-notice.tsx';
import { COMMON } from './texts/common.ts';

/** Keeps a mistake in one page from taking the whole console with it. */
export class ErrorBoundary extends Component<
  { readonly children: ComponentChildren },
  { readonly error: unknown }
> {
  override state = { error: null };

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override componentDidCatch(error: unknown): void {
    // For whoever looks into the console of the browser.
    reportError(error);
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return <ReloadNotice>{COMMON.crashed}</ReloadNotice>;
  }
}
