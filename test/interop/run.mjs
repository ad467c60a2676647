// Signs one client in to the sandbox, again and again, and says how often it went as it must: node run.mjs CLIENT < plan.json
//
// The plan comes on standard input; each case gives one line of JSON on standard output. A sign-in counts only when the
// tokens are what they must be: signed by the pool's published keys, for this client and this user.
import { createHmac, createPublicKey, verify } from 'node:crypto';
import { text } from 'node:stream/consumers';

const plan = JSON.parse(await text(process.stdin));
const client = await import(`./clients/${process.argv[2]}.mjs`);

/** The code that an authenticator shows at a time (RFC 6238: SHA-1, 30 s, six digits). */
function totp(secret, milliseconds) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replace(/=+$/, '')].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(milliseconds / 30_000)));
  const mac = createHmac('sha1', key).update(step).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** Asks the sandbox's control path. */
async function control(endpoint, path, body) {
  const response = await fetch(`${endpoint}/_sandbox${path}`, body && { method: 'POST', body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`the control path: ${path}: ${answer.error}`);
  return answer;
}

/** The pool's clock is moved on between sign-ins, since a code is good once: by how much, per endpoint. */
const ahead = new Map();

async function nextCode(endpoint) {
  const seconds = 30;
  await control(endpoint, '/advance', { seconds });
  ahead.set(endpoint, (ahead.get(endpoint) ?? 0) + seconds * 1000);
}

/** How each challenge is answered in a case; what a case has no answer for must not be asked. */
function answersOf(c, pool) {
  const now = (secret) => totp(secret, Date.now() + (ahead.get(pool.endpoint) ?? 0));
  const sent = (kind) => async () => {
    const query = new URLSearchParams({ user: c.username, kind });
    return (await control(pool.endpoint, `/codes?${query}`)).code;
  };
  return {
    SOFTWARE_TOKEN_MFA: c.totp && (() => now(c.totp)),
    MFA_SETUP: ({ secret }) => { c.learned = secret; return now(secret); },
    SMS_MFA: sent('SMS_MFA'),
    SMS_OTP: sent('SMS_OTP'),
    EMAIL_OTP: sent('EMAIL_OTP'),
    SELECT_MFA_TYPE: () => c.choice,
    SELECT_CHALLENGE: () => c.choice,
    PASSWORD: () => c.password,
    CUSTOM_CHALLENGE: ({ question }) => c.answers?.[question] ?? 'no idea',
  };
}

const keySets = new Map();

async function keysOf(endpoint, poolId) {
  if (!keySets.has(endpoint)) {
    const response = await fetch(`${endpoint}/${poolId}/.well-known/jwks.json`);
    keySets.set(endpoint, (await response.json()).keys);
  }
  return keySets.get(endpoint);
}

/** Fails unless the token is signed by the pool and has these claims. */
async function check(token, pool, claims) {
  const [head, body, signature] = token.split('.');
  const { kid, alg } = JSON.parse(Buffer.from(head, 'base64url'));
  const jwk = (await keysOf(pool.endpoint, pool.poolId)).find((k) => k.kid === kid);
  if (alg !== 'RS256' || !jwk) throw new Error(`no key for ${alg} ${kid}`);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  if (!verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) {
    throw new Error('the signature is wrong');
  }
  const got = JSON.parse(Buffer.from(body, 'base64url'));
  for (const [claim, want] of Object.entries(claims)) {
    if (got[claim] !== want) throw new Error(`claim ${claim} is ${got[claim]}, not ${want}`);
  }
  return got;
}

/** Signs in, and wants to be asked exactly what asks says. */
async function walk(c, { storage = client.newStorage(), asks = c.asks ?? [] } = {}) {
  const pool = plan.pools[c.pool];
  if (c.totp) await nextCode(pool.endpoint);
  const answers = answersOf(c, pool);
  const asked = [];
  const answer = async (challenge, parameters) => {
    asked.push(challenge);
    if (!answers[challenge] || asked.length > asks.length) throw new Error(`unexpected challenge ${challenge}`);
    return answers[challenge](parameters);
  };
  const { client: appClient, username, password, flow, preferred } = c;
  const tokens = await client.signIn({ ...pool, client: appClient, username, password, flow, preferred, answer, storage });
  if (asked.join() !== asks.join()) throw new Error(`asked ${asked.join() || 'nothing'}, not ${asks.join() || 'nothing'}`);
  await checkAll(c, pool, tokens);
  return tokens;
}

async function checkAll(c, pool, tokens) {
  const id = await check(tokens.id, pool, { token_use: 'id', aud: c.client.id, email: c.email });
  const access = await check(tokens.access, pool, { token_use: 'access', client_id: c.client.id, sub: id.sub });
  if (id['cognito:username'] !== access.username) throw new Error('the two tokens name different users');
  if (!tokens.refresh || tokens.refresh.split('.').length === 3) throw new Error('no opaque refresh token');
}

/** What a run of each kind of case is. */
const kinds = {
  plain: (c) => walk(c),

  /** Somebody new sets an authenticator up, and then signs in with it. */
  async setup(c, i) {
    const { endpoint } = plan.pools[c.pool];
    const somebody = { ...c, username: `${c.username}${i}` };
    await control(endpoint, '/users', { username: somebody.username, password: c.password, email: c.email });
    await walk(somebody);
    await walk({ ...somebody, totp: somebody.learned }, { asks: ['SOFTWARE_TOKEN_MFA'] });
  },

  /** A machine is remembered: no second factor, and a refresh that names it. Then it is forgotten: asked again, and healed. */
  async device(c) {
    const pool = plan.pools[c.pool];
    const storage = client.newStorage();
    const first = await walk(c, { storage });
    await checkAll(c, pool, await first.refreshed());
    await walk(c, { storage, asks: [] });
    await control(pool.endpoint, `/users/${c.username}`, { forget_devices: true });
    await walk(c, { storage });
    await walk(c, { storage, asks: [] });
  },
};

/** Every right sign-in must work. */
async function rightAnswers(c) {
  const faults = [];
  let good = 0;
  for (let i = 0; i < c.times; i++) {
    try {
      await kinds[c.kind](c, i);
      good++;
    } catch (e) {
      faults.push(`${e.name}: ${e.message}`);
    }
  }
  return { good, of: c.times, faults };
}

/** Every wrong one must be refused, by the server and for that reason: a client that breaks proves nothing. */
async function wrongPasswords(c) {
  const faults = [];
  let good = 0;
  for (const password of c.wrong) {
    try {
      await walk({ ...c, password, totp: undefined });
      faults.push(`signed in with ${JSON.stringify(password)}`);
    } catch (e) {
      const why = e.code ?? e.name;
      if (why === 'NotAuthorizedException' && e.message === 'Incorrect username or password.') good++;
      else faults.push(`${JSON.stringify(password)}: ${why}: ${e.message}`);
    }
  }
  return { good, of: c.wrong.length, faults };
}

for (const c of plan.cases) {
  if (!c.clients.includes(client.name)) continue;
  const result = await (c.wrong ? wrongPasswords(c) : rightAnswers(c));
  console.log(JSON.stringify({ case: c.name, ...result }));
}
