import { ChainsError, reasonOf } from './errors.ts';

/** What the work resolves to, or why it failed. An error of no known kind may pass, so it is worth another try. */
export async function caught<T>(work: () => Promise<T>): Promise<T | ChainsError> {
  try {
    return await work();
  } catch (error) {
    return error instanceof ChainsError
      ? error
      : new ChainsError('UNEXPECTED', reasonOf(error), { cause: error });
  }
}
