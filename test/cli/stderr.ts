import type { TestContext } from 'node:test';

/** What is written to stderr while something is done, one entry a write. */
export async function withStderr<T>(
  context: TestContext,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly err: readonly string[] }> {
  const { mock } = context.mock.method(process.stderr, 'write', () => true);
  try {
    const result = await work();
    return { result, err: mock.calls.map(({ arguments: [text] }) => String(text)) };
  } finally {
    mock.restore();
  }
}
