// aws-amplify, version 6: AWS's present JavaScript client. It knows no client secret.
import { Amplify } from 'aws-amplify';
import { confirmSignIn, fetchAuthSession, signIn as amplifySignIn } from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';

// It names a new device after the browser, and without one drops the device and says nothing: node has had a navigator since 21.
globalThis.navigator ??= { platform: 'node', userAgent: 'node', vendor: '' };

export const name = 'aws-amplify';
export const knowsSecrets = false;

/** A storage that forgets: each one stands for a new machine. */
class Nowhere {
  #items = new Map();
  async setItem(key, value) { this.#items.set(key, value); }
  async getItem(key) { return this.#items.get(key) ?? null; }
  async removeItem(key) { this.#items.delete(key); }
  async clear() { this.#items.clear(); }
  /** The refresh token is in no public answer, but it is stored. */
  refreshToken() {
    for (const [key, value] of this.#items) {
      if (key.endsWith('.refreshToken')) return value;
    }
    return undefined;
  }
  /** Ends the session and keeps the device: somebody signed in is not let sign in again. */
  endSession() {
    for (const key of [...this.#items.keys()]) {
      if (!/\.(deviceKey|deviceGroupKey|randomPasswordKey)$/.test(key)) this.#items.delete(key);
    }
  }
}

export const newStorage = () => new Nowhere();

/** How this client calls what the challenges are called on the wire, and what it calls the answers. */
const factors = { SMS_MFA: 'SMS', SOFTWARE_TOKEN_MFA: 'TOTP', EMAIL_OTP: 'EMAIL' };

function asked(nextStep, flow) {
  switch (nextStep.signInStep) {
    case 'CONFIRM_SIGN_IN_WITH_TOTP_CODE': return ['SOFTWARE_TOKEN_MFA'];
    case 'CONFIRM_SIGN_IN_WITH_SMS_CODE': return [flow === 'USER_AUTH' ? 'SMS_OTP' : 'SMS_MFA'];
    case 'CONFIRM_SIGN_IN_WITH_EMAIL_CODE': return ['EMAIL_OTP'];
    case 'CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE': return ['CUSTOM_CHALLENGE', nextStep.additionalInfo];
    case 'CONFIRM_SIGN_IN_WITH_PASSWORD': return ['PASSWORD'];
    case 'CONTINUE_SIGN_IN_WITH_TOTP_SETUP': return ['MFA_SETUP', { secret: nextStep.totpSetupDetails.sharedSecret }];
    case 'CONTINUE_SIGN_IN_WITH_MFA_SELECTION': return ['SELECT_MFA_TYPE'];
    case 'CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION': return ['SELECT_CHALLENGE'];
    default: throw new Error(`unexpected step ${nextStep.signInStep}`);
  }
}

export async function signIn({ endpoint, poolId, client, username, password, flow = 'USER_SRP_AUTH', preferred, answer, storage }) {
  Amplify.configure({ Auth: { Cognito: { userPoolId: poolId, userPoolClientId: client.id, userPoolEndpoint: endpoint } } });
  cognitoUserPoolsTokenProvider.setKeyValueStorage(storage);
  storage.endSession();
  const withPassword = flow === 'CUSTOM_WITHOUT_SRP' || flow === 'USER_AUTH' && !preferred?.startsWith('PASSWORD') ? {} : { password };
  let { nextStep } = await amplifySignIn({ username, ...withPassword, options: { authFlowType: flow, preferredChallenge: preferred } });
  for (let rounds = 0; nextStep.signInStep !== 'DONE' && rounds < 12; rounds++) {
    const [challenge, parameters] = asked(nextStep, flow);
    const text = await answer(challenge, parameters);
    ({ nextStep } = await confirmSignIn({ challengeResponse: challenge === 'SELECT_MFA_TYPE' ? factors[text] : text }));
  }
  const got = async (options) => {
    const { tokens } = await fetchAuthSession(options);
    return { id: tokens.idToken.toString(), access: tokens.accessToken.toString(), refresh: storage.refreshToken() };
  };
  return { ...await got(), refreshed: () => got({ forceRefresh: true }) };
}
