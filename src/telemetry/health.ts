/** The state of one check. */
export interface HealthCheck {
  readonly name: string;
  /** What is wrong; undefined when nothing is. */
  readonly trouble: string | undefined;
  /** What people may want to know although nothing is wrong. */
  readonly note?: string | undefined;
}

/** What is wrong, or a question that is asked each time someone wants to know. */
export type Trouble = string | undefined | (() => string | undefined);

/** Named checks and what is wrong with each: the parts that know report it here, the health server reads it. */
export class Health {
  readonly #checks = new Map<
    string,
    { readonly trouble: Trouble; readonly note: () => string | undefined }
  >();

  /** Adds a check or changes it. @param note asked each time someone wants to know */
  set(name: string, trouble: Trouble, note: () => string | undefined = () => undefined): void {
    this.#checks.set(name, { trouble, note });
  }

  /** Takes a check away, such as that of a back end that is no longer configured. */
  remove(name: string): void {
    this.#checks.delete(name);
  }

  /** Every check, in the order in which they were added. */
  get checks(): readonly HealthCheck[] {
    return [...this.#checks].map(([name, { trouble, note }]) => ({
      name,
      trouble: typeof trouble === 'function' ? trouble() : trouble,
      note: note(),
    }));
  }
}
