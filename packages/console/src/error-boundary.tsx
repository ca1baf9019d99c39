import { Component, type ComponentChildren } from 'preact';
import { Button } from './components/button.tsx';
import { Notice } from './components/notice.tsx';
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
    return (
      <div class="page">
        <Notice
          tone="danger"
          action={
            <Button size="small" icon="refresh" onClick={() => location.reload()}>
              {COMMON.reload}
            </Button>
          }
        >
          {COMMON.crashed}
        </Notice>
      </div>
    );
  }
}
