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

  /** @param address - of the page with the form */
  keep(address: string, form: Form): void {
    this.#forms.set(address, form);
  }

  /** Gives what was kept of a page, once; `null` for nothing. */
  take(address: string): Form | null {
    const form = this.#forms.get(address) ?? null;
    this.#forms.delete(address);
    return form;
  }

  forgetAll(): void {
    this.#forms.clear();
  }
}
