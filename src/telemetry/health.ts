/** The state of one check. */
export interface HealthCheck {
  readonly name: string;
  /** What is wrong; undefined when nothing is. */
  readonly trouble: string | undefined;
}

/** What is wrong, or a question that is asked each time someone wants to know. */
export type Trouble = string | undefined | (() => string | undefined);

/** Named checks and what is wrong with each: the parts that know report it here, the health server reads it. */
export class Health {
  readonly #troubles = new Map<string, Trouble>();

  /** Adds a check or changes it. */
  set(name: string, trouble: Trouble): void {
    this.#troubles.set(name, trouble);
  }

  /** Takes a check away, such as that of a back end that is no longer configured. */
  remove(name: string): void {
    this.#troubles.delete(name);
  }

  /** Every check, in the order in which they were added. */
  get checks(): readonly HealthCheck[] {
    return [...this.#troubles].map(([name, trouble]) => ({
      name,
      trouble: typeof trouble === 'function' ? trouble() : trouble,
    }));
  }
}
