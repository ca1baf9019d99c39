import { signal, type ReadonlySignal } from '@preact/signals';
import { COMMON } from '../texts/common.ts';
import { IconButton } from './button.tsx';
import { Icon } from './icon.tsx';

/** A short report at the edge of the page. */
export interface Toast {
  readonly id: number;
  readonly tone: 'success' | 'danger';
  readonly text: string;
}

/** Long enough to read a sentence or two; a failure stays until it is closed. */
const SUCCESS_MS = 6_000;
const MAX_TOASTS = 4;

/** Short reports of what was done, and of what went wrong. */
export class Toasts {
  readonly #list = signal<readonly Toast[]>([]);
  #last = 0;

  get list(): ReadonlySignal<readonly Toast[]> {
    return this.#list;
  }

  /** Reports something that worked. */
  success(text: string): void {
    const id = this.#add('success', text);
    setTimeout(() => this.close(id), SUCCESS_MS);
  }

  /** Reports something that did not. */
  failure(text: string): void {
    this.#add('danger', text);
  }

  close(id: number): void {
    this.#list.value = this.#list.value.filter((toast) => toast.id !== id);
  }

  #add(tone: Toast['tone'], text: string): number {
    this.#last += 1;
    this.#list.value = [...this.#list.value, { id: this.#last, tone, text }].slice(-MAX_TOASTS);
    return this.#last;
  }
}

/** Where reports appear; they are also said to those who cannot see. */
export function ToastRegion({ toasts }: { readonly toasts: Toasts }) {
  return (
    <div class="toasts" role="status" aria-live="polite" aria-relevant="additions">
      {toasts.list.value.map(({ id, tone, text }) => (
        <div key={id} class="toast" data-tone={tone}>
          <Icon name={tone === 'success' ? 'check' : 'alert'} />
          <span dir="auto">{text}</span>
          <IconButton icon="x" size="small" label={COMMON.close} onClick={() => toasts.close(id)} />
        </div>
      ))}
    </div>
  );
}
