/** The state of one check. */
export interface HealthCheck {
  readonly name: string;
  /** What is wrong; undefined when nothing is. */
  readonly trouble: string | undefined;
  /** What people may want to know although nothing is wrong. */
  readonly note: string | undefined;
}

/** What is wrong, or a function that says so each time the checks are read. */
export type Trouble = string | undefined | (() => string | undefined);

/** Named checks, set by the parts of the controller and read by the health server. */
export class Health {
  readonly #checks = new Map<string, () => HealthCheck>();

  /** Adds a check or changes it. @param note called each time the checks are read */
  set(name: string, trouble: Trouble, note: () => string | undefined = () => undefined): void {
    this.#checks.set(name, () => ({
      name,
      trouble: typeof trouble === 'function' ? trouble() : trouble,
      note: note(),
    }));
  }

  /** Removes a check, such as that of a back end that is no longer configured. */
  remove(name: string): void {
    this.#checks.delete(name);
  }

  /** Every check, in the order in which they were added. */
  get checks(): readonly HealthCheck[] {
    return [...this.#checks.values()].map((check) => check());
  }
}
