import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { BSON, type Document, Long } from 'mongodb';

/** A MongoDB server in this process: it checks passwords (SCRAM-SHA-256) and keeps documents by `_id`. */
export interface MongoDouble {
  readonly port: number;
  /** By namespace and id: `database.collection/id`. */
  readonly documents: Map<string, Document>;
  /** How many connections have ever proved a password, by the user's name. */
  readonly logins: Map<string, number>;
  /** Whether field names with dots or dollar signs are refused, as FerretDB 1 does. */
  refusesNames: boolean;
  /** How many writes were refused for such names. */
  refusals: number;
  /** How many connections of clients are open. */
  connections(): number;
  /** What it says to the next writes, as often as `times`. */
  failure: { readonly answer: Document; times: number } | undefined;
  close(): Promise<void>;
}

/** Who may log in, and whether it may write. */
export interface MongoUser {
  password: string;
  readonly mayWrite: boolean;
}

const largest = 16 * 1024 * 1024;
const message = 2013;
const query = 2004;
const reply = 1;

/** Numbers keep their types. */
const exactly = { promoteValues: false };

/** What an answer of `hello` says. */
const capabilities = {
  ismaster: true,
  isWritablePrimary: true,
  helloOk: true,
  minWireVersion: 0,
  maxWireVersion: 21,
  maxBsonObjectSize: largest,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
};

/** A connection's login so far. */
interface Login {
  readonly user: string;
  readonly clientFirst: string;
  readonly serverFirst: string;
  readonly salt: Buffer;
  proven: boolean;
}

/** Starts a server on a free port of the loopback interface. */
export async function startMongo(users: ReadonlyMap<string, MongoUser>): Promise<MongoDouble> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    const state: { login?: Login } = {};
    let pending: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 16 && pending.length >= pending.readInt32LE(0)) {
        const length = pending.readInt32LE(0);
        answer(socket, pending.subarray(0, length), state);
        pending = pending.subarray(length);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const double: MongoDouble = {
    port: (server.address() as AddressInfo).port,
    documents: new Map(),
    logins: new Map(),
    connections: () => sockets.size,
    failure: undefined,
    refusesNames: false,
    refusals: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return double;

  function answer(socket: Socket, packet: Buffer, state: { login?: Login }): void {
    const id = packet.readInt32LE(4);
    const kind = packet.readInt32LE(12);
    const command = kind === message ? commandIn(packet) : legacyCommandIn(packet);
    const result = BSON.serialize(handle(command, state));
    const body =
      kind === query
        ? [Buffer.alloc(16), Buffer.from([1, 0, 0, 0]), result]
        : [Buffer.alloc(4), Buffer.from([0]), result];
    const content = Buffer.concat(body);
    const header = Buffer.alloc(16);
    header.writeInt32LE(16 + content.length, 0);
    header.writeInt32LE(id, 8);
    header.writeInt32LE(kind === query ? reply : message, 12);
    socket.write(Buffer.concat([header, content]));
  }

  function handle(command: Document, state: { login?: Login }): Document {
    const [name = ''] = Object.keys(command);
    if (['hello', 'ismaster', 'isMaster'].includes(name)) return { ...capabilities, ok: 1 };
    if (name === 'ping' || name === 'endSessions') return { ok: 1 };
    if (name === 'saslStart') return begin(command, state);
    if (name === 'saslContinue') return prove(command, state);
    if (name === 'update') return update(command, state.login);
    if (name === 'find') return find(command, state.login);
    return error(59, 'CommandNotFound', `no such command: '${name}'`);
  }

  /** RFC 5802 and RFC 7677: the client's first message, and ours. */
  function begin({ mechanism, payload }: Document, state: { login?: Login }): Document {
    const text = textOf(payload);
    const [, clientFirst = '', user = '', nonce = ''] = /^n,,(n=([^,]*),r=(.*))$/.exec(text) ?? [];
    if (mechanism !== 'SCRAM-SHA-256') return error(2, 'BadValue', 'Unsupported mechanism');
    const salt = randomBytes(16);
    const serverFirst = `r=${nonce}${randomBytes(12).toString('base64')},s=${salt.toString('base64')},i=15000`;
    state.login = { user, clientFirst, serverFirst, salt, proven: false };
    return { conversationId: 1, done: false, payload: Buffer.from(serverFirst), ok: 1 };
  }

  function prove({ payload }: Document, { login }: { login?: Login }): Document {
    const failed = error(18, 'AuthenticationFailed', 'Authentication failed.');
    const [, withoutProof = '', proof = ''] = /^(c=biws,r=[^,]*),p=(.*)$/.exec(textOf(payload)) ?? [];
    const password = users.get(login?.user ?? '')?.password;
    if (login === undefined || password === undefined) return failed;
    const salted = pbkdf2Sync(password, login.salt, 15_000, 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const auth = `${login.clientFirst},${login.serverFirst},${withoutProof}`;
    const signature = hmac(createHash('sha256').update(clientKey).digest(), auth);
    const expected = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
    const given = Buffer.from(proof, 'base64');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return failed;
    login.proven = true;
    double.logins.set(login.user, (double.logins.get(login.user) ?? 0) + 1);
    const ours = hmac(hmac(salted, 'Server Key'), auth).toString('base64');
    return { conversationId: 1, done: true, payload: Buffer.from(`v=${ours}`), ok: 1 };
  }

  function find({ $db, find: collection, filter }: Document, login: Login | undefined): Document {
    const namespace = `${$db}.${collection}`;
    if (users.size > 0 && login?.proven !== true)
      return error(13, 'Unauthorized', 'command find requires authentication');
    const found = double.documents.get(`${namespace}/${filter['_id']}`);
    return {
      cursor: { firstBatch: found === undefined ? [] : [found], id: Long.ZERO, ns: namespace },
      ok: 1,
    };
  }

  function update(command: Document, login: Login | undefined): Document {
    const namespace = `${command['$db']}.${command['update']}`;
    if (users.size > 0 && login?.proven !== true) {
      return error(13, 'Unauthorized', `command update requires authentication`);
    }
    if (login !== undefined && users.get(login.user)?.mayWrite === false) {
      return error(13, 'Unauthorized', `not authorized on ${namespace} to execute command`);
    }
    if (double.failure !== undefined && double.failure.times > 0) {
      double.failure.times -= 1;
      return double.failure.answer;
    }
    const [{ q, u, upsert }] = command['updates'] as [Document];
    if (BSON.calculateObjectSize(u) > largest)
      return error(10334, 'BSONObjectTooLarge', 'object to insert too large');
    const odd = double.refusesNames ? oddName(u) : undefined;
    if (odd !== undefined) {
      double.refusals += 1;
      return error(2, 'BadValue', `invalid key: "${odd}" (key must not contain '.' sign)`);
    }
    const place = `${namespace}/${q['_id']}`;
    const isThere = double.documents.has(place);
    if (!isThere && upsert !== true) return { ok: 1, n: 0, nModified: 0 };
    double.documents.set(place, u);
    const upserted = isThere ? {} : { upserted: [{ index: 0, _id: q['_id'] }] };
    return { ok: 1, n: 1, nModified: isThere ? 1 : 0, ...upserted };
  }
}

/** A field's name with a dot or dollar sign, anywhere in the value. */
function oddName(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.map(oddName).find((name) => name !== undefined);
  if (typeof value !== 'object' || value === null || '_bsontype' in value) return undefined;
  const fields = Object.entries(value);
  return (
    fields.find(([name]) => /[.$]/.test(name))?.[0] ??
    fields.map(([, one]) => oddName(one)).find((name) => name !== undefined)
  );
}

/** An error as the server writes it. */
export function mongoError(
  code: number,
  codeName: string,
  errmsg: string,
  labels: readonly string[] = [],
): Document {
  return { ok: 0, code, codeName, errmsg, ...(labels.length === 0 ? {} : { errorLabels: labels }) };
}

const error = mongoError;

/** OP_MSG: flags, then sections: one document (0), or a list of them under a name (1). */
function commandIn(packet: Buffer): Document {
  let command: Document = {};
  for (let offset = 20; offset < packet.length; ) {
    const isList = packet[offset] === 1;
    const size = packet.readInt32LE(offset + 1);
    const section = packet.subarray(offset + 1, offset + 1 + size);
    if (isList) {
      const end = section.indexOf(0, 4);
      command = { ...command, [section.toString('utf8', 4, end)]: documentsIn(section.subarray(end + 1)) };
    } else {
      command = { ...BSON.deserialize(section, exactly), ...command };
    }
    offset += 1 + size;
  }
  return command;
}

function documentsIn(bytes: Buffer): readonly Document[] {
  const size = bytes.length === 0 ? 0 : bytes.readInt32LE(0);
  return size === 0
    ? []
    : [BSON.deserialize(bytes.subarray(0, size), exactly), ...documentsIn(bytes.subarray(size))];
}

/** OP_QUERY, which only the first message of a connection is: flags, a name, two numbers, the document. */
function legacyCommandIn(packet: Buffer): Document {
  return BSON.deserialize(packet.subarray(packet.indexOf(0, 20) + 9));
}

function textOf(payload: unknown): string {
  return Buffer.from((payload as { buffer: Uint8Array }).buffer).toString('utf8');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
