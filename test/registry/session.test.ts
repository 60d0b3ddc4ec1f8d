import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRegistry } from '../../sandbox/registry/index.ts';
import { Origins } from '../../src/registry/origins.ts';
import { Session } from '../../src/registry/session.ts';
import { Tokens } from '../../src/registry/tokens.ts';

/** Tokens of which another session uses the first before whoever asked for it can. */
class OvertakenTokens extends Tokens {
  overtake: (() => Promise<unknown>) | undefined;

  override async of(...request: Parameters<Tokens['of']>): ReturnType<Tokens['of']> {
    const token = await super.of(...request);
    const overtake = this.overtake;
    this.overtake = undefined;
    await overtake?.();
    return token;
  }
}

test('a new token that another session has used up in the meantime is renewed', async (context) => {
  const robot = { name: 'robot', password: 'secret-of-robot' };
  const registry = await startRegistry({ guard: { scheme: 'token', users: [robot] } });
  const guard = registry.guard ?? assert.fail();
  const admit = guard.admit.bind(guard);
  const used = new Set<string | undefined>();
  guard.admit = (token, request) => {
    admit(used.has(token) ? undefined : token, request);
    used.add(token);
  };
  const origins = new Origins({ insecure: false, timeout: 10_000 });
  context.after(async () => {
    await origins.close();
    await registry.close();
  });
  const [origin, tokens] = [await origins.of(registry.host), new OvertakenTokens()];
  const credential = { kind: 'password', username: robot.name, password: robot.password } as const;
  const credentials = async () => ({ found: [{ source: 'the test', credential }], problems: [] });
  const ask = async (): Promise<number> => {
    const url = new URL(`${origin.url}/v2/acme/app/manifests/latest`);
    const session = new Session({ origin, tokens, credentials });
    return (await session.request([404], { method: 'HEAD', url })).status;
  };
  tokens.overtake = ask;
  assert.equal(await ask(), 404);
  assert.equal(guard.given, 2);
});
