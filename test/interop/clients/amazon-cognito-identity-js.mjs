// amazon-cognito-identity-js: the older of AWS's own JavaScript clients. It knows no client secret, and no USER_AUTH.
import sdk from 'amazon-cognito-identity-js';

export const name = 'amazon-cognito-identity-js';
export const knowsSecrets = false;

/** A storage that forgets: each one stands for a new machine. */
class Nowhere {
  #items = new Map();
  setItem(key, value) { this.#items.set(key, value); }
  getItem(key) { return this.#items.get(key) ?? null; }
  removeItem(key) { this.#items.delete(key); }
  clear() { this.#items.clear(); }
}

export const newStorage = () => new Nowhere();

export function signIn({ endpoint, poolId, client, username, password, flow, answer, storage: Storage }) {
  const Pool = new sdk.CognitoUserPool({ UserPoolId: poolId, ClientId: client.id, endpoint, Storage });
  const user = new sdk.CognitoUser({ Username: username, Pool, Storage });
  const details = new sdk.AuthenticationDetails({ Username: username, Password: password });
  return new Promise((resolve, reject) => {
    /** Asks for an answer, and gives it to the client. */
    const ask = (challenge, give) => (...said) => {
      answer(challenge, said.at(-1)).then((text) => give(text, callbacks)).catch(reject);
    };
    const callbacks = {
      onSuccess: (session) => resolve({ ...tokensOf(session), refreshed: () => refreshed(user, session) }),
      onFailure: reject,
      totpRequired: ask('SOFTWARE_TOKEN_MFA', (text) => user.sendMFACode(text, callbacks, 'SOFTWARE_TOKEN_MFA')),
      mfaRequired: ask('SMS_MFA', (text) => user.sendMFACode(text, callbacks)),
      selectMFAType: ask('SELECT_MFA_TYPE', (text) => user.sendMFASelectionAnswer(text, callbacks)),
      customChallenge: ask('CUSTOM_CHALLENGE', (text) => user.sendCustomChallengeAnswer(text, callbacks)),
      mfaSetup: () => user.associateSoftwareToken({
        associateSecretCode: (secret) => ask('MFA_SETUP', (text) => user.verifySoftwareToken(text, 'interop', callbacks))({ secret }),
        onFailure: reject,
      }),
      newPasswordRequired: () => reject(new Error('unexpected challenge NEW_PASSWORD_REQUIRED')),
    };
    if (flow) user.setAuthenticationFlowType('CUSTOM_AUTH');
    if (flow === 'CUSTOM_WITHOUT_SRP') user.initiateAuth(details, callbacks);
    else user.authenticateUser(details, callbacks);
  });
}

function tokensOf(session) {
  return {
    id: session.getIdToken().getJwtToken(),
    access: session.getAccessToken().getJwtToken(),
    refresh: session.getRefreshToken().getToken(),
  };
}

function refreshed(user, session) {
  return new Promise((resolve, reject) => {
    user.refreshSession(session.getRefreshToken(), (error, next) => (error ? reject(error) : resolve(tokensOf(next))));
  });
}
