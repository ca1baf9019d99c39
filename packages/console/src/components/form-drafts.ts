/**
 * What is written in forms of one kind when the key ends, until somebody comes back to the page. In memory only: forms
 * hold secrets.
 */
export class FormDrafts<Form extends object> {
  readonly #forms = new Map<string, Form>();
  #owner: string | null = null;

  /** Says for whom forms are kept from now on; those of somebody else are forgotten. */
  belongTo(userId: string): void {
    if (userId !== this.#owner) this.forgetAll();
    this.#owner = userId;
  }

  /** @param place - {@link pageAddress} of the page with the form, or the id of what a dialog is about */
  keep(place: string, form: Form): void {
    this.#forms.set(place, form);
  }

  /** Whether something is kept, so that a dialog with the form is to be open at once. */
  has(place: string): boolean {
    return this.#forms.has(place);
  }

  /** Gives what was kept of a form, once; `null` for nothing. */
  take(place: string): Form | null {
    const form = this.#forms.get(place) ?? null;
    this.#forms.delete(place);
    return form;
  }

  forgetAll(): void {
    this.#forms.clear();
  }
}

/** Where the form of a page is kept. */
export function pageAddress(): string {
  return location.pathname + location.search;
}
